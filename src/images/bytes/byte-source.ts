import { open, type FileHandle } from 'node:fs/promises'
import { releaseMemory } from './release-memory.ts'

const WINDOW_BYTES = 1 << 20
const JUMP_BYTES = 64 << 10

/** A file or a buffer, read in pieces, so that the memory does not depend on its length. */
export interface ByteSource {
  readonly sizeBytes: number
  /** The path, or what messages call bytes that have none. */
  readonly name: string
  /** All bytes, where they are in memory anyway; until `close`. */
  readonly whole?: Buffer
  /** At most 1 MiB; shorter only at the end of the file. Valid until the next call. */
  read(offset: number, length: number): Promise<Buffer>
  close(): Promise<void>
}

/**
 * Opens a path, or wraps bytes. Files up to `wholeUpToBytes` are read at once. Throws what `fs.open` throws.
 */
export async function openByteSource(source: string | Uint8Array, wholeUpToBytes = 0): Promise<ByteSource> {
  if (typeof source !== 'string') return bufferSource(asBuffer(source), 'image')
  const handle = await open(source, 'r')
  try {
    const { size } = await handle.stat()
    if (size > wholeUpToBytes) return fileSource(handle, size, source)
    const bytes = Buffer.allocUnsafeSlow(size)
    const filled = await readFully(handle, bytes, 0)
    await handle.close()
    return bufferSource(bytes.subarray(0, filled), source, () => releaseMemory(bytes))
  } catch (error) {
    await handle.close().catch(() => undefined)
    throw error
  }
}

/** Bytes that stay valid until the source is closed: a copy only where they are not in memory anyway. */
export async function readLasting(source: ByteSource, offset: number, length: number): Promise<Buffer> {
  const bytes = await source.read(offset, length)
  return source.whole === undefined ? Buffer.from(bytes) : bytes
}

/** The same memory as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function bufferSource(bytes: Buffer, name: string, release?: () => void): ByteSource {
  return {
    sizeBytes: bytes.length,
    name,
    whole: bytes,
    read: (offset, length) =>
      Promise.resolve(bytes.subarray(offset, offset + Math.min(length, WINDOW_BYTES))),
    close() {
      release?.()
      return Promise.resolve()
    },
  }
}

function fileSource(handle: FileHandle, sizeBytes: number, name: string): ByteSource {
  let memory = Buffer.allocUnsafeSlow(Math.min(JUMP_BYTES, sizeBytes))
  let start = 0
  let filled = 0
  return {
    sizeBytes,
    name,
    async read(offset, length) {
      const wanted = Math.max(0, Math.min(length, WINDOW_BYTES, sizeBytes - offset))
      if (offset < start || offset + wanted > start + filled) {
        // Whoever reads on gets more at once than whoever jumps.
        const onwards = offset >= start && offset <= start + filled && filled > 0
        const ahead = Math.min(sizeBytes, onwards ? WINDOW_BYTES : Math.max(wanted, JUMP_BYTES))
        if (memory.length < ahead) memory = Buffer.allocUnsafeSlow(ahead)
        start = offset
        filled = await readFully(handle, memory.subarray(0, ahead), offset)
      }
      return memory.subarray(offset - start, Math.min(offset - start + wanted, filled))
    },
    close: () => handle.close(),
  }
}

async function readFully(handle: FileHandle, into: Buffer, position: number): Promise<number> {
  let filled = 0
  while (filled < into.length) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

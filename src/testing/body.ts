import { createHash, type BinaryToTextEncoding } from 'node:crypto'

const blockBytes = 64 * 1024
const stampEveryBytes = 512

/** Bytes of a file that need not be stored: any part of them can be made again from the name and the length. */
export interface Body {
  readonly sizeBytes: number
  /** Bytes from `start` up to, not including, `end`; cut to the length. */
  read(start: number, end: number): Buffer
  /** All bytes. */
  bytes(): Buffer
  /** Digest of all bytes. */
  digest(algorithm?: string, encoding?: BinaryToTextEncoding): string
}

/**
 * Bytes that depend on the seed (a path, say) and on their place, so that a test can compare a file with what
 * the origin sent without storing either, and sees every byte that went to a wrong place.
 */
export function body(seed: string, sizeBytes: number): Body {
  const base = seededBlock(seed)
  return bodyOf(sizeBytes, (start, end) => {
    const out = Buffer.allocUnsafe(end - start)
    for (let at = start; at < end;) {
      const index = Math.floor(at / blockBytes)
      const block = stamped(base, index)
      const from = at - index * blockBytes
      const length = Math.min(blockBytes - from, end - at)
      block.copy(out, at - start, from, from + length)
      at += length
    }
    return out
  })
}

/** A body of exactly these bytes. */
export function bodyFrom(content: string | Uint8Array): Body {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.from(content)
  return bodyOf(bytes.length, (start, end) => bytes.subarray(start, end))
}

function bodyOf(sizeBytes: number, readExact: (start: number, end: number) => Buffer): Body {
  const read = (start: number, end: number): Buffer => {
    const to = Math.min(end, sizeBytes)
    return start >= to ? Buffer.alloc(0) : readExact(Math.max(start, 0), to)
  }
  return {
    sizeBytes,
    read,
    bytes: () => read(0, sizeBytes),
    digest(algorithm = 'sha256', encoding = 'hex') {
      const hash = createHash(algorithm)
      for (let at = 0; at < sizeBytes; at += 1024 * 1024) hash.update(read(at, at + 1024 * 1024))
      return hash.digest(encoding)
    },
  }
}

function seededBlock(seed: string): Buffer {
  const start = createHash('sha256').update(seed).digest()
  let state = start.readUInt32LE(0) | 1
  const block = Buffer.allocUnsafe(blockBytes)
  for (let at = 0; at < blockBytes; at += 4) {
    // xorshift32 (G. Marsaglia, 2003).
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    block.writeInt32LE(state, at)
  }
  return block
}

function stamped(base: Buffer, index: number): Buffer {
  const block = Buffer.from(base)
  for (let at = 0; at < blockBytes; at += stampEveryBytes) block.writeUInt32BE(index >>> 0, at)
  return block
}

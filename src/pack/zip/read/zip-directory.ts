import { fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'
import yauzl from 'yauzl'
import { isTrawlError, TrawlError } from '../../../core/index.ts'
import { readUpTo } from '../../part-file/index.ts'

/** A file in a ZIP, as the central directory and its local header tell. */
export interface DirectoryEntry {
  readonly name: string
  readonly crc: number
  /** Of the content, unpacked. */
  readonly sizeBytes: number
  /** Of the content as it stands in the archive. */
  readonly storedBytes: number
  readonly contentOffset: number
  /** 0 stored, 8 deflate; for AES the method inside of it. */
  readonly method: number
  /** With WinZip AES; other encryption is refused. */
  readonly encrypted: boolean
  /** The local header tells the same name, sizes and checksum. Archives written as a stream tell them later. */
  readonly confirmed: boolean
}

const windowBytes = 64 * 1024
const maxEntries = 200_000
const aesMethod = 99
const aesExtraId = 0x9901

/**
 * The files of a ZIP in the order of its central directory; folders are passed over. Throws ERR_PACK_DAMAGED, and
 * ERR_PATH_UNSAFE for names that are absolute or climb out.
 */
export async function* readDirectory(fd: number, path: string): AsyncGenerator<DirectoryEntry> {
  try {
    const reader = new WindowReader(fd)
    const size = fstatSync(fd).size
    const options = { lazyEntries: true, autoClose: false } as const
    const zip = await yauzl.fromRandomAccessReaderPromise(reader, size, options)
    if (zip.entryCount > maxEntries) throw new Error(`${zip.entryCount} entries, ${maxEntries} are allowed`)
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue
      yield directoryEntry(reader, entry)
    }
  } catch (error) {
    throw zipError(error, path)
  }
}

/** Serves the many small reads of a directory from one buffer. */
class WindowReader extends yauzl.RandomAccessReader {
  readonly #fd: number
  readonly #window = Buffer.allocUnsafe(windowBytes)
  #start = 0
  #filled = 0

  constructor(fd: number) {
    super()
    this.#fd = fd
  }

  /** Up to `length` bytes at `position`. */
  bytes(position: number, length: number): Buffer {
    if (length > windowBytes) {
      const large = Buffer.alloc(length)
      return large.subarray(0, readUpTo(this.#fd, large, position))
    }
    if (position < this.#start || position + length > this.#start + this.#filled) {
      this.#start = position
      this.#filled = readUpTo(this.#fd, this.#window, position)
    }
    return this.#window.subarray(
      position - this.#start,
      Math.min(position - this.#start + length, this.#filled),
    )
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead?: number) => void,
  ): void {
    const found = this.bytes(position, length)
    found.copy(buffer, offset)
    process.nextTick(callback, null, found.length)
  }

  override _readStreamForRange(): Readable {
    throw new Error('entries are read from the file')
  }
}

function directoryEntry(reader: WindowReader, entry: yauzl.Entry): DirectoryEntry {
  const header = Buffer.from(reader.bytes(entry.relativeOffsetOfLocalHeader, 30))
  if (header.length < 30 || header.readUInt32LE(0) !== 0x04034b50) {
    throw new Error(`${entry.fileName}: no local header at byte ${entry.relativeOffsetOfLocalHeader}`)
  }
  if (header.readUInt16LE(8) !== entry.compressionMethod)
    throw new Error(`${entry.fileName}: its two headers differ`)
  const encrypted = entry.isEncrypted()
  const aes = entry.extraFields.find((field) => field.id === aesExtraId)?.data
  if (encrypted && (entry.compressionMethod !== aesMethod || !aes || aes.length < 7 || aes[4] !== 3)) {
    throw new TrawlError('ERR_PACK_UNSUPPORTED', `${entry.fileName}: encrypted in another way than AES-256`)
  }
  return {
    name: entry.fileName,
    crc: entry.crc32,
    sizeBytes: entry.uncompressedSize,
    storedBytes: entry.compressedSize,
    contentOffset: entry.relativeOffsetOfLocalHeader + 30 + header.readUInt16LE(26) + header.readUInt16LE(28),
    confirmed: agrees(reader, header, entry),
    method: encrypted && aes ? aes.readUInt16LE(5) : entry.compressionMethod,
    encrypted,
  }
}

function agrees(reader: WindowReader, header: Buffer, entry: yauzl.Entry): boolean {
  const offset = entry.relativeOffsetOfLocalHeader
  const name = reader.bytes(offset + 30, header.readUInt16LE(26))
  const sizes = [header.readUInt32LE(18), header.readUInt32LE(22)]
  const wide = sizes.every((size) => size === 0xffffffff)
  return (
    name.equals(entry.fileNameRaw) &&
    header.readUInt32LE(14) === entry.crc32 &&
    (wide || (sizes[0] === entry.compressedSize && sizes[1] === entry.uncompressedSize))
  )
}

function zipError(error: unknown, path: string): TrawlError {
  if (isTrawlError(error)) return error
  const reason = error instanceof Error ? error.message : String(error)
  const unsafe = /^(absolute path|invalid relative path|invalid characters in fileName)/.test(reason)
  return new TrawlError(unsafe ? 'ERR_PATH_UNSAFE' : 'ERR_PACK_DAMAGED', `${path}: ZIP: ${reason}`, {
    cause: error,
    context: { path },
  })
}

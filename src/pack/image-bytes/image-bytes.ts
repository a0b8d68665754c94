import { closeSync, fstatSync, openSync } from 'node:fs'
import { storageError } from '../../storage/index.ts'
import { readUpTo, type FileRange } from '../part-file/index.ts'

/** A piece of a stream to be written: bytes in memory, or a stretch of a file. */
export type StreamPart = Buffer | FileRange

/** An image at random access, for parsers of headers. */
export interface ImageBytes {
  /** Where it comes from, for messages. */
  readonly name: string
  readonly sizeBytes: number
  /** Up to `length` bytes at `offset`; fewer at the end. Valid until the next call. */
  bytes(offset: number, length: number): Buffer
  /** The same stretch as something that can be copied later. */
  part(offset: number, length: number): StreamPart
}

/** An open image file; `close` when its parts are written. */
export interface ImageFile extends ImageBytes {
  close(): void
}

const windowBytes = 64 * 1024

/** One buffer to read headers through, shared by all pages of a writer. */
export function createWindow(): Buffer {
  return Buffer.allocUnsafe(windowBytes)
}

/**
 * Opens an image file for its header. Reading goes through `window`, so only one such file may be parsed at a time.
 * Throws ERR_IO and other storage errors.
 */
export function openImageFile(path: string, window: Buffer): ImageFile {
  const fd = attempt(path, () => openSync(path, 'r'))
  const sizeBytes = attempt(path, () => fstatSync(fd).size)
  let start = 0
  let filled = 0
  return {
    name: path,
    sizeBytes,
    bytes(offset, length) {
      if (length > window.length) {
        const large = Buffer.allocUnsafe(length)
        return large.subarray(
          0,
          attempt(path, () => readUpTo(fd, large, offset)),
        )
      }
      if (offset < start || offset + length > start + filled) {
        start = offset
        filled = attempt(path, () => readUpTo(fd, window, offset))
      }
      return window.subarray(
        Math.max(0, offset - start),
        Math.max(0, Math.min(offset - start + length, filled)),
      )
    },
    part: (offset, length) => ({ fd, offset, length }),
    close: () => closeSync(fd),
  }
}

/** An image that is in memory already. */
export function imageInMemory(name: string, content: Buffer): ImageBytes {
  const bytes = (offset: number, length: number) => content.subarray(offset, offset + length)
  return { name, sizeBytes: content.length, bytes, part: bytes }
}

function attempt<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

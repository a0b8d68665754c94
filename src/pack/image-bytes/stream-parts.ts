import { read } from 'node:fs'
import { promisify } from 'node:util'
import { TrawlError } from '../../core/index.ts'
import type { StreamPart } from './image-bytes.ts'

const readAt = promisify(read)
const windowBytes = 1024 * 1024

/**
 * The bytes of parts one after the other, in pieces of at most 1 MiB, each valid until the next. Parts that lie
 * close together in a file, such as the chunks of a PNG, are read at once. Throws ERR_IO where a file is too short.
 */
export async function* readParts(parts: readonly StreamPart[]): AsyncGenerator<Buffer> {
  let window: Buffer | undefined
  let held = { fd: -1, start: 0, end: 0 }
  for (const part of parts) {
    if (Buffer.isBuffer(part)) {
      yield part
      continue
    }
    for (let done = 0; done < part.length;) {
      const at = part.offset + done
      if (held.fd !== part.fd || at < held.start || at >= held.end) {
        window ??= Buffer.allocUnsafe(windowBytes)
        const { bytesRead } = await readAt(part.fd, window, 0, windowBytes, at)
        if (bytesRead === 0) throw new TrawlError('ERR_IO', 'a page file became shorter while it was packed')
        held = { fd: part.fd, start: at, end: at + bytesRead }
      }
      const piece = (window ?? Buffer.alloc(0)).subarray(
        at - held.start,
        Math.min(at + part.length - done, held.end) - held.start,
      )
      done += piece.length
      yield piece
    }
  }
}

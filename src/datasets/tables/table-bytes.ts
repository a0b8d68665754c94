import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { TrawlError } from '../../core/index.ts'
import type { TableFile } from './table-file.ts'

const chunkBytes = 1024 * 1024

/**
 * The bytes of a text table, unpacked, as UTF-8 without a byte order mark; UTF-16 with a mark is converted.
 * Throws ERR_INPUT_UNREADABLE where the file cannot be read or its compressed data is damaged or cut.
 */
export async function* tableBytes(table: TableFile): AsyncIterableIterator<Buffer> {
  let convert: ((bytes: Buffer) => Buffer) | undefined
  for await (const chunk of unpackedBytes(table)) {
    const mark = convert ? undefined : byteOrderMark(chunk)
    convert ??= mark === undefined || mark.encoding === 'utf-8' ? (bytes) => bytes : fromUtf16(mark.encoding)
    yield convert(mark ? chunk.subarray(mark.length) : chunk)
  }
}

/** True where the table begins with the byte order mark of UTF-16. Throws ERR_INPUT_UNREADABLE. */
export async function isUtf16(table: TableFile): Promise<boolean> {
  for await (const chunk of unpackedBytes(table)) return byteOrderMark(chunk).encoding !== 'utf-8'
  return false
}

/**
 * Reads compressed data to its end, so that damage and cuts are found: DuckDB reads over both.
 * Throws ERR_INPUT_UNREADABLE.
 */
export async function checkCompression(table: TableFile): Promise<void> {
  if (table.compression === 'none') return
  for await (const chunk of unpackedBytes(table)) void chunk
}

async function* unpackedBytes(table: TableFile): AsyncIterableIterator<Buffer> {
  try {
    for await (const chunk of openStream(table)) yield chunk
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const what = table.compression === 'none' ? 'cannot be read' : `the ${table.compression} data is damaged`
    throw new TrawlError('ERR_INPUT_UNREADABLE', `${table.name}: ${what}: ${reason}`, {
      cause: error,
      context: { file: table.path },
      ...(table.compression === 'none' ? {} : { hint: 'Get the file again, or name it by what it is.' }),
    })
  }
}

function openStream(table: TableFile): AsyncIterable<Buffer> {
  const file = createReadStream(table.path, { highWaterMark: chunkBytes })
  if (table.compression === 'none') return file
  const unpack =
    table.compression === 'gzip'
      ? createGunzip({ chunkSize: chunkBytes })
      : createZstdDecompress({ chunkSize: chunkBytes })
  // The reader of `unpack` sees the error; the callback only keeps it from being thrown again.
  return pipeline(file, unpack, () => {})
}

function fromUtf16(encoding: string): (bytes: Buffer) => Buffer {
  const decoder = new TextDecoder(encoding)
  return (bytes) => Buffer.from(decoder.decode(bytes, { stream: true }))
}

function byteOrderMark(bytes: Buffer): { encoding: 'utf-8' | 'utf-16le' | 'utf-16be'; length: number } {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { encoding: 'utf-8', length: 3 }
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { encoding: 'utf-16le', length: 2 }
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { encoding: 'utf-16be', length: 2 }
  return { encoding: 'utf-8', length: 0 }
}

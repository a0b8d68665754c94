import { TrawlError } from '../../core/index.ts'
import { isMetalink, parseMetalink } from '../metalink/index.ts'
import type { ListEntry } from './list-entry.ts'
import { readListBytes, readUrlList, unreadable, type ReadUrlListOptions } from './url-list.ts'

/** A Metalink is read as a whole; larger ones are refused. */
const maxMetalinkBytes = 16 * 1024 * 1024
const maxHeadBytes = 64 * 1024

/**
 * Reads a list of files: lines of URLs as `readUrlList` does, or a Metalink 4 document, told by its name (`.meta4`)
 * or by its first character, `<`, which no line of URLs begins with.
 * Throws what `readUrlList` throws, and ERR_INPUT_UNREADABLE for a Metalink of more than 16 MiB.
 */
export async function* readFileList(
  from: string | AsyncIterable<Uint8Array>,
  options: ReadUrlListOptions = {},
): AsyncGenerator<readonly ListEntry[], void, undefined> {
  const name = options.name ?? (typeof from === 'string' ? from : 'standard input')
  const chunks = (typeof from === 'string' ? readListBytes(from, name) : from)[Symbol.asyncIterator]()
  const head: Uint8Array[] = []
  let bytes: Uint8Array | undefined
  try {
    const begins = await readHead(chunks, head)
    if (begins === lessThan || isMetalink({ name })) bytes = await collect(rejoin(head, chunks), name)
  } catch (error) {
    throw error instanceof TrawlError ? error : unreadable(name, error)
  }
  if (bytes) yield parseMetalink(bytes, { name, ...(options.notice ? { notice: options.notice } : {}) })
  else yield* readUrlList(rejoin(head, chunks), { ...options, name })
}

/** Reads until there is something to judge by; its first byte that is not blank. */
async function readHead(chunks: AsyncIterator<Uint8Array>, head: Uint8Array[]): Promise<number | undefined> {
  let size = 0
  while (size < maxHeadBytes) {
    const next = await chunks.next()
    if (next.done) return undefined
    // The chunk is kept beyond the next one, and its memory may be used again by then.
    head.push(Buffer.from(next.value))
    size += next.value.length
    const begins = firstByte(next.value)
    if (begins !== undefined) return begins
  }
  return undefined
}

const lessThan = 60

/** The first byte that is neither blank nor part of a mark of UTF-8. */
function firstByte(chunk: Uint8Array): number | undefined {
  return chunk.find((byte) => byte > 32 && byte !== 0xef && byte !== 0xbb && byte !== 0xbf)
}

async function* rejoin(
  head: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* head
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
  } finally {
    await rest.return?.()
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size > maxMetalinkBytes) {
      throw new TrawlError('ERR_INPUT_UNREADABLE', `${name} is a Metalink of more than 16 MiB`, {
        context: { file: name },
      })
    }
    parts.push(Buffer.from(chunk))
  }
  return Buffer.concat(parts)
}

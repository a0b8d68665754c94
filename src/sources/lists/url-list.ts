import { open } from 'node:fs/promises'
import { TrawlError } from '../../core/index.ts'
import { storageReason } from '../../storage/index.ts'
import type { ListEntry } from './list-entry.ts'
import { createUrlListParser } from './url-list-parser.ts'

const chunkBytes = 128 * 1024
/** A program that writes a list writes the options of a file together with its line. */
const optionsWithinMs = 200

export interface ReadUrlListOptions {
  /** The name of the list in messages; default is its path, or `standard input` for a stream. */
  readonly name?: string
  /** Told what is passed over without being wrong, such as an option that trawl does not know; once each. */
  readonly notice?: (message: string) => void
  readonly signal?: AbortSignal
}

/**
 * Reads a list of files, lazily: the next piece is read when the next batch is asked for, and memory does not
 * grow with the list. Batches are never empty.
 *
 * The format is UTF-8 text, a byte order mark allowed: one URL a line; several URLs separated by TAB are mirrors
 * of one file; `#` begins a comment at the start of a line or after a blank; blank lines count for nothing; indented
 * `name=value` lines are options of the file above, as in aria2's input files. A line that cannot be used gives
 * a `ListFault` and never stops the rest. The last file is held back until the next line or the end shows that
 * no option follows; of a stream, no longer than a fifth of a second, so that whoever writes one line at a time sees each
 * begin.
 *
 * Throws ERR_INPUT_UNREADABLE when the list cannot be opened or read, or is not text in UTF-8 (UTF-16, gzip),
 * and ERR_CANCELLED when the signal fires.
 */
export async function* readUrlList(
  from: string | AsyncIterable<Uint8Array>,
  options: ReadUrlListOptions = {},
): AsyncGenerator<readonly ListEntry[], void, undefined> {
  const name = options.name ?? (typeof from === 'string' ? from : 'standard input')
  const parser = createUrlListParser({ name, notice: options.notice ?? (() => {}) })
  const chunks =
    typeof from === 'string'
      ? readListBytes(from, name)
      : withPauses(from, () => (parser.isHolding ? optionsWithinMs : undefined))
  let head: Buffer | undefined = Buffer.alloc(0)
  try {
    for await (const bytes of chunks) {
      throwIfCancelled(options.signal)
      if (bytes === 'pause') {
        yield parser.release()
        continue
      }
      let chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      if (head !== undefined) {
        // The mark of the encoding may come in single bytes from a pipe.
        chunk = head.length === 0 ? chunk : Buffer.concat([head, chunk])
        if (chunk.length < 4) {
          head = Buffer.from(chunk)
          continue
        }
        head = undefined
        chunk = skipMark(chunk, name)
      }
      const entries = parser.push(chunk)
      if (entries.length > 0) yield entries
    }
    if (head !== undefined) {
      const entries = parser.push(skipMark(head, name))
      if (entries.length > 0) yield entries
    }
    const entries = parser.end()
    if (entries.length > 0) yield entries
  } catch (error) {
    if (error instanceof TrawlError) throw error
    throwIfCancelled(options.signal)
    throw unreadable(name, error)
  }
}

/** The chunks of a stream, and once in between for each time that the next takes longer than it may. */
async function* withPauses(
  stream: AsyncIterable<Uint8Array>,
  longestMs: () => number | undefined,
): AsyncGenerator<Uint8Array | 'pause', void, undefined> {
  const chunks = stream[Symbol.asyncIterator]()
  let next: Promise<IteratorResult<Uint8Array>> | undefined
  try {
    for (;;) {
      next = chunks.next()
      const ms = longestMs()
      if (ms !== undefined && (await isLate(next, ms))) yield 'pause'
      const result = await next
      next = undefined
      if (result.done === true) return
      yield result.value
    }
  } finally {
    // A stream that is being waited for may never give anything again.
    const closed = chunks.return?.()
    if (next === undefined) await closed
    else void closed?.catch(() => {})
  }
}

async function isLate(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), ms)
  })
  try {
    return await Promise.race([promise.then(() => false), late])
  } finally {
    clearTimeout(timer)
  }
}

/** The bytes of a list. A chunk is good until the next one is asked for. Throws ERR_INPUT_UNREADABLE. */
export async function* readListBytes(path: string, name: string): AsyncGenerator<Buffer, void, undefined> {
  const file = await open(path).catch((error: unknown) => {
    throw unreadable(name, error)
  })
  try {
    // One buffer serves the whole file: the parser copies what it keeps.
    const buffer = Buffer.allocUnsafe(chunkBytes)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, chunkBytes, null)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new TrawlError('ERR_CANCELLED', 'Reading the list was cancelled')
}

/** Checks the first bytes of a list and takes the byte order mark away. */
function skipMark(chunk: Buffer, name: string): Buffer {
  const [a, b, c] = chunk
  if (a === 0xef && b === 0xbb && c === 0xbf) return chunk.subarray(3)
  if (a === 0x1f && b === 0x8b)
    throw notText(
      name,
      'is compressed with gzip',
      'Unpack it first, such as with gzip -dc LIST | trawl get -i -',
    )
  const utf16 = (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff)
  if (utf16 || (chunk.length > 1 && (a === 0 || b === 0))) {
    throw notText(name, 'is UTF-16', 'Save it as UTF-8.')
  }
  return chunk
}

function notText(name: string, what: string, hint: string): TrawlError {
  return new TrawlError('ERR_INPUT_UNREADABLE', `${name} ${what}; a list must be UTF-8 text`, {
    hint,
    context: { file: name },
  })
}

/** ERR_INPUT_UNREADABLE of a list. */
export function unreadable(name: string, cause: unknown): TrawlError {
  return new TrawlError('ERR_INPUT_UNREADABLE', `${name} cannot be read: ${storageReason(cause)}`, {
    cause,
    context: { file: name },
  })
}

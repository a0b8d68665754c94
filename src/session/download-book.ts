import { fromErrorData, TrawlError } from '../core/index.ts'
import type { BookResult } from '../books/index.ts'
import { createTrawl } from './create-trawl.ts'
import type { BookJobOptions } from './book-session.ts'

/** Options of `downloadBook`: all of a book job's, and what most callers want under short names. */
export interface DownloadBookOptions extends Omit<BookJobOptions, 'name' | 'out'> {
  /** Name of the PDF, without folder; `.pdf` is added. Default: from the addresses. */
  readonly name?: string
  /** Called about five times a second with pages done and planned. */
  readonly onProgress?: (done: number, planned: number) => void
}

/**
 * Downloads page images and makes one PDF of them, in order; resolves with its absolute path (that of the first format
 * where others are asked for). Rejects with ERR_BOOK_INCOMPLETE, naming the first page that could not be had, unless
 * `partial` allows holes; with ERR_CANCELLED when the signal fired; and with what ended the job.
 */
export async function downloadBook(
  urls: readonly (string | URL)[],
  options: DownloadBookOptions = {},
): Promise<string> {
  const { name, onProgress, hooks, ...rest } = options
  if (urls.length === 0) throw new TrawlError('ERR_USAGE', 'there are no page addresses')
  const title = name?.replace(/\.pdf$/i, '')
  let result: BookResult | undefined
  const trawl = await createTrawl()
  try {
    const list = { text: `${urls.map(String).join('\n')}\n`, source: 'image-list' }
    const job = trawl.book(list, {
      ...(title === undefined ? {} : { title, out: title }),
      ...rest,
      hooks: {
        ...hooks,
        afterBook: async (book, tools) => {
          result = book
          await hooks?.afterBook?.(book, tools)
        },
      },
    })
    const tell = (): void => {
      const { ok, skipped, failed, planned } = job.progress()
      onProgress?.(ok + skipped + failed, planned)
    }
    const timer = onProgress ? setInterval(tell, 200) : undefined
    const { error, status } = await job.result
    clearInterval(timer)
    tell()
    if (error) throw fromErrorData(error)
    if (status === 'cancelled') throw new TrawlError('ERR_CANCELLED', 'the book was cancelled')
    return pathOf(result)
  } finally {
    await trawl.close()
  }
}

function pathOf(result: BookResult | undefined): string {
  const [path] = result?.files ?? []
  if (path !== undefined) return path
  const missing = result?.missing[0]
  const first =
    missing === undefined ? '' : `; page ${missing.number}, ${missing.url}: ${missing.error.message}`
  if (result?.error === undefined) throw new TrawlError('ERR_INTERNAL', 'the job made no book')
  const { code, message, context } = result.error
  throw new TrawlError(code, `${message}${first}`, context ? { context } : {})
}

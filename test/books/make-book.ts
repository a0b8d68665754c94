import { createHash } from 'node:crypto'
import type { BookResult } from '../../src/books/index.ts'
import type { JobResult } from '../../src/jobs/index.ts'
import { openPack } from '../../src/pack/index.ts'
import { createTrawl, type BookJobOptions } from '../../src/session/index.ts'
import type { SourceInput } from '../../src/sources/index.ts'

/** How a book job ended, with all its works. */
export interface MadeBooks extends JobResult {
  readonly books: readonly BookResult[]
}

/** Runs a book job in a session of its own, with short waits between tries. */
export async function makeBook(
  input: string | SourceInput | readonly (string | SourceInput)[],
  options: BookJobOptions,
): Promise<MadeBooks> {
  const trawl = await createTrawl()
  const books: BookResult[] = []
  try {
    const hooks = { afterBook: (result: BookResult) => void books.push(result) }
    const job = trawl.book(input, { retries: 1, retryDelayMs: 10, maxPerHost: 4, hooks, ...options })
    return { ...(await job.result), books }
  } finally {
    await trawl.close()
  }
}

/** The bytes of all pages of a container, in order. */
export async function pagesOf(path: string): Promise<readonly Buffer[]> {
  const reader = await openPack(path)
  try {
    const pages: Buffer[] = []
    for await (const page of reader.pages()) pages.push(await page.read())
    return pages
  } finally {
    await reader.close()
  }
}

export const digest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
export const digests = (pages: readonly Uint8Array[]): readonly string[] => pages.map(digest)

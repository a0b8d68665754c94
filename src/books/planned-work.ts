import type { BookMetadata, Chapter, Page } from '../core/index.ts'
import type { Source } from '../sources/index.ts'

/** A page of a work, with the chapters that begin at it, outermost first. */
export interface PlannedPage {
  readonly page: Page
  readonly chapters: readonly Chapter[]
}

/** A work that becomes one file in each format. */
export interface PlannedWork {
  /** Stable over runs: a hash of source, work, selection and chapter. */
  readonly id: string
  readonly source: Source
  /** What the user or a link pointed at. */
  readonly input: string
  readonly metadata: BookMetadata
  /** Set where the work is one chapter of a book. */
  readonly chapter?: Chapter
  /** How many pages will come, where the source says so. */
  readonly pageCount?: number
  /** In reading order, once, lazily. Throws ERR_SOURCE_*. */
  readonly pages: AsyncIterable<PlannedPage>
}

/** Pages that are all known, as a work gives them. */
export async function* inOrder(pages: readonly PlannedPage[]): AsyncGenerator<PlannedPage, void, undefined> {
  yield* pages
}

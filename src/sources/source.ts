import type { Book, Chapter, Locator, Page } from '../core/index.ts'

/** What a source says about an input before anything is fetched. */
export interface SourceMatch {
  /** 0 to 1; the best match extracts. Exact knowledge of the host or format is 1, a guess below 0.5. */
  readonly confidence: number
  readonly kind: 'book' | 'series' | 'unknown'
}

/** What the user points at, and the hints that go with it. */
export interface SourceInput {
  /** A URL, a path, a pattern or a list. */
  readonly text: string
  /** Forces one source by name. */
  readonly source?: string
  /** Settings of the source by name, such as `languages` or `series`; those it does not know have no effect. */
  readonly options?: Readonly<Record<string, string>>
}

/** What a source may use. It never builds a client of its own: every request is leased and guarded. */
export interface SourceContext {
  /**
   * Fetches a small document into memory (16 MiB at most). Retries, redirects and limits are the engine's. A status
   * is a value: 401 and 404 resolve. Rejects with what the transport throws, ERR_TOO_LARGE and ERR_CANCELLED.
   */
  fetch(
    url: string,
    options?: { readonly headers?: Readonly<Record<string, string>>; readonly signal?: AbortSignal },
  ): Promise<FetchedDocument>
  readonly signal: AbortSignal
  /**
   * Whether the input itself may be a path of this machine; false where inputs come from strangers, as in a server.
   * What a document refers to is never read from disk.
   */
  readonly localFiles: boolean
  /** Tells people something that is not an error. */
  notice(message: string): void
}

export interface FetchedDocument {
  /** After redirects. */
  readonly url: string
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly bytes: Uint8Array
  readonly text: string
}

/**
 * A stream of what the source found, in reading order. It holds one `book` at most, before its chapters and pages;
 * other works are links. A `chapter` begins at the next page, outermost first. A `link` is another input (a volume
 * of a series) that is extracted on its own, lazily; who follows links remembers which were followed, since they
 * may form circles. Items are yielded as soon as they are known.
 */
export type SourceItem =
  | { readonly type: 'book'; readonly book: Book }
  | { readonly type: 'chapter'; readonly chapter: Chapter }
  | { readonly type: 'page'; readonly page: Page }
  | { readonly type: 'link'; readonly input: SourceInput; readonly title?: string; readonly number?: string }

/** Turns an input into items; never downloads pages itself. Stateless: one source serves all jobs. */
export interface Source {
  readonly name: string
  readonly description: string
  readonly examples: readonly string[]
  /** Cheap: no requests; may look at what is on the disk. */
  match(input: SourceInput): SourceMatch | undefined
  /** Throws ERR_SOURCE_*; requests throw what the transport throws. */
  extract(input: SourceInput, context: SourceContext): AsyncIterable<SourceItem>
  /** Turns a `source` locator of one of its pages into places; again when they expired. */
  readonly resolve?: (
    ref: string,
    reason: 'first' | 'expired',
    context: SourceContext,
  ) => Promise<Exclude<Locator, { readonly kind: 'source' }>>
}

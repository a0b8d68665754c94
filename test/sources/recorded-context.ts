import { TrawlError } from '../../src/core/index.ts'
import type { FetchedDocument, SourceContext } from '../../src/sources/index.ts'

/** A recorded answer: a text, or more than a text. */
export type RecordedAnswer =
  | string
  | {
      readonly text: string
      readonly status?: number
      /** Where redirects end. */
      readonly url?: string
      readonly headers?: FetchedDocument['headers']
    }

export interface RecordedContextOptions {
  readonly signal?: AbortSignal
  /** Default true. */
  readonly localFiles?: boolean
  /** Called before each answer; may wait. */
  readonly onFetch?: (url: string) => void | Promise<void>
}

export interface RecordedContext extends SourceContext {
  /** URLs asked for, in order. */
  readonly requests: readonly string[]
  readonly requestHeaders: readonly Readonly<Record<string, string>>[]
  readonly notices: readonly string[]
}

/**
 * A context that answers from recorded documents by URL, and 404 to everything else. Asynchronous and cancellable as
 * the real one.
 */
export function recordedContext(
  documents: Readonly<Record<string, RecordedAnswer>>,
  options: RecordedContextOptions = {},
): RecordedContext {
  const requests: string[] = []
  const requestHeaders: Readonly<Record<string, string>>[] = []
  const notices: string[] = []
  const signal = options.signal ?? new AbortController().signal
  return {
    requests,
    requestHeaders,
    notices,
    signal,
    localFiles: options.localFiles ?? true,
    notice: (message) => void notices.push(message),
    async fetch(url, fetchOptions = {}) {
      requests.push(url)
      requestHeaders.push(fetchOptions.headers ?? {})
      await new Promise((resolve) => setImmediate(resolve))
      await options.onFetch?.(url)
      if (signal.aborted || fetchOptions.signal?.aborted === true) {
        throw new TrawlError('ERR_CANCELLED', 'The request was cancelled')
      }
      const found = Object.hasOwn(documents, url) ? documents[url] : undefined
      const answer =
        typeof found === 'string' ? { text: found } : (found ?? { text: 'Not found', status: 404 })
      return {
        url: answer.url ?? url,
        status: answer.status ?? 200,
        headers: answer.headers ?? {},
        bytes: Buffer.from(answer.text),
        text: answer.text,
      }
    },
  }
}

import { formatDuration, type JobContext } from '../core/index.ts'
import { retryOptionsOf, type Engine } from '../engine/index.ts'
import type { SourceContext } from '../sources/index.ts'
import type { BookSpec } from './book-spec.ts'

/** Headers that the user wants sent with every request. */
export function commonHeaders(options: BookSpec['options']): Readonly<Record<string, string>> {
  return { ...options.headers, ...(options.referer === undefined ? {} : { referer: options.referer }) }
}

/** A try or two more and a moment are nothing to speak of; else people are told why nothing happens. */
const quietTries = 2
const quietMs = 2000

/** What sources may use in a job: requests go through its engine; what keeps them waiting is told. */
export function sourceContext(
  spec: Pick<BookSpec, 'options' | 'localFiles'>,
  engine: Engine,
  context: Pick<JobContext, 'signal' | 'emit'>,
): SourceContext {
  const { options } = spec
  const common = commonHeaders(options)
  const retry = retryOptionsOf(options)
  const notice = (message: string): void => context.emit({ type: 'job.notice', message })
  return {
    signal: context.signal,
    localFiles: spec.localFiles,
    notice,
    async fetch(url, { headers, signal = context.signal } = {}) {
      const found = await engine.fetchDocument(url, {
        headers: { ...headers, ...common },
        retry,
        onRetry: ({ error, tries, delayMs }) => {
          if (tries <= quietTries && delayMs < quietMs) return
          notice(`${url}: ${error.message}; try ${tries + 1} in ${formatDuration(delayMs)}`)
        },
        signal,
      })
      return { ...found, text: new TextDecoder().decode(found.bytes) }
    },
  }
}

import type { JobContext } from '../core/index.ts'
import { retryOptionsOf, type Engine } from '../engine/index.ts'
import type { SourceContext } from '../sources/index.ts'
import type { BookSpec } from './book-spec.ts'

/** Headers that the user wants sent with every request. */
export function commonHeaders(options: BookSpec['options']): Readonly<Record<string, string>> {
  return { ...options.headers, ...(options.referer === undefined ? {} : { referer: options.referer }) }
}

/** What sources may use in a job: requests go through its engine. */
export function sourceContext(
  spec: Pick<BookSpec, 'options' | 'localFiles'>,
  engine: Engine,
  context: Pick<JobContext, 'signal' | 'emit'>,
): SourceContext {
  const { options } = spec
  const common = commonHeaders(options)
  const retry = retryOptionsOf(options)
  return {
    signal: context.signal,
    localFiles: spec.localFiles,
    notice: (message) => context.emit({ type: 'job.notice', message }),
    async fetch(url, { headers, signal = context.signal } = {}) {
      const found = await engine.fetchDocument(url, { headers: { ...headers, ...common }, signal, retry })
      return { ...found, text: new TextDecoder().decode(found.bytes) }
    },
  }
}

import { fromErrorData, TrawlError, type ErrorData, type ErrorScope, type Retry } from '../core/index.ts'

/** An error as it crosses to another thread or process, with all that the retry policy looks at. */
export interface WireError {
  readonly data: ErrorData
  readonly retry: Retry
  readonly scope: ErrorScope
}

/** The cause stays behind. */
export function toWireError(error: TrawlError): WireError {
  return { data: error.toJSON(), retry: error.retry, scope: error.scope }
}

export function fromWireError({ data, retry, scope }: WireError): TrawlError {
  const { code, message, hint, context, retryAfterMs } = fromErrorData(data)
  const waits = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new TrawlError(code, message, { hint, context, retry, scope, ...waits })
}

import { fromErrorData, TrawlError } from '../../core/index.ts'
import type { LeaseReport } from '../governor/index.ts'
import type { WireError, WireReport } from './protocol.ts'

/** An error as it crosses to another thread or process: its cause stays behind. */
export function toWireError(error: TrawlError): WireError {
  return { data: error.toJSON(), retry: error.retry, scope: error.scope }
}

export function fromWireError({ data, retry, scope }: WireError): TrawlError {
  const { code, message, hint, context, retryAfterMs } = fromErrorData(data)
  const waits = retryAfterMs === undefined ? {} : { retryAfterMs }
  return new TrawlError(code, message, { hint, context, retry, scope, ...waits })
}

export function toWireReport({ result, error }: LeaseReport): WireReport {
  return error === undefined ? { result } : { result, error: toWireError(error) }
}

export function fromWireReport({ result, error }: WireReport): LeaseReport {
  return error === undefined ? { result } : { result, error: fromWireError(error) }
}

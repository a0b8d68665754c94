import type { TrawlError } from '../../core/index.ts'
import type { LeaseReport } from './governor.ts'

/** What to tell the governor of a request that ended with an error. */
export function reportOf(error: TrawlError): LeaseReport {
  if (error.code === 'ERR_CANCELLED') return { result: 'cancelled' }
  if (error.code === 'ERR_HTTP_THROTTLED') return { result: 'throttled', error }
  return { result: 'error', error }
}

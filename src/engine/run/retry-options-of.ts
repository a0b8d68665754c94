import type { RetryOptions as RetryGroupOptions } from '../../config/index.ts'
import type { RetryOptions } from './retry-policy.ts'

/** How often and when a run tries again, as its options say. */
export function retryOptionsOf(
  options: Pick<RetryGroupOptions, 'retries' | 'retryDelayMs' | 'retryMaxDelayMs' | 'retryAfterMaxMs'>,
): RetryOptions {
  return {
    retries: options.retries,
    baseDelayMs: options.retryDelayMs,
    maxDelayMs: options.retryMaxDelayMs,
    maxRetryAfterMs: options.retryAfterMaxMs,
  }
}

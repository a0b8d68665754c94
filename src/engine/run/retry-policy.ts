import { formatDuration, TrawlError } from '../../core/index.ts'

export interface RetryOptions {
  /** Attempts after the first, for errors that may pass. */
  readonly retries: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** A server may ask to wait at most this long; where it asks for more, the file fails. */
  readonly maxRetryAfterMs: number
}

export const defaultRetryOptions: RetryOptions = {
  retries: 5,
  baseDelayMs: 500,
  maxDelayMs: 60_000,
  maxRetryAfterMs: 3_600_000,
}

export type RetryDecision =
  /** `error` says more of why it ends here than the one that was given. */
  | { readonly retry: false; readonly error?: TrawlError }
  /** `spends` is false where the server asked to wait: that is no fault of the file. */
  | {
      readonly retry: true
      readonly delayMs: number
      readonly spends: boolean
      readonly pauseHostMs?: number
    }

/** Waits for throttled hosts do not spend attempts, but do not go on for ever either. */
const maxThrottles = 100

/**
 * Whether and when a failed attempt is made again: exponential backoff with full jitter over its upper half (so
 * that many failures do not come back together), or what the server asked for.
 */
export function decideRetry(
  error: TrawlError,
  tried: { readonly attempts: number; readonly throttles: number },
  options: RetryOptions,
  random: () => number = Math.random,
): RetryDecision {
  if (error.retry === 'never') return { retry: false }
  // To come back sooner than asked would be rude, and to wait for days is not what anybody wants.
  if ((error.retryAfterMs ?? 0) > options.maxRetryAfterMs) return { retry: false, error: tooLate(error) }
  if (error.retry === 'after') {
    if (tried.throttles >= maxThrottles) return { retry: false }
    const delayMs = error.retryAfterMs ?? backoffMs(tried.throttles, options)
    // A fifth more at random: everybody was told the same moment.
    const jitteredMs = delayMs * (1 + 0.2 * random())
    // Who names no time is asked less at once, which the governor sees to; only this file waits.
    if (error.retryAfterMs === undefined) return { retry: true, delayMs: jitteredMs, spends: false }
    return { retry: true, delayMs: 0, spends: false, pauseHostMs: jitteredMs }
  }
  if (tried.attempts > options.retries) return { retry: false }
  const fullMs = backoffMs(tried.attempts - 1, options)
  const delayMs = Math.max(fullMs * (0.5 + 0.5 * random()), error.retryAfterMs ?? 0)
  return { retry: true, delayMs, spends: true }
}

function backoffMs(step: number, options: RetryOptions): number {
  return Math.min(options.maxDelayMs, options.baseDelayMs * 2 ** Math.min(step, 30))
}

function tooLate(error: TrawlError): TrawlError {
  const { code, context, retry, scope, retryAfterMs = 0 } = error
  return new TrawlError(code, `${error.message}; come back in ${formatDuration(retryAfterMs)}`, {
    cause: error,
    context,
    retry,
    scope,
    retryAfterMs,
    hint: 'That is longer than --retry-after-max allows. Raise it, or try again then.',
  })
}

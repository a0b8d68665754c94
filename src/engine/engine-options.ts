import type { Clock } from '../core/index.ts'
import type { Transport, TransportOptions } from '../http/index.ts'
import type { Governor } from './governor/index.ts'
import type { RateLimiter } from './rate-limit/index.ts'
import type { RetryOptions } from './run/retry-policy.ts'
import type { MinSpeed } from './segments/speed-floor.ts'
import type { ExecutorProperties } from './transfer/transfer.ts'

export interface EngineOptions {
  readonly transport: Transport
  readonly governor: Governor
  readonly clock?: Clock
  readonly mode?: ExecutorProperties['mode']
  /** What the modes `threads` and `processes` need: how their workers make requests, and most of them at once. */
  readonly workers?: { readonly transport: TransportOptions; readonly count: number }
  /** The least speed of transfers from a host; a slower one is opened anew. */
  readonly minSpeedOf?: (host: string) => MinSpeed | undefined
  readonly rateLimiter?: RateLimiter
  /** Charge chunks from the start; else from the first `update` that sets a rate, or for items with one. */
  readonly limited?: boolean
  /** How tries at single hosts are repeated, where it differs from what a run says. */
  readonly retryOf?: (host: string) => RetryOptions | undefined
}

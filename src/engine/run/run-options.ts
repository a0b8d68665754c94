import type { Clock, DownloadEventBody, DownloadTask, Resolver } from '../../core/index.ts'
import type { Destination } from '../destination/destination.ts'
import type { Governor } from '../governor/index.ts'
import type { RateLimiter } from '../rate-limit/index.ts'
import type { Executor, StagedTransfer } from '../transfer/transfer.ts'
import type { RetryOptions } from './retry-policy.ts'

export interface RunOptions {
  readonly destination: Destination
  readonly retry: RetryOptions
  /** Of the files whose length is known, small ones go first, as far ahead as the input is read. */
  readonly smallFirst?: boolean
  /** Longest wait for room on a full volume. */
  readonly spaceWaitMs: number
  /** Told of everything but progress; never called for nobody. */
  readonly onEvent?: (event: DownloadEventBody) => void
  /** Per-item events are made only where somebody listens. */
  readonly itemEvents?: () => boolean
  /**
   * Judges staged bytes before they are committed, inside the attempt: what it resolves with becomes the outcome's
   * `value`; a TrawlError refuses the bytes, and the retry policy decides.
   */
  readonly acceptor?: Acceptor
  /**
   * Gives the addresses of tasks that are references, and new ones where the server answers 401, 403 or 410. Tasks with
   * addresses of their own are asked about in the second case only, as the source `url`.
   */
  readonly resolver?: Resolver
  readonly signal: AbortSignal
}

export type Acceptor = (staged: StagedTransfer, task: DownloadTask) => Promise<unknown>

export interface RunParts {
  readonly executor: Executor
  readonly governor: Governor
  readonly clock: Clock
  readonly rateLimiter: RateLimiter
  readonly isLimited: () => boolean
  /** How tries at single hosts are repeated, where it differs from the run's. */
  readonly retryOf?: (host: string) => RetryOptions | undefined
  /** Gives up connections that nobody uses: they hold file descriptors. */
  readonly closeIdle: () => void
  /** Called once when the run is over. */
  readonly onEnd: () => void
}

import type { Digest } from './digest.ts'
import type { ErrorData } from './errors/index.ts'
import type { TaskId } from './task.ts'
import type { TaskRequest } from './task-request.ts'

/**
 * How a task ended. `unfinished` is not a failure: the run stopped before it. The number of tasks planned is
 * always the sum of the four.
 */
export type OutcomeStatus = 'ok' | 'skipped' | 'failed' | 'unfinished'

/** Why nothing was fetched for a skipped task. */
/** `followed` is a Metalink whose files are fetched in its place. */
export type SkipReason = 'finished-before' | 'exists' | 'not-modified' | 'filtered' | 'reused' | 'followed'

/** What is known of one task at its end. A failed outcome has the same fields as a good one, plus `error`. */
export interface Outcome<T = unknown> {
  readonly id: TaskId
  readonly ordinal: number
  readonly status: OutcomeStatus
  /** What the user gave: a URL or a source reference. */
  readonly input: string
  /** Relative to the output root, with `/`; absent when the task never got a name. */
  readonly path?: string
  readonly url?: string
  /** Length of the file; for failures, what is kept for the next run. */
  readonly sizeBytes: number
  /** Body bytes that came over the network in this run, repeats included. */
  readonly fetchedBytes: number
  readonly durationMs: number
  readonly attempts: number
  readonly digest?: Digest
  readonly contentType?: string
  readonly httpStatus?: number
  readonly skipReason?: SkipReason
  readonly error?: ErrorData
  /** What was asked for beyond the input, of failed and unfinished items: enough to try again. */
  readonly request?: TaskRequest
  /** True when the length could not be checked because the server gave none. */
  readonly unverifiedLength?: boolean
  /** What the acceptor made of the bytes; only in memory, for the caller that set the acceptor. */
  readonly value?: T
}

import type { ActiveItem, DownloadEventBody, JobStats, Progress } from './events.ts'
import type { Outcome } from './outcome.ts'

/** What a running job gets from the one that runs it. */
export interface JobContext {
  /** Tells the readers of the job; costs nothing where nobody reads. */
  emit(event: DownloadEventBody): void
  /** True while somebody reads item events, so that they are only made when wanted. */
  wantsItemEvents(): boolean
  /** Fires to end the work now, with resumable state. */
  readonly signal: AbortSignal
}

/** Which outcomes are wanted. */
export interface ItemFilter {
  readonly status?: 'ok' | 'failed'
}

/** Limits that may change while a job runs; what is absent stays as it is. */
export interface JobLimits {
  readonly concurrency?: number | 'auto'
  readonly maxPerHost?: number | 'auto'
  readonly limitRateBps?: number
  readonly limitRatePerHostBps?: number
  readonly limitRatePerItemBps?: number
}

/** Which items a command is meant for; all that are given must match. */
export interface ItemSelector {
  readonly host?: string
  readonly id?: string
}

/**
 * One job at work: what every kind of job gives to the one that runs it. All but `done` and `items` are
 * synchronous and may be called at any time.
 */
export interface JobWork {
  /** Settles when the work has ended and its files are closed; rejects with a TrawlError that ended the whole job. */
  readonly done: Promise<void>
  progress(): Progress
  activeItems(limit: number): readonly ActiveItem[]
  stats(): JobStats
  /** Outcomes so far, from the journal. */
  items(filter?: ItemFilter): AsyncIterable<Outcome>
  /** Starts nothing new and ends when what is active has ended. */
  drain(): void
  pause(which?: ItemSelector): void
  resume(which?: ItemSelector): void
  /** Ends single items; they become `unfinished`. */
  cancel(which: ItemSelector): void
  update(limits: JobLimits): void
}

/** A kind of job: files, a book, a dataset. */
export interface JobKind<Spec> {
  readonly name: string
  /** Throws ERR_CONFIG_*, ERR_INPUT_*, ERR_LOCKED and storage errors before anything is started. */
  run(spec: Spec, context: JobContext): Promise<JobWork>
}

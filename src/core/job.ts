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

/** What a hook of a caller may do beside its own work. */
export interface HookTools {
  /** Tells the readers of the job something. */
  readonly notice: (message: string) => void
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
  readonly requestSpacingMs?: number
}

/** Which items a command is meant for; all that are given must match. */
export interface ItemSelector {
  readonly host?: string
  readonly id?: string
}

/** What to hold or to end, and whether active items may end first. */
export interface PauseRequest extends ItemSelector {
  readonly drain?: boolean
}

/** What may change while a job runs; what is absent stays as it is. */
export interface JobPatch extends JobLimits {
  /** Higher ones start first. */
  readonly priority?: number
  /** Connections at once for one file. */
  readonly split?: number | 'auto'
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
  /** Starts nothing new of what is meant; what is active stops and keeps its bytes, or goes on with `drain`. */
  pause(which?: PauseRequest): void
  resume(which?: ItemSelector): void
  /** Ends items of a host or single ones; they become `unfinished`, at once or with `drain` when active ones end. */
  cancel(which: PauseRequest): void
  /** Limits of the job; with `which`, priority, split and rate of the items that are meant. */
  update(patch: JobPatch, which?: ItemSelector): void
  /** Takes further inputs, in the form of the kind. Absent where the kind takes none. */
  add?(inputs: unknown): void
}

/** A kind of job: files, a book, a dataset. */
export interface JobKind<Spec> {
  readonly name: string
  /** Throws ERR_CONFIG_*, ERR_INPUT_*, ERR_LOCKED and storage errors before anything is started. */
  run(spec: Spec, context: JobContext): Promise<JobWork>
}

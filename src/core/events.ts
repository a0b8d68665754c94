import type { ErrorData } from './errors/index.ts'
import type { Outcome, OutcomeStatus } from './outcome.ts'
import type { TaskId } from './task.ts'

/** Counters of a job at one moment. Planned grows while the input is still being read. */
export interface Progress {
  readonly planned: number
  /** True when the whole input has been read, so that `planned` is final. */
  readonly plannedIsFinal: boolean
  readonly ok: number
  readonly skipped: number
  readonly failed: number
  readonly active: number
  readonly waiting: number
  /** Bytes of finished and active files that are on disk. */
  readonly doneBytes: number
  readonly fetchedBytes: number
  /** Sum of the lengths known so far. */
  readonly knownBytes: number
  /** Mean of the last seconds. */
  readonly speedBps: number
  readonly etaMs?: number
  readonly elapsedMs: number
  readonly hosts: readonly HostProgress[]
  readonly reuse?: ReuseCounts
}

/** Files recognised instead of fetched again: how often looked for, how often found, bytes not fetched. */
export interface ReuseCounts {
  readonly checks: number
  readonly hits: number
  readonly savedBytes: number
}

export interface HostProgress {
  readonly host: string
  readonly active: number
  readonly limit: number
  /** Milliseconds until requests to this host go on; absent when it is not paused. */
  readonly pausedMs?: number
}

/** An item that is being transferred now. */
export interface ActiveItem {
  readonly id: TaskId
  readonly name: string
  readonly doneBytes: number
  readonly sizeBytes?: number
  readonly connections: number
}

interface EventBase {
  /** Grows by one per event of a job; a reader that sees a step knows that it missed something. */
  readonly seq: number
  /** Milliseconds since the job started, on a monotonic clock. */
  readonly atMs: number
}

/** Everything a job tells while it runs. Version 1; JSON as it stands. */
export type DownloadEvent = EventBase & DownloadEventBody

export type DownloadEventBody =
  | { readonly type: 'job.started'; readonly jobId: string; readonly kind: string }
  | { readonly type: 'job.phase'; readonly phase: string; readonly detail?: string }
  | { readonly type: 'job.paused'; readonly reason: string }
  | { readonly type: 'job.resumed' }
  | { readonly type: 'job.notice'; readonly message: string; readonly error?: ErrorData }
  | {
      readonly type: 'job.finished'
      readonly status: JobStatus
      readonly stats: JobStats
      readonly error?: ErrorData
    }
  | { readonly type: 'host.paused'; readonly host: string; readonly forMs: number; readonly reason: string }
  | { readonly type: 'host.resumed'; readonly host: string }
  | { readonly type: 'host.limit'; readonly host: string; readonly limit: number; readonly reason: string }
  | { readonly type: 'volume.paused'; readonly path: string; readonly error: ErrorData }
  | { readonly type: 'volume.resumed'; readonly path: string }
  | { readonly type: 'task.started'; readonly id: TaskId; readonly ordinal: number; readonly input: string }
  | {
      readonly type: 'task.retrying'
      readonly id: TaskId
      readonly input: string
      readonly attempt: number
      readonly delayMs: number
      readonly error: ErrorData
    }
  | { readonly type: 'task.finished'; readonly outcome: Outcome }
  | { readonly type: 'progress'; readonly progress: Progress; readonly items: readonly ActiveItem[] }
  /** The reader was too slow: `missed` item events were dropped; read `job.items(cursor)` for them. */
  | { readonly type: 'gap'; readonly missed: number }

export type JobStatus = 'queued' | 'running' | 'paused' | 'done' | 'partial' | 'failed' | 'cancelled'

/** The sums of a finished job. */
export interface JobStats {
  readonly planned: number
  readonly ok: number
  readonly skipped: number
  readonly failed: number
  readonly unfinished: number
  readonly sizeBytes: number
  readonly fetchedBytes: number
  readonly durationMs: number
  readonly meanSpeedBps: number
  readonly retries: number
  /** Failures by error code. */
  readonly failures: Readonly<Record<string, number>>
  readonly reuse?: ReuseCounts
}

export type OutcomeCounts = Readonly<Record<OutcomeStatus, number>>

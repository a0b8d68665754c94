import type { DownloadTask, TrawlError } from '../../core/index.ts'

/** Tasks one at a time, or in batches where there are millions. Read only as fast as they are started. */
export type TaskInput =
  | AsyncIterable<InputTask | readonly InputTask[]>
  | Iterable<InputTask | readonly InputTask[]>

/** A piece of input: a task, or one that could not be made into a task and is accounted for as failed. */
export type InputTask = DownloadTask | RefusedTask | FilteredTask

/** A task that is not wanted after all: accounted for as skipped, nothing is sent for it. */
export interface FilteredTask {
  readonly id: string
  readonly ordinal: number
  readonly input: string
  readonly filtered: true
}

export interface RefusedTask {
  readonly id: string
  readonly ordinal: number
  readonly input: string
  readonly refused: TrawlError
}

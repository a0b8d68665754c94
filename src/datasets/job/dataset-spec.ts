import type { DatasetCommandOptions } from '../../config/index.ts'

/**
 * A dataset job. `run` plans, makes all shards, and finalizes; `worker` makes shards of a plan that is there; `retry`
 * fetches rows of finished shards again.
 */
export interface DatasetSpec {
  readonly command: 'run' | 'worker' | 'retry'
  /** Files and folders, for `run`. */
  readonly tables: readonly string[]
  readonly options: DatasetCommandOptions
  /** Which rows to fetch again, for `retry`: words as `rowSelector` takes them. */
  readonly statuses?: readonly string[]
}

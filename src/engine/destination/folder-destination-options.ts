import type { DownloadTask, SkipReason } from '../../core/index.ts'
import type { ReuseOptions } from '../reuse/found-files.ts'
import type { EntityFacts } from '../transfer/transfer.ts'
import type { BodyLimits } from './body-limits.ts'
import type { EntityFilter } from './entity-filter.ts'
import type { NamingOptions } from './file-namer.ts'

export interface FolderDestinationOptions extends BodyLimits, NamingOptions {
  /** Other limits for some tasks. */
  readonly bodyLimitsOf?: (task: DownloadTask) => BodyLimits
  /** Files that are not wanted are skipped; it may differ by task. */
  readonly filterOf?: (task: DownloadTask) => EntityFilter
  /** Servers are asked whether finished files have changed. */
  readonly update?: boolean
  /** Files of other folders that are used in place of a transfer. */
  readonly reuse?: ReuseOptions
  /** Asked before a file is named: a reason leaves it out. */
  readonly divert?: (task: DownloadTask, facts: EntityFacts) => SkipReason | undefined
  /** Gives files the modification time that the server told. */
  readonly remoteTime: boolean
}

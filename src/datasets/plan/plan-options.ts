import { freemem } from 'node:os'
import type { Durability } from '../../storage/index.ts'
import type { TableFormat } from '../tables/index.ts'
import type { PlanSetting, RowChoice } from './manifest.ts'

/** What to plan, and where. */
export interface PlanOptions {
  /** Files, and folders of them. */
  readonly tables: readonly string[]
  /** Default: by the names of the files. */
  readonly inputFormat?: TableFormat
  readonly urlCol: string
  readonly captionCol?: string
  readonly saveColumns?: readonly string[]
  /** A condition in SQL over the columns of the tables; rows with a problem pass it. */
  readonly where?: string
  /** `url` leaves out rows whose URL came before. */
  readonly dedup?: 'none' | 'url'
  /** Shuffles; the same seed gives the same order. */
  readonly shuffleSeed?: number
  /** Only so many rows: the first, after filter, dedup and shuffle. */
  readonly slice?: number
  readonly shardSize: number
  /** Digits of shard names. */
  readonly shardDigits: number
  /** The output folder. */
  readonly out: string
  /**
   * Where the folder has a plan: `incremental` (default) goes on with it if it is the same, `extend` puts new
   * shards behind those that are there, `overwrite` removes plan and shards.
   */
  readonly incremental?: 'incremental' | 'extend' | 'overwrite'
  /** What the workers need besides, such as image size and output format; part of what makes two plans the same. */
  readonly settings?: { readonly [key: string]: PlanSetting }
  /** DuckDB goes to the disk beyond this. Default: a quarter of the free memory, 512 MiB to 4 GiB. */
  readonly memoryLimitBytes?: number
  readonly durability?: Durability
  readonly signal?: AbortSignal
}

/** The part of the options that says which rows are planned. */
export function choiceOf(options: PlanOptions): RowChoice {
  const { where, dedup = 'none', shuffleSeed, slice } = options
  return {
    dedup,
    ...(where === undefined ? {} : { where }),
    ...(shuffleSeed === undefined ? {} : { shuffleSeed }),
    ...(slice === undefined ? {} : { slice }),
  }
}

/** The memory DuckDB may use where the caller does not say. */
export function defaultMemoryLimitBytes(): number {
  return Math.min(4 * 1024 ** 3, Math.max(512 * 1024 ** 2, freemem() / 4))
}

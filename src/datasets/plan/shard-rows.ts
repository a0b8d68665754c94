import { join } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { sampleKey } from '../layout/shard-names.ts'
import { openParquet, openRangeSource, type ParquetFile, type RangeSource } from '../parquet/index.ts'
import { problemColumn, type ColumnType } from '../tables/index.ts'
import { planFolder, type PlanManifest, type PlanPart } from './manifest.ts'

/** A value of a further column; JSON columns hold their text. */
export type ColumnValue = string | number | bigint | boolean | null

/** One planned row. */
export interface ShardRow {
  readonly key: string
  /** Position in the shard, from 0. */
  readonly index: number
  /** Empty where the table has none. */
  readonly url: string
  /** Absent where no caption column was asked for. */
  readonly caption?: string | null
  readonly columns: Readonly<Record<string, ColumnValue>>
  /** Why the row cannot be used: file, row and column of the table. It is not fetched, but stays in the outputs. */
  readonly inputError?: string
}

/** Rows of a plan, shard by shard, without DuckDB. Keeps the file it read last open. */
export interface ShardPlan {
  readonly manifest: PlanManifest
  /** Rows of a shard. Throws ERR_USAGE for a shard that is not in the plan. */
  rowCount(shard: number): number
  /** The types of the further columns of a shard. */
  columns(shard: number): readonly { readonly name: string; readonly type: ColumnType }[]
  /**
   * The rows of a shard in order, or those of a range (`end` is exclusive). Throws ERR_INPUT_UNREADABLE where the plan
   * is damaged, and storage errors.
   */
  rows(shard: number, range?: { readonly start: number; readonly end: number }): Promise<ShardRow[]>
  close(): Promise<void>
}

export interface ShardPlanOptions {
  /** Opens a file of the plan by its path relative to the folder of the manifest. Default: from `out`. */
  readonly openFile?: (path: string) => Promise<RangeSource>
}

/** Opens the rows of a plan that was read from `out` (or from a store, with `openFile`). */
export function openShardPlan(
  out: string,
  manifest: PlanManifest,
  options: ShardPlanOptions = {},
): ShardPlan {
  return new FileShardPlan(
    manifest,
    options.openFile ?? ((path) => openRangeSource(join(out, planFolder, path))),
  )
}

class FileShardPlan implements ShardPlan {
  readonly manifest: PlanManifest
  readonly #openFile: (path: string) => Promise<RangeSource>
  #open: { readonly path: string; readonly file: ParquetFile } | undefined
  /** Calls share the open file, so they take turns. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(manifest: PlanManifest, openFile: (path: string) => Promise<RangeSource>) {
    this.manifest = manifest
    this.#openFile = openFile
  }

  rowCount(shard: number): number {
    const part = this.#part(shard)
    const start = (shard - part.firstShard) * this.manifest.shardSize
    return Math.min(this.manifest.shardSize, part.rowCount - start)
  }

  columns(shard: number): PlanPart['columns'] {
    return this.#part(shard).columns
  }

  async rows(
    shard: number,
    range: { readonly start: number; readonly end: number } = { start: 0, end: Infinity },
  ): Promise<ShardRow[]> {
    const part = this.#part(shard)
    const first = (shard - part.firstShard) * this.manifest.shardSize
    const end = first + Math.min(range.end, this.rowCount(shard))
    const reading = this.#turn.then(() => this.#range(part, first + range.start, end))
    this.#turn = reading.catch(() => {})
    const raw = await reading
    return raw.map((row, i) => this.#shardRow(shard, range.start + i, { row, part }))
  }

  async close(): Promise<void> {
    await this.#turn
    await this.#open?.file.close()
    this.#open = undefined
  }

  #part(shard: number): PlanPart {
    const part = this.manifest.parts.find(
      ({ firstShard, shardCount }) => shard >= firstShard && shard < firstShard + shardCount,
    )
    if (part && Number.isInteger(shard)) return part
    throw new TrawlError('ERR_USAGE', `the plan has no shard ${shard}`, { context: { shard } })
  }

  async #range(part: PlanPart, start: number, end: number): Promise<Record<string, unknown>[]> {
    const out: Record<string, unknown>[] = []
    let first = 0
    for (const { path, rows } of part.files) {
      const from = Math.max(start, first)
      const to = Math.min(end, first + rows)
      if (from < to) {
        const file = await this.#file(path)
        for (const row of await file.read({ start: from - first, end: to - first })) out.push(row)
      }
      first += rows
      if (first >= end) break
    }
    return out
  }

  async #file(path: string): Promise<ParquetFile> {
    if (this.#open?.path === path) return this.#open.file
    await this.#open?.file.close()
    this.#open = undefined
    const file = await openParquet(await this.#openFile(path))
    this.#open = { path, file }
    return file
  }

  #shardRow(shard: number, index: number, from: { row: Record<string, unknown>; part: PlanPart }): ShardRow {
    const { row, part } = from
    const caption = row['caption']
    const problem = row[problemColumn]
    return {
      key: sampleKey(shard, index, this.manifest),
      index,
      url: typeof row['url'] === 'string' ? row['url'].trim() : '',
      ...(this.manifest.captionCol === null ? {} : { caption: typeof caption === 'string' ? caption : null }),
      columns: Object.fromEntries(part.columns.map(({ name }) => [name, columnValue(row[name])])),
      ...(typeof problem === 'string' ? { inputError: problem } : {}),
    }
  }
}

function columnValue(value: unknown): ColumnValue {
  const plain = typeof value
  if (plain === 'object' || plain === 'undefined') return null
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the planner writes these types alone
  return value as ColumnValue
}

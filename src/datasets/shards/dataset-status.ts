import { isTrawlError } from '../../core/index.ts'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import type { PlanManifest, PlanPart } from '../plan/index.ts'
import type { ShardFolder } from './shard-folder.ts'
import { readShardState, type ShardState } from './shard-state.ts'
import { parseShardStats, type ShardStats } from './shard-stats.ts'

/** How far a dataset is: the sum of the stats of its shards. */
export interface DatasetStatus {
  readonly shards: { readonly planned: number; readonly committed: number }
  readonly rows: {
    readonly planned: number
    readonly done: number
    readonly success: number
    readonly failed_to_download: number
    readonly failed_to_resize: number
  }
  /** Rows of each row code, the most frequent first. */
  readonly codes: Readonly<Record<string, number>>
  readonly attempts: number
  readonly fetchedBytes: number
  readonly imageBytes: number
  /** Seconds since 1970; undefined before the first shard is done. */
  readonly startTime?: number
  readonly endTime?: number
  /** Stats files that cannot be used, with the reason: of another plan, or damaged. */
  readonly faults: readonly string[]
}

const readsAtOnce = 16

/** Adds up the stats of all shards. Throws storage errors; a bad stats file is a fault in the result. */
export async function readDatasetStatus(folder: ShardFolder, manifest: PlanManifest): Promise<DatasetStatus> {
  const state = await readShardState(folder, manifest)
  const sum = new StatusSum()
  const shards = state.committed()
  const readNext = async (): Promise<void> => {
    for (const shard of shards) {
      const name = shardFiles(shardName(shard, manifest)).stats
      try {
        sum.add(shard, parseShardStats(await folder.readText(name), name), partOf(manifest, shard))
      } catch (error) {
        if (!isTrawlError(error)) throw error
        sum.faults.push(error.message)
      }
    }
  }
  await Promise.all(Array.from({ length: readsAtOnce }, readNext))
  return sum.status(state, manifest)
}

/** The part of a plan that a shard belongs to. */
export function partOf(manifest: PlanManifest, shard: number): PlanPart | undefined {
  return manifest.parts.find((part) => shard >= part.firstShard && shard < part.firstShard + part.shardCount)
}

class StatusSum {
  readonly faults: string[] = []
  readonly #codes = new Map<string, number>()
  #rows = { done: 0, success: 0, failed_to_download: 0, failed_to_resize: 0 }
  #attempts = 0
  #fetchedBytes = 0
  #imageBytes = 0
  #start = Infinity
  #end = -Infinity

  add(shard: number, stats: ReturnType<typeof parseShardStats>, part: PlanPart | undefined): void {
    const trawl: Partial<ShardStats['trawl']> = stats.trawl ?? {}
    if (trawl.plan !== part?.hash) {
      this.faults.push(`shard ${shard} belongs to another plan`)
      return
    }
    const rows = this.#rows
    this.#rows = {
      done: rows.done + stats.count,
      success: rows.success + stats.successes,
      failed_to_download: rows.failed_to_download + stats.failed_to_download,
      failed_to_resize: rows.failed_to_resize + stats.failed_to_resize,
    }
    for (const [code, count] of Object.entries(stats.status_dict)) {
      this.#codes.set(code, (this.#codes.get(code) ?? 0) + count)
    }
    this.#attempts += trawl.attempts ?? 0
    this.#fetchedBytes += trawl.fetchedBytes ?? 0
    this.#imageBytes += trawl.imageBytes ?? 0
    this.#start = Math.min(this.#start, stats.start_time)
    this.#end = Math.max(this.#end, stats.end_time)
  }

  status(state: ShardState, manifest: PlanManifest): DatasetStatus {
    return {
      shards: { planned: state.plannedCount, committed: state.committedCount },
      rows: { planned: manifest.rowCount, ...this.#rows },
      codes: Object.fromEntries([...this.#codes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
      attempts: this.#attempts,
      fetchedBytes: this.#fetchedBytes,
      imageBytes: this.#imageBytes,
      ...(this.#end < 0 ? {} : { startTime: this.#start, endTime: this.#end }),
      faults: this.faults.sort(),
    }
  }
}

import { shardName, shardOfStats } from '../layout/shard-names.ts'
import type { PlanManifest } from '../plan/index.ts'
import type { ShardFolder } from './shard-folder.ts'

/** Which shards of a plan are done: those with a stats file. One byte a shard. */
export interface ShardState {
  readonly plannedCount: number
  readonly committedCount: number
  isCommitted(shard: number): boolean
  /** Shards of the plan that are to be done, ascending. */
  missing(): IterableIterator<number>
  /** Shards of the plan that are done, ascending. */
  committed(): IterableIterator<number>
}

/** Reads the state from the names in the folder. Other files, also other `_stats.json`, are passed over. */
export async function readShardState(folder: ShardFolder, manifest: PlanManifest): Promise<ShardState> {
  const unplanned = 0
  const waiting = 1
  const done = 2
  const state = new Uint8Array(manifest.shardCount)
  for (const { firstShard, shardCount } of manifest.parts)
    state.fill(waiting, firstShard, firstShard + shardCount)
  let committedCount = 0
  for (const name of await folder.list()) {
    const shard = shardOfStats(name)
    if (shard === undefined || state[shard] !== waiting) continue
    // `7_stats.json` beside shards of five digits is another program's.
    if (!name.startsWith(`${shardName(shard, manifest)}_`)) continue
    state[shard] = done
    committedCount++
  }
  const inState = function* (wanted: number): IterableIterator<number> {
    for (let shard = 0; shard < state.length; shard++) if (state[shard] === wanted) yield shard
  }
  return {
    plannedCount: state.reduce((count, value) => count + Number(value !== unplanned), 0),
    committedCount,
    isCommitted: (shard) => state[shard] === done,
    missing: () => inState(waiting),
    committed: () => inState(done),
  }
}

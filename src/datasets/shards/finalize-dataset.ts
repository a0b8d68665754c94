import { join } from 'node:path'
import { formats, TrawlError } from '../../core/index.ts'
import type { Durability } from '../../storage/index.ts'
import { writeWhole } from '../layout/write-whole.ts'
import type { PlanManifest } from '../plan/index.ts'
import { readDatasetStatus, type DatasetStatus } from './dataset-status.ts'
import { localFolder } from './shard-folder.ts'
import { readShardState } from './shard-state.ts'
import { finishSwaps } from './shard-target.ts'

export interface FinalizeOptions {
  /** Also where shards are missing. */
  readonly allowMissing?: boolean
  readonly durability?: Durability
}

/**
 * Checks that all shards of a plan are there and writes their sum to `stats.json`. Throws ERR_SHARD_INCOMPLETE where
 * shards are missing or cannot be used, and storage errors.
 */
export async function finalizeDataset(
  out: string,
  manifest: PlanManifest,
  options: FinalizeOptions = {},
): Promise<DatasetStatus> {
  const { durability = 'batch' } = options
  finishSwaps(out, durability)
  const folder = localFolder(out)
  const status = await readDatasetStatus(folder, manifest)
  const { planned, committed } = status.shards
  if (options.allowMissing !== true && (committed < planned || status.faults.length > 0)) {
    const missing = [...(await readShardState(folder, manifest)).missing()].slice(0, 5)
    const shown =
      missing.length === 0 ? status.faults.slice(0, 5).join('; ') : `missing: ${missing.join(', ')}`
    throw new TrawlError('ERR_SHARD_INCOMPLETE', `${committed} of ${planned} shards are done; ${shown}`, {
      context: { path: out },
    })
  }
  const stats = {
    format: 'trawl-dataset-stats',
    version: formats.shardStats,
    plan: manifest.configHash,
    ...status,
  }
  writeWhole(join(out, 'stats.json'), `${JSON.stringify(stats, null, 2)}\n`, durability)
  return status
}

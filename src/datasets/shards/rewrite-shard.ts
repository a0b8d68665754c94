import { TrawlError } from '../../core/index.ts'
import type { Durability } from '../../storage/index.ts'
import type { SampleRun } from '../samples/index.ts'
import { partOf } from './dataset-status.ts'
import { readShard, type FinishedSample, type ReadShardOptions } from './read-shard.ts'
import type { ShardStats } from './shard-stats.ts'
import { createShardWriter } from './shard-writer.ts'

export interface RewriteShardOptions extends ReadShardOptions {
  /** The rows that were fetched again, in plan order. */
  readonly replacements: AsyncIterable<FinishedSample>
  readonly durability?: Durability
}

/**
 * Makes a finished shard again from what it holds and from rows that were fetched again, and replaces it as a whole;
 * until then, and where anything fails, the old one stays. Attempts and bytes of both runs add up. Memory stays flat.
 * The result has the bytes of a shard whose rows had all come at once.
 *
 * Throws ERR_INTERNAL for replacements out of order, ERR_PACK_DAMAGED where the shard does not fit the plan,
 * ERR_INPUT_UNREADABLE and storage errors.
 */
export async function rewriteShard(options: RewriteShardOptions): Promise<ShardStats> {
  const { out, shard, plan, layout, durability = 'batch' } = options
  const writer = await createShardWriter({
    folder: out,
    shard,
    naming: plan.manifest,
    layout,
    rows: plan.rowCount(shard),
    planHash: partOf(plan.manifest, shard)?.hash ?? '',
    durability,
  })
  const fresh = options.replacements[Symbol.asyncIterator]()
  try {
    let next = await fresh.next()
    for await (const old of readShard(options)) {
      if (next.done === true || next.value.sample.row.index !== old.sample.row.index) {
        await writer.add(old.sample, old.run)
        continue
      }
      await writer.add(next.value.sample, bothRuns(old.run, next.value.run))
      next = await fresh.next()
    }
    if (next.done !== true) {
      const { index } = next.value.sample.row
      throw new TrawlError('ERR_INTERNAL', `shard ${shard}: row ${index} came again out of order`)
    }
    return await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  } finally {
    await fresh.return?.()
  }
}

function bothRuns(old: SampleRun, fresh: SampleRun): SampleRun {
  return {
    ...fresh,
    attempts: old.attempts + fresh.attempts,
    fetchedBytes: old.fetchedBytes + fresh.fetchedBytes,
  }
}

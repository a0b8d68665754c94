import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createShardWriter, type ShardStats } from '../../../src/datasets/shards/index.ts'
import type { Sample, SampleLayout } from '../../../src/datasets/samples/index.ts'
import { layout, run, sample } from '../samples/sample-case.ts'

export const naming = { shardSize: 20, shardDigits: 4 }

/** Writes one shard of 20 rows. */
export async function writeShard(
  folder: string,
  options: { shard?: number; layout?: Partial<SampleLayout>; sample?: (index: number) => Sample } = {},
): Promise<ShardStats> {
  const writer = await createShardWriter({
    folder,
    shard: options.shard ?? 0,
    naming,
    layout: { ...layout, ...options.layout },
    rows: 20,
    planHash: 'plan',
    durability: 'none',
  })
  for (let index = 0; index < 20; index++) await writer.add((options.sample ?? sample)(index), run(index))
  return writer.finish()
}

/** Digests of all files below a folder that do not hold times. */
export function stableFiles(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !/_(log\.parquet|stats\.json)$/.test(entry.name))
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return [path.slice(folder.length + 1), createHash('sha256').update(readFileSync(path)).digest('hex')]
      }),
  )
}

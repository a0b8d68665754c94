import { join } from 'node:path'
import {
  openShardPlan,
  planDataset,
  type PlanManifest,
  type PlanOptions,
  type ShardRow,
} from '../../../src/datasets/plan/index.ts'
import {
  createParquetWriter,
  type ParquetColumn,
  type ParquetValue,
} from '../../../src/datasets/parquet/index.ts'
import { tempFolder } from '../temp-folder.ts'

/** Plans into a new folder, or into `out`. */
export async function plan(
  options: Partial<PlanOptions> & { tables: string[] },
): Promise<{ out: string; manifest: PlanManifest }> {
  const out = options.out ?? join(tempFolder(), 'out')
  const manifest = await planDataset({
    urlCol: 'url',
    shardSize: 10,
    shardDigits: 5,
    durability: 'none',
    ...options,
    out,
  })
  return { out, manifest }
}

/** All rows of a plan in order. */
export async function allRows(out: string, manifest: PlanManifest): Promise<ShardRow[]> {
  const shards = openShardPlan(out, manifest)
  const rows: ShardRow[] = []
  for (const part of manifest.parts) {
    for (let shard = part.firstShard; shard < part.firstShard + part.shardCount; shard++) {
      rows.push(...(await shards.rows(shard)))
    }
  }
  await shards.close()
  return rows
}

/** Plans and gives all rows. */
export async function plannedRows(options: Partial<PlanOptions> & { tables: string[] }): Promise<ShardRow[]> {
  const { out, manifest } = await plan(options)
  return allRows(out, manifest)
}

/** Writes a Parquet table. */
export async function parquetTable(
  path: string,
  columns: readonly ParquetColumn[],
  rows: readonly (readonly ParquetValue[])[],
): Promise<string> {
  const writer = await createParquetWriter({ path, columns })
  for (const row of rows) writer.add(row)
  writer.finish()
  return path
}

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openParquet } from '../../../src/datasets/parquet/index.ts'
import { openShardPlan } from '../../../src/datasets/plan/index.ts'
import type { SampleLayout } from '../../../src/datasets/samples/index.ts'
import {
  localFolder,
  readShardStats,
  rewriteShard,
  selectRetryRows,
  type FinishedSample,
} from '../../../src/datasets/shards/index.ts'
import {
  calm,
  fetchRow,
  makeShards,
  planCase,
  storm,
  type DatasetCase,
  type Weather,
} from './dataset-case.ts'
import { stableFiles } from './shard-case.ts'

async function retry(given: DatasetCase, weather: Weather, statuses: string[]): Promise<void> {
  const plan = openShardPlan(given.out, given.manifest)
  for await (const { shard, indexes } of selectRetryRows(localFolder(given.out), given.manifest, statuses)) {
    const rows = (await plan.rows(shard)).filter((row) => indexes.includes(row.index))
    const replacements = (async function* (): AsyncIterableIterator<FinishedSample> {
      for (const row of rows) yield fetchRow(row, weather)
    })()
    await rewriteShard({
      out: given.out,
      shard,
      plan,
      layout: given.layout,
      replacements,
      durability: 'none',
    })
  }
  await plan.close()
}

describe('rewriteShard', () => {
  it.each([
    ['webdataset', { tarIndex: true }],
    ['webdataset', { encodeFormat: 'webp', captions: true }],
    ['parquet', {}],
    ['parquet', { parquetImages: 'struct' }],
    ['files', {}],
    ['files', { folderSize: 6, nameFormat: 'url' }],
  ] satisfies [SampleLayout['outputFormat'], Partial<SampleLayout>][])(
    'gives a %s shard the bytes it would have if all had come at once (%j)',
    async (outputFormat, patch) => {
      const [given, fresh] = [
        await planCase({ outputFormat, ...patch }),
        await planCase({ outputFormat, ...patch }),
      ]
      await makeShards(given, storm)
      await makeShards(fresh, calm)
      expect(stableFiles(given.out)).not.toEqual(stableFiles(fresh.out))
      await retry(given, calm, ['http_5xx'])
      expect(stableFiles(given.out)).toEqual(stableFiles(fresh.out))
      expect(readdirSync(given.out).filter((name) => name.startsWith('.') && name !== '.trawl')).toEqual([])
      expect(readdirSync(join(given.out, '.trawl', 'swaps'))).toEqual([])
    },
  )

  it('adds attempts and bytes up, and keeps the log of the others', async () => {
    const given = await planCase()
    await makeShards(given, storm)
    const before = readShardStats(join(given.out, '00000_stats.json'))
    await retry(given, calm, ['http_5xx'])
    const after = readShardStats(join(given.out, '00000_stats.json'))
    expect(after.successes).toBe(before.successes + 3)
    expect(after.trawl).toMatchObject({ attempts: 23, fetchedBytes: 11_500 })
    const log = await openParquet(join(given.out, '00000_log.parquet'))
    const rows = await log.read({ columns: ['attempts', 'error_code'] })
    await log.close()
    expect(rows.slice(4, 8)).toEqual([
      { attempts: 1, error_code: null },
      { attempts: 2, error_code: null },
      { attempts: 1, error_code: null },
      { attempts: 1, error_code: 'http_404' },
    ])
  })

  it('leaves the old shard where anything fails', async () => {
    const given = await planCase()
    await makeShards(given, storm, [0])
    const before = stableFiles(given.out)
    const plan = openShardPlan(given.out, given.manifest)
    const rows = await plan.rows(0)
    const rewrite = (replacements: AsyncIterable<FinishedSample>) =>
      rewriteShard({ out: given.out, shard: 0, plan, layout: given.layout, replacements, durability: 'none' })
    const backwards = (async function* (): AsyncIterableIterator<FinishedSample> {
      for (const row of rows.toReversed()) yield fetchRow(row, calm)
    })()
    await expect(rewrite(backwards)).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
    const broken = (async function* (): AsyncIterableIterator<FinishedSample> {
      for (const row of rows.slice(0, 2)) yield fetchRow(row, calm)
      throw new Error('unplugged')
    })()
    await expect(rewrite(broken)).rejects.toThrow('unplugged')
    expect(stableFiles(given.out)).toEqual(before)
    const tar = readFileSync(join(given.out, '00000.tar'))
    writeFileSync(join(given.out, '00000.tar'), tar.subarray(0, 4096))
    await expect(rewrite((async function* () {})())).rejects.toMatchObject({ code: 'ERR_PACK_DAMAGED' })
    await plan.close()
  })
})

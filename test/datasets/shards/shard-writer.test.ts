import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openParquet } from '../../../src/datasets/parquet/index.ts'
import type { Sample } from '../../../src/datasets/samples/index.ts'
import { createShardWriter, finishSwaps, readShardStats } from '../../../src/datasets/shards/index.ts'
import { layout, row, run, sample } from '../samples/sample-case.ts'
import { tempFolder } from '../temp-folder.ts'
import { naming, stableFiles, writeShard } from './shard-case.ts'

async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  const file = await openParquet(path)
  const rows = await file.read()
  await file.close()
  return rows
}

/** As `sample`, but every row succeeds. */
function healed(index: number): Sample {
  const good = index % 10 === 4 || index % 10 === 9 ? index - 1 : index
  return { ...sample(good), row: row(index) }
}

describe('createShardWriter', () => {
  it.each([
    ['webdataset', ['0000.parquet', '0000.tar', '0000_log.parquet', '0000_stats.json']],
    ['parquet', ['0000.parquet', '0000_log.parquet', '0000_stats.json']],
    ['files', ['0000', '0000.parquet', '0000_log.parquet', '0000_stats.json']],
  ] as const)('lays %s out as img2dataset does', async (outputFormat, names) => {
    const folder = tempFolder()
    const stats = await writeShard(folder, { layout: { outputFormat } })
    expect(readdirSync(folder).sort()).toEqual(names)
    expect(stats).toMatchObject({
      count: 20,
      successes: 16,
      failed_to_download: 2,
      failed_to_resize: 2,
      status_dict: { success: 16, http_404: 2, decode: 2 },
      start_time: 1_700_000_000,
      duration: 1.95,
    })
    expect(readShardStats(join(folder, '0000_stats.json'))).toEqual(stats)
    const rows = await rowsOf(join(folder, '0000.parquet'))
    expect(rows).toHaveLength(20)
    expect(rows[4]).toMatchObject({
      key: '000004',
      status: 'failed_to_download',
      error_code: 'http_404',
      error_message: 'http_404: The server has no such file (404 or 410).',
      http_status: 404,
      width: null,
    })
    expect(rows[0]).toMatchObject({
      n: 2n ** 60n,
      status: 'success',
      error_message: null,
      original_bytes: 1000n,
    })
    const log = await rowsOf(join(folder, '0000_log.parquet'))
    expect(log[1]).toMatchObject({
      key: '000001',
      host: 'host1.test',
      attempts: 2,
      duration_ms: 50,
      fetched_bytes: 1000n,
    })
    expect(log[1]?.['started_at']).toEqual(new Date(1_700_000_000_100))
  })

  it('gives equal data for equal samples; times are in log and stats alone', async () => {
    for (const outputFormat of ['webdataset', 'parquet', 'files'] as const) {
      const [a, b] = [tempFolder(), tempFolder()]
      await writeShard(a, { layout: { outputFormat } })
      await writeShard(b, { layout: { outputFormat } })
      expect(stableFiles(a)).toEqual(stableFiles(b))
    }
  })

  it('takes rows in plan order, all of them, or commits nothing', async () => {
    const folder = tempFolder()
    const writer = await createShardWriter({ folder, shard: 0, naming, layout, rows: 20, planHash: 'p' })
    await writer.add(sample(0), run(0))
    await expect(writer.add(sample(2), run(2))).rejects.toMatchObject({ code: 'ERR_INTERNAL' })
    await expect(writer.finish()).rejects.toMatchObject({ code: 'ERR_SHARD_INCOMPLETE' })
    await writer.abort()
    expect(readdirSync(folder)).toEqual([])
  })

  it('replaces a committed shard as a whole', async () => {
    for (const outputFormat of ['webdataset', 'files'] as const) {
      const [folder, fresh] = [tempFolder(), tempFolder()]
      await writeShard(folder, { layout: { outputFormat } })
      await writeShard(folder, { layout: { outputFormat }, sample: healed })
      await writeShard(fresh, { layout: { outputFormat }, sample: healed })
      expect(stableFiles(folder)).toEqual(stableFiles(fresh))
      expect(readShardStats(join(folder, '0000_stats.json')).successes).toBe(20)
      expect(readdirSync(folder).filter((name) => name.startsWith('.') && name !== '.trawl')).toEqual([])
    }
  })

  it('ends a replacement that a crash broke off', async () => {
    const [folder, fresh] = [tempFolder(), tempFolder()]
    await writeShard(folder)
    await writeShard(fresh, { layout: { exif: false } })
    // As after a crash between the first and the second rename.
    mkdirSync(join(folder, '.trawl', 'swaps'), { recursive: true })
    renameSync(join(fresh, '0000.tar'), join(folder, '0000.tar'))
    renameSync(join(fresh, '0000.parquet'), join(folder, '.0000.parquet.tmp'))
    const stats = readFileSync(join(fresh, '0000_stats.json'), 'utf8')
    const record = {
      version: 1,
      renames: [
        { from: '.0000.tar.tmp', to: '0000.tar' },
        { from: '.0000.parquet.tmp', to: '0000.parquet' },
      ],
      stats: { name: '0000_stats.json', text: stats },
    }
    writeFileSync(join(folder, '.trawl', 'swaps', '0000_stats.json.swap'), JSON.stringify(record))
    finishSwaps(folder, 'none')
    const rows = await rowsOf(join(folder, '0000.parquet'))
    expect(rows[0]).not.toHaveProperty('exif')
    expect(readFileSync(join(folder, '0000_stats.json'), 'utf8')).toBe(stats)
    expect(existsSync(join(folder, '.trawl', 'swaps', '0000_stats.json.swap'))).toBe(false)
    finishSwaps(folder, 'none')
  })
})

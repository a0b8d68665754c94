import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tableFromArrays, tableToIPC } from 'apache-arrow'
import { describe, expect, it } from 'vitest'
import { manifestPath, readManifest } from '../../../src/datasets/plan/index.ts'
import { tempFolder } from '../temp-folder.ts'
import { allRows, parquetTable, plan, plannedRows } from './plan-case.ts'

async function numbers(count: number, name = 't.parquet'): Promise<string> {
  const rows = Array.from({ length: count }, (_, i) => [`http://h/${i % 80}`, i] as const)
  const columns = [
    { name: 'url', type: 'string' },
    { name: 'n', type: 'int32' },
  ] as const
  return parquetTable(join(tempFolder(), name), columns, rows)
}

function digest(folder: string): string {
  const hash = createHash('sha256')
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)))
  }
  return hash.digest('hex')
}

describe('planDataset', () => {
  it('cuts rows into shards with keys of shard and index', async () => {
    const { out, manifest } = await plan({ tables: [await numbers(25)], saveColumns: ['n'] })
    expect(manifest).toMatchObject({ shardCount: 3, rowCount: 25, version: 1, format: 'trawl-shard-plan' })
    const rows = await allRows(out, manifest)
    expect(rows.map((row) => row.columns['n'])).toEqual(Array.from({ length: 25 }, (_, i) => i))
    expect([rows[9]?.key, rows[10]?.key, rows[24]?.key]).toEqual(['000009', '000010', '000024'])
  })

  it('gives equal bytes for equal tables and options, in one folder after another', async () => {
    const path = await numbers(30_000)
    const options = { tables: [path], dedup: 'url', shuffleSeed: 5, where: 'n % 3 <> 0' } as const
    const [a, b] = [await plan({ ...options, tables: [path] }), await plan({ ...options, tables: [path] })]
    expect(digest(join(a.out, '.trawl'))).toBe(digest(join(b.out, '.trawl')))
    const other = await plan({ ...options, tables: [path], shuffleSeed: 6 })
    expect(digest(join(a.out, '.trawl'))).not.toBe(digest(join(other.out, '.trawl')))
    expect(other.manifest.configHash).not.toBe(a.manifest.configHash)
  })

  it('filters, takes the first of equal URLs, shuffles and slices, in this order', async () => {
    const path = await numbers(200)
    const n = async (options: object): Promise<unknown[]> =>
      (await plannedRows({ tables: [path], saveColumns: ['n'], ...options })).map((row) => row.columns['n'])
    expect(await n({ slice: 5 })).toEqual([0, 1, 2, 3, 4])
    expect(await n({ where: 'n >= 100', slice: 2 })).toEqual([100, 101])
    expect(await n({ dedup: 'url' })).toEqual(Array.from({ length: 80 }, (_, i) => i))
    const shuffled = await n({ shuffleSeed: 1 })
    expect(shuffled).not.toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect(shuffled.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, i) => i))
    expect(await n({ shuffleSeed: 1, slice: 3 })).toEqual(shuffled.slice(0, 3))
  })

  it('reads shards that cross row groups and files', async () => {
    const path = await numbers(400_000)
    const { out, manifest } = await plan({ tables: [path], saveColumns: ['n'], shardSize: 100_000 })
    expect(manifest.parts[0]?.files.length).toBeGreaterThan(1)
    const rows = await allRows(out, manifest)
    expect(rows.every((row, i) => row.columns['n'] === i)).toBe(true)
    expect(rows).toHaveLength(400_000)
  })

  it('leaves the same plan alone and refuses another', async () => {
    const path = await numbers(25)
    const { out, manifest } = await plan({ tables: [path], settings: { imageSizePx: 256 } })
    const before = digest(join(out, '.trawl'))
    expect((await plan({ tables: [path], out, settings: { imageSizePx: 256 } })).manifest).toEqual(manifest)
    expect(digest(join(out, '.trawl'))).toBe(before)
    await expect(plan({ tables: [path], out, settings: { imageSizePx: 512 } })).rejects.toMatchObject({
      code: 'ERR_PLAN_MISMATCH',
      message: 'the folder holds a dataset of another plan: imageSizePx changed',
    })
    await expect(
      plan({ tables: [path], out, slice: 3, settings: { imageSizePx: 256 } }),
    ).rejects.toMatchObject({ code: 'ERR_PLAN_MISMATCH' })
    await expect(
      plan({ tables: [await numbers(26)], out, settings: { imageSizePx: 256 } }),
    ).rejects.toMatchObject({ code: 'ERR_PLAN_MISMATCH' })
    expect(digest(join(out, '.trawl'))).toBe(before)
  })

  it('extends with new shards behind those that are there', async () => {
    const [first, second] = [await numbers(25), await numbers(12, 'u.parquet')]
    const { out } = await plan({ tables: [first], saveColumns: ['n'] })
    const { manifest } = await plan({ tables: [second], out, saveColumns: ['n'], incremental: 'extend' })
    expect(manifest.parts.map((part) => [part.firstShard, part.shardCount])).toEqual([
      [0, 3],
      [3, 2],
    ])
    const rows = await allRows(out, manifest)
    expect(rows).toHaveLength(37)
    expect(rows[25]).toMatchObject({ key: '000030', columns: { n: 0 } })
    const again = await plan({ tables: [second], out, saveColumns: ['n'], incremental: 'extend' })
    expect(again.manifest).toEqual(manifest)
    expect((await plan({ tables: [first], out, saveColumns: ['n'] })).manifest).toEqual(manifest)
  })

  it('overwrites: removes the shards of the old plan, and nothing else', async () => {
    const { out } = await plan({ tables: [await numbers(25)] })
    mkdirSync(join(out, '00001'))
    const ours = ['00000.tar', '00000.parquet', '00000_stats.json', '00000_log.parquet', '00001/000010.jpg']
    const theirs = ['00007.tar', '0000.tar', '00000.txt', 'notes.json']
    for (const name of [...ours, ...theirs]) writeFileSync(join(out, name), '{"count":1,"successes":1}')
    const { manifest } = await plan({ tables: [await numbers(12)], out, incremental: 'overwrite' })
    expect(manifest.shardCount).toBe(2)
    expect(theirs.filter((name) => !existsSync(join(out, name)))).toEqual([])
    expect(ours.filter((name) => existsSync(join(out, name)))).toEqual([])
  })

  it('overwrites nothing for tables that cannot be planned', async () => {
    const { out, manifest } = await plan({ tables: [await numbers(25)] })
    writeFileSync(join(out, '00000_stats.json'), '{"count":1,"successes":1}')
    await expect(
      plan({ tables: [await numbers(12)], out, urlCol: 'adress', incremental: 'overwrite' }),
    ).rejects.toMatchObject({ code: 'ERR_TABLE_COLUMN' })
    expect(existsSync(join(out, '00000_stats.json'))).toBe(true)
    expect(await allRows(out, manifest)).toHaveLength(25)
  })

  it('overwrites a damaged plan', async () => {
    const { out } = await plan({ tables: [await numbers(25)] })
    writeFileSync(join(out, '00000_stats.json'), '{"count":1,"successes":1}')
    writeFileSync(manifestPath(out), 'no')
    await expect(plan({ tables: [await numbers(12)], out })).rejects.toMatchObject({
      code: 'ERR_INPUT_INVALID',
    })
    const { manifest } = await plan({ tables: [await numbers(12)], out, incremental: 'overwrite' })
    expect(await allRows(out, manifest)).toHaveLength(12)
    expect(existsSync(join(out, '00000_stats.json'))).toBe(false)
  })

  it('refuses a folder with shards and no plan, unless told to extend', async () => {
    const out = tempFolder()
    writeFileSync(join(out, '00004_stats.json'), '{"count":1,"successes":1}')
    const tables = [await numbers(12)]
    await expect(plan({ tables, out })).rejects.toMatchObject({ code: 'ERR_PLAN_MISMATCH' })
    const { manifest } = await plan({ tables, out, incremental: 'extend' })
    expect(manifest.parts[0]?.firstShard).toBe(5)
    expect((await allRows(out, manifest))[0]?.key).toBe('000050')
  })

  it('refuses a folder with things of others where shards would go', async () => {
    const out = tempFolder()
    mkdirSync(join(out, '00001'))
    await expect(plan({ tables: [await numbers(12)], out })).rejects.toMatchObject({
      code: 'ERR_PLAN_MISMATCH',
      message: expect.stringContaining("holds '00001'"),
    })
    expect((await plan({ tables: [await numbers(9)], out })).manifest.shardCount).toBe(1)
  })

  it('says what is wrong with an expression, and lets it read nothing else', async () => {
    const tables = [await numbers(5)]
    for (const where of ['nope > 1', 'n >', "n IN (SELECT 1 FROM read_text('/etc/hostname'))"]) {
      await expect(plan({ tables, where })).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
        context: { field: 'where' },
      })
    }
  })

  it('refuses saved columns with names of our own', async () => {
    for (const saveColumns of [['status'], ['url'], ['n', 'N']]) {
      await expect(plan({ tables: [await numbers(5)], saveColumns })).rejects.toMatchObject({
        code: 'ERR_CONFIG_INVALID',
      })
    }
  })

  it('plans an empty table as no shards', async () => {
    const { out, manifest } = await plan({ tables: [await numbers(0)] })
    expect(manifest).toMatchObject({ shardCount: 0, rowCount: 0 })
    expect(await allRows(out, manifest)).toEqual([])
  })

  it('goes on after a plan that was broken off', async () => {
    const path = await numbers(25)
    const signal = AbortSignal.abort()
    const out = join(tempFolder(), 'out')
    await expect(plan({ tables: [path], out, signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
    const arrow = join(tempFolder(), 't.arrow')
    writeFileSync(arrow, tableToIPC(tableFromArrays({ url: ['http://a/1'] }), 'file'))
    await expect(plan({ tables: [arrow], out, signal })).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
    expect(readManifest(out)).toBeUndefined()
    expect((await plan({ tables: [path], out })).manifest.rowCount).toBe(25)
  })

  it('refuses a manifest of a newer trawl, and a damaged one, untouched', async () => {
    const { out } = await plan({ tables: [await numbers(5)] })
    const text = readFileSync(manifestPath(out), 'utf8')
    writeFileSync(manifestPath(out), text.replace('"version": 1', '"version": 99'))
    expect(() => readManifest(out)).toThrow(expect.objectContaining({ code: 'ERR_FORMAT_NEWER' }))
    writeFileSync(manifestPath(out), text.slice(0, 50))
    expect(() => readManifest(out)).toThrow(expect.objectContaining({ code: 'ERR_INPUT_INVALID' }))
  })
})

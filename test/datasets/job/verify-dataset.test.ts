import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyDataset } from '../../../src/datasets/index.ts'
import { runMain } from '../../cli/run-main.ts'
import { tempFolder } from '../temp-folder.ts'
import { csvTable, makeDataset } from './job-case.ts'
import { photoOrigin, photos } from './photo-origin.ts'

type Format = 'webdataset' | 'parquet' | 'files'

/** Nine rows in shards of four, one of which has no image. */
async function madeDataset(outputFormat: Format): Promise<{ readonly dir: string; readonly table: string }> {
  const origin = await photoOrigin(await photos(8))
  const urls = [...Array.from({ length: 8 }, (_, i) => `${origin.url}/p${i}.jpg`), `${origin.url}/gone.jpg`]
  const table = csvTable(urls)
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables: table, dir, outputFormat, shardSize: 4, imageSizePx: 64 })
  return { dir, table }
}

test.each(['webdataset', 'parquet', 'files'] as const)(
  'a sound dataset has no faults: %s',
  async (format) => {
    const { dir } = await madeDataset(format)
    const shards = await Array.fromAsync(verifyDataset(dir))
    expect(shards.map(({ rows, images, faults }) => [rows, images, faults.length])).toEqual([
      [4, 4, 0],
      [4, 4, 0],
      [1, 0, 0],
    ])
  },
)

test('each fault is named with its shard and image; the others are checked all the same', async () => {
  const { dir, table } = await madeDataset('webdataset')
  const path = join(dir, '00000.tar')
  const tar = readFileSync(path)
  const image = tar.indexOf(Buffer.from([0xff, 0xd8, 0xff]))
  tar.fill(0, image, image + 200)
  writeFileSync(path, tar)
  rmSync(join(dir, '00001.tar'))
  const [first, second, third] = await Array.fromAsync(verifyDataset(dir))
  expect(first).toMatchObject({ rows: 4, images: 3 })
  expect(first?.faults.map(({ message }) => message)).toEqual([
    expect.stringContaining('shard 00000: 000000.jpg: '),
  ])
  expect(second?.faults.map(({ message }) => message)).toEqual(['shard 00001: 00001.tar is not there'])
  expect(third?.faults).toEqual([])

  const told = await runMain(['verify', dir])
  expect([told.code, told.stdout.toString()]).toEqual([4, '3 checked, 2 faults\n'])
  // What the hint says mends it.
  for (const name of ['00000_stats.json', '00001_stats.json']) rmSync(join(dir, name))
  await makeDataset({ tables: table, dir, outputFormat: 'webdataset', shardSize: 4, imageSizePx: 64 })
  expect((await runMain(['verify', dir])).code).toBe(0)
})

test('a cut file and images of a folder that were changed or removed', async () => {
  const { dir } = await madeDataset('files')
  const folder = join(dir, '00000')
  const [changed = '', removed = ''] = readdirSync(folder).filter((name) => name.endsWith('.jpg'))
  truncateSync(join(folder, changed), 300)
  rmSync(join(folder, removed))
  truncateSync(join(dir, '00001.parquet'), 100)
  const [first, second] = await Array.fromAsync(verifyDataset(dir))
  expect(first?.faults).toHaveLength(2)
  expect(first?.faults[0]?.message).toContain(`shard 00000: ${changed}`)
  expect(second?.faults[0]?.message).toContain('00001.parquet has 100 bytes')
})

test('a folder without a dataset has no shards', async () => {
  expect(await Array.fromAsync(verifyDataset(tempFolder()))).toEqual([])
})

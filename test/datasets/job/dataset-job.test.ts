import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openTar } from '../../../src/pack/index.ts'
import { tempFolder } from '../temp-folder.ts'
import { csvTable, fingerprint, makeDataset, metadata, quick } from './job-case.ts'
import { photoOrigin, photos } from './photo-origin.ts'

const formats = ['files', 'webdataset', 'parquet'] as const

test.for(formats)('%s: rows become images in shards, in plan order, the same every time', async (format) => {
  const origin = await photoOrigin(await photos(20))
  const urls = Array.from({ length: 50 }, (_, i) => `${origin.url}/p${i % 23}.jpg`)
  const tables = csvTable(urls)
  const options = { ...quick, tables, outputFormat: format, shardSize: 20, saveColumns: ['number'] } as const
  const [first, second] = [join(tempFolder(), 'out'), join(tempFolder(), 'out')]
  const result = await makeDataset({ ...options, dir: first })
  expect(result).toMatchObject({
    status: 'partial',
    stats: { planned: 50, ok: 44, failed: 6, unfinished: 0 },
  })
  const rows = await metadata(first)
  expect(rows.map((row) => row['url'])).toEqual(urls)
  expect(rows.map((row) => row['status'])).toEqual(
    urls.map((_, i) => (i % 23 < 20 ? 'success' : 'failed_to_download')),
  )
  expect(rows[21]).toMatchObject({ error_code: 'http_404', http_status: 404, caption: 'caption 21' })
  expect(rows[0]).toMatchObject({ width: 256, height: 256, original_width: 200, original_height: 160 })
  expect(existsSync(join(first, 'report.html'))).toBe(true)
  expect(readdirSync(join(first, '.trawl'))).toEqual(['plan'])
  await makeDataset({ ...options, dir: second })
  expect(fingerprint(second)).toEqual(fingerprint(first))
})

test('a finished dataset is left as it is, and nothing is asked again', async () => {
  const origin = await photoOrigin(await photos(5))
  const tables = csvTable(Array.from({ length: 5 }, (_, i) => `${origin.url}/p${i}.jpg`))
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir })
  const asked = new Map(origin.asked)
  const again = await makeDataset({ tables, dir })
  expect(again).toMatchObject({ status: 'done', stats: { planned: 5, ok: 0, skipped: 5 } })
  expect(origin.asked).toEqual(asked)
})

test('another plan for the same folder is refused, and overwrite makes it anew', async () => {
  const origin = await photoOrigin(await photos(5))
  const tables = csvTable(Array.from({ length: 5 }, (_, i) => `${origin.url}/p${i}.jpg`))
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir, imageSizePx: 64 })
  const refused = await makeDataset({ tables, dir, imageSizePx: 32 })
  expect(refused.error).toMatchObject({ code: 'ERR_PLAN_MISMATCH' })
  const again = await makeDataset({ tables, dir, imageSizePx: 32, incremental: 'overwrite' })
  expect(again.stats.ok).toBe(5)
  expect((await metadata(dir)).map((row) => row['width'])).toEqual([32, 32, 32, 32, 32])
})

test('a table that is added becomes shards behind those that are there', async () => {
  const origin = await photoOrigin(await photos(6))
  const dir = join(tempFolder(), 'out')
  const urls = (from: number, to: number): string[] =>
    Array.from({ length: to - from }, (_, i) => `${origin.url}/p${from + i}.jpg`)
  await makeDataset({ tables: csvTable(urls(0, 3)), dir, shardSize: 2 })
  const more = await makeDataset({ tables: csvTable(urls(3, 6)), dir, shardSize: 2, incremental: 'extend' })
  expect(more.stats).toMatchObject({ planned: 6, ok: 3, skipped: 3 })
  expect((await metadata(dir)).map((row) => row['url'])).toEqual(urls(0, 6))
})

test('retry fetches the rows that failed and nothing else', async () => {
  let down = true
  const good = await photos(8)
  const origin = await photoOrigin({
    ...good,
    '/late.jpg': (_request, response) => {
      if (down) response.writeHead(503).end()
      else response.writeHead(200, { 'content-type': 'image/jpeg' }).end(good['/p1.jpg'])
    },
  })
  const urls = ['/p0.jpg', '/late.jpg', '/gone.jpg', '/p3.jpg', '/late.jpg?2'].map(
    (path) => origin.url + path,
  )
  const tables = csvTable(urls.map((url) => url.replace('?2', '')))
  const options = { tables, outputFormat: 'webdataset', shardSize: 3 } as const
  const dir = join(tempFolder(), 'out')
  await makeDataset({ ...options, dir })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual([
    null,
    'http_5xx',
    'http_404',
    null,
    'http_5xx',
  ])
  down = false
  const before = new Map(origin.asked)
  const again = await makeDataset({ dir, command: 'retry', statuses: ['http_5xx'] })
  expect(again).toMatchObject({ status: 'done', stats: { planned: 2, ok: 2 } })
  expect(origin.asked.get('/p0.jpg')).toBe(before.get('/p0.jpg'))
  expect(origin.asked.get('/gone.jpg')).toBe(before.get('/gone.jpg'))
  const whole = join(tempFolder(), 'out')
  await makeDataset({ ...options, dir: whole })
  expect(fingerprint(dir)).toEqual(fingerprint(whole))
})

test('webdataset: the images of a tar are those of the metadata', async () => {
  const origin = await photoOrigin(await photos(4))
  const tables = csvTable(['/p0.jpg', '/none.jpg', '/p2.jpg'].map((path) => origin.url + path))
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir, outputFormat: 'webdataset', tarIndex: true })
  const tar = openTar(join(dir, '00000.tar'))
  const names = [...tar.members()].map(({ name }) => name)
  tar.close()
  expect(names).toEqual(
    ['000000000', '000000002'].flatMap((key) => [`${key}.jpg`, `${key}.json`, `${key}.txt`]),
  )
  expect(readFileSync(join(dir, '00000.idx'), 'utf8')).toMatch(/^v1\.2 2\n/)
})

test('bytes are kept as they came where nothing is encoded anew', async () => {
  const all = await photos(3)
  const origin = await photoOrigin({
    ...all,
    '/page.jpg': Buffer.from('<!doctype html><title>Log in</title>'),
  })
  const tables = csvTable(['/p0.jpg', '/page.jpg', '/p2.jpg'].map((path) => origin.url + path))
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir, reencode: 'never' })
  expect(readFileSync(join(dir, '00000', '000000002.jpg'))).toEqual(all['/p2.jpg'])
  const rows = await metadata(dir)
  expect(rows.map((row) => row['error_code'])).toEqual([null, 'not_image', null])
  expect(rows[2]).toMatchObject({ width: 280, height: 260 })
})

test('png needs no word about its compression', async () => {
  const origin = await photoOrigin(await photos(1))
  const dir = join(tempFolder(), 'out')
  const options = { tables: csvTable([`${origin.url}/p0.jpg`]), dir, encodeFormat: 'png' } as const
  expect(await makeDataset(options)).toMatchObject({ status: 'done', stats: { ok: 1 } })
  expect(
    readFileSync(join(dir, '00000', '000000000.png'))
      .subarray(1, 4)
      .toString(),
  ).toBe('PNG')
  await expect(makeDataset({ ...options, encodeQuality: 95 })).rejects.toMatchObject({
    code: 'ERR_CONFIG_INVALID',
  })
})

test('a retry without a dataset makes no folder', async () => {
  const dir = join(tempFolder(), 'none')
  const { error } = await makeDataset({ dir, command: 'retry', statuses: ['failed'] })
  expect(error).toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
  expect(existsSync(dir)).toBe(false)
})

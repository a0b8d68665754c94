import type { ServerResponse } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { tempFolder } from '../temp-folder.ts'
import { csvTable, makeDataset, metadata } from './job-case.ts'
import { photo, photoOrigin, type Answers } from './photo-origin.ts'

/** A PNG of 60,000 x 60,000 pixels as its header says; there is hardly anything behind it. */
async function hugePng(): Promise<Buffer> {
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  png.writeUInt32BE(60_000, 16)
  png.writeUInt32BE(60_000, 20)
  return png
}

function endless(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'image/jpeg' })
  const timer = setInterval(() => response.write(Buffer.alloc(1000, 1)), 20)
  response.on('close', () => clearInterval(timer))
}

/** What an origin may answer instead of a sound photo, and the code of the row. */
async function badAnswers(): Promise<
  readonly (readonly [string, Answers[string] | undefined, string | null])[]
> {
  const good = await photo(1)
  const page = Buffer.from('<!doctype html><title>Not here</title>')
  const frames = Buffer.alloc(64 * 128 * 3, 90)
  const animated = await sharp(frames, { raw: { width: 64, height: 128, channels: 3, pageHeight: 64 } })
    .webp()
    .toBuffer()
  return [
    ['/good.jpg', good, null],
    ['/page.jpg', page, 'not_image'],
    ['/cut.jpg', good.subarray(0, good.length / 2), 'truncated'],
    ['/zero.jpg', Buffer.alloc(0), 'empty'],
    ['/noise.jpg', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 91) & 255)), 'not_image'],
    [
      '/vector.svg',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'),
      'unsupported',
    ],
    ['/moving.webp', animated, null],
    ['/wide.png', await hugePng(), 'too_many_pixels'],
    [
      '/heavy.jpg',
      (_request, response) => response.writeHead(200, { 'content-length': 300e6 }).write('x'),
      'too_large',
    ],
    ['/endless.jpg', (_request, response) => endless(response), 'timeout'],
    [
      '/short.jpg',
      (_request, response) => {
        response.writeHead(200, { 'content-length': good.length })
        response.write(good.subarray(0, 500), () => response.destroy())
      },
      'truncated',
    ],
    ['/gone.jpg', (_request, response) => response.writeHead(410).end(), 'http_410'],
    ['/none.jpg', undefined, 'http_404'],
    ['/locked.jpg', (_request, response) => response.writeHead(403).end(), 'http_403'],
    ['/teapot.jpg', (_request, response) => response.writeHead(418).end(), 'http_4xx'],
    ['/nothing.jpg', (_request, response) => response.writeHead(204).end(), 'protocol'],
    ['/broken.jpg', (_request, response) => response.writeHead(500).end(), 'http_5xx'],
    [
      '/loop.jpg',
      (_request, response) => response.writeHead(302, { location: '/loop.jpg' }).end(),
      'redirect',
    ],
    [
      '/noai.jpg',
      (_request, response) => response.writeHead(200, { 'x-robots-tag': 'noai' }).end(good),
      'opt_out',
    ],
    [
      '/tdm.jpg',
      (_request, response) => response.writeHead(200, { 'tdm-reservation': '1' }).end(good),
      'opt_out',
    ],
  ]
}

test('whatever a row brings has its own status, and the run goes on', async () => {
  const answers = await badAnswers()
  const origin = await photoOrigin(
    Object.fromEntries(answers.flatMap(([path, answer]) => (answer === undefined ? [] : [[path, answer]]))),
  )
  const urls = answers.map(([path]) => origin.url + path)
  const dir = join(tempFolder(), 'out')
  const tables = csvTable([...urls, 'ftp://127.0.0.1/x.jpg', 'not a url', '', 'http://127.0.0.1:1/x.jpg'])
  const result = await makeDataset({ tables, dir, totalTimeoutMs: 400, shardSize: 7, robots: 'off' })
  const rows = await metadata(dir)
  const found = rows.map((row) => [row['url'], row['error_code']])
  expect(found).toEqual([
    ...answers.map(([path, , code]) => [origin.url + path, code]),
    ['ftp://127.0.0.1/x.jpg', 'url'],
    ['not a url', 'url'],
    [null, 'input_row'],
    ['http://127.0.0.1:1/x.jpg', 'connect'],
  ])
  expect(result.stats).toMatchObject({ planned: rows.length, ok: 2, failed: rows.length - 2 })
  expect(rows.every((row) => (row['error_message'] === null) === (row['status'] === 'success'))).toBe(true)
})

test('filters leave images out, each with its own code', async () => {
  const origin = await photoOrigin({
    '/small.jpg': await photo(1, 60, 50),
    '/large.jpg': await photo(2, 900, 800),
    '/long.jpg': await photo(3, 800, 200),
    '/good.jpg': await photo(4, 300, 300),
  })
  const tables = csvTable(
    ['/small.jpg', '/large.jpg', '/long.jpg', '/good.jpg'].map((path) => origin.url + path),
  )
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir, minImageSizePx: 100, maxImageAreaPx: 500_000, maxAspectRatio: 3 })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual([
    'filtered_small',
    'filtered_area',
    'filtered_ratio',
    null,
  ])
})

test('a digest in the table is held against the bytes that came', async () => {
  const { createHash } = await import('node:crypto')
  const good = await photo(1)
  const origin = await photoOrigin({ '/a.jpg': good, '/b.jpg': await photo(2) })
  const digest = createHash('md5').update(good).digest('hex')
  const tables = csvTable(
    ['/a.jpg', '/b.jpg'].map((path) => origin.url + path),
    () => digest.toUpperCase(),
  )
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir, verifyHash: 'number:md5', computeHash: 'md5' })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual([null, 'hash_mismatch'])
})

test('rows that cannot be parsed stay in the outputs', async () => {
  const origin = await photoOrigin({ '/a.jpg': await photo(1) })
  const table = join(tempFolder(), 'table.csv')
  writeFileSync(
    table,
    Buffer.concat([
      Buffer.from(`url,caption\n${origin.url}/a.jpg,fine\ntorn\n${origin.url}/a.jpg,caf`),
      Buffer.from([0xe9]),
      Buffer.from(` noir\n`),
    ]),
  )
  const dir = join(tempFolder(), 'out')
  const { stats } = await makeDataset({ tables: table, dir })
  expect(stats).toMatchObject({ planned: 3, ok: 1, failed: 2 })
  const rows = await metadata(dir)
  expect(rows.map((row) => row['error_code'])).toEqual([null, 'input_row', 'input_row'])
  expect(rows[1]?.['error_message']).toMatch(/table\.csv, row 2/)
})

test('a missing column, a strange format and a taken name end the job before anything is asked', async () => {
  const origin = await photoOrigin({})
  const tables = csvTable([`${origin.url}/a.jpg`])
  const dir = join(tempFolder(), 'out')
  const missing = await makeDataset({ tables, dir, urlCol: 'address' })
  expect(missing.error).toMatchObject({ code: 'ERR_TABLE_COLUMN' })
  const wrong: { outputFormat?: 'files' } = JSON.parse('{"outputFormat":"tfrecord"}') as never
  await expect(makeDataset({ tables, dir, ...wrong })).rejects.toMatchObject({
    code: 'ERR_OUTPUT_FORMAT',
    hint: expect.stringContaining('webdataset') as unknown,
  })
  expect(origin.asked.size).toBe(0)
})

import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { ReportData } from '../../../src/datasets/report/index.ts'
import { tempFolder } from '../temp-folder.ts'
import { csvTable, makeDataset, metadata, trawlFor } from './job-case.ts'
import { photo, photoOrigin, type Answers } from './photo-origin.ts'

test('robots.txt is asked for once and obeyed, with the token of the crawler', async () => {
  const good = await photo(1)
  const agents = new Set<string>()
  const serve: Answers[string] = (request, response) => {
    agents.add(request.headers['user-agent'] ?? '')
    response.end(good)
  }
  const robots = 'User-agent: *\nDisallow: /\n\nUser-agent: shutterbot\nDisallow: /private/\n'
  const origin = await photoOrigin({
    '/robots.txt': Buffer.from(robots),
    '/a.jpg': serve,
    '/b.jpg': serve,
    '/private/c.jpg': serve,
  })
  const tables = csvTable(['/a.jpg', '/b.jpg', '/private/c.jpg'].map((path) => origin.url + path))
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir, userAgentToken: 'shutterbot' })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual([null, null, 'robots'])
  expect(origin.asked.get('/robots.txt')).toBe(1)
  expect(origin.asked.has('/private/c.jpg')).toBe(false)
  expect([...agents]).toEqual([expect.stringMatching(/^trawl\/\S+ \(compatible; shutterbot\)$/)])
})

test('a redirect leads only where the robots.txt of its target lets it', async () => {
  const target = await photoOrigin({
    '/robots.txt': Buffer.from('User-agent: *\nDisallow: /closed/'),
    '/closed/a.jpg': await photo(1),
    '/open/b.jpg': await photo(2),
  })
  const to =
    (path: string): Answers[string] =>
    (_request, response) =>
      response.writeHead(302, { location: target.url + path }).end()
  const origin = await photoOrigin({ '/a.jpg': to('/closed/a.jpg'), '/b.jpg': to('/open/b.jpg') })
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables: csvTable(['/a.jpg', '/b.jpg'].map((path) => origin.url + path)), dir })
  const rows = await metadata(dir)
  expect(rows.map((row) => row['error_code'])).toEqual(['robots', null])
  expect(rows[1]?.['final_url']).toBe(`${target.url}/open/b.jpg`)
})

test('where robots.txt fails nothing is asked, and the rows say why', async () => {
  const origin = await photoOrigin({
    '/robots.txt': (_request, response) => response.writeHead(500).end(),
    '/a.jpg': await photo(1),
  })
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables: csvTable([`${origin.url}/a.jpg`]), dir })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual(['http_5xx'])
  expect(origin.asked.has('/a.jpg')).toBe(false)
})

test('robots.txt can be left alone', async () => {
  const origin = await photoOrigin({
    '/robots.txt': Buffer.from('User-agent: *\nDisallow: /'),
    '/a.jpg': await photo(1),
  })
  const dir = join(tempFolder(), 'out')
  const { stats } = await makeDataset({ tables: csvTable([`${origin.url}/a.jpg`]), dir, robots: 'off' })
  expect(stats.ok).toBe(1)
  expect(origin.asked.has('/robots.txt')).toBe(false)
})

test('opt-out headers are those that were asked for', async () => {
  const good = await photo(1)
  const origin = await photoOrigin({
    '/ours.jpg': (_request, response) =>
      response.writeHead(200, { 'x-robots-tag': 'shutterbot: noimages' }).end(good),
    '/theirs.jpg': (_request, response) =>
      response.writeHead(200, { 'x-robots-tag': 'otherbot: noimages' }).end(good),
    '/noai.jpg': (_request, response) => response.writeHead(200, { 'x-robots-tag': 'noai' }).end(good),
  })
  const tables = csvTable(['/ours.jpg', '/theirs.jpg', '/noai.jpg'].map((path) => origin.url + path))
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables, dir, userAgentToken: 'shutterbot', disallowedDirectives: ['noimages'] })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual(['opt_out', null, null])
})

test('the report has a table of what was refused: by whom, by what rule, how many rows', async () => {
  const good = await photo(1)
  const answer =
    (headers: Record<string, string>): Answers[string] =>
    (_request, response) =>
      response.writeHead(200, headers).end(good)
  const origin = await photoOrigin({
    '/robots.txt': Buffer.from('User-agent: *\nDisallow: /private/'),
    '/noai.jpg': answer({ 'x-robots-tag': 'noai' }),
    '/noindex.jpg': answer({ 'x-robots-tag': 'NOINDEX, nofollow' }),
    '/tdm.jpg': answer({ 'tdm-reservation': '1' }),
    '/a.jpg': good,
  })
  const paths = ['/a.jpg', '/noai.jpg', '/noai.jpg', '/noindex.jpg', '/tdm.jpg', '/private/a.jpg']
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables: csvTable(paths.map((path) => origin.url + path)), dir })
  const report = JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8')) as ReportData
  expect(report.refusalCount).toBe(5)
  expect(report.refusals).toEqual([
    { host: '127.0.0.1', reason: 'the answer opts out: x-robots-tag: noai', rows: 2 },
    { host: '127.0.0.1', reason: 'robots.txt disallows it', rows: 1 },
    { host: '127.0.0.1', reason: 'the answer opts out: tdm-reservation: 1', rows: 1 },
    { host: '127.0.0.1', reason: 'the answer opts out: x-robots-tag: noindex', rows: 1 },
  ])
  expect(readFileSync(join(dir, 'report.html'), 'utf8')).toContain('x-robots-tag: noai')
})

test('Retry-After is waited for, and the row is there in the end', async () => {
  const good = await photo(1)
  let calls = 0
  const origin = await photoOrigin({
    '/a.jpg': (_request, response) => {
      if (calls++ === 0) response.writeHead(429, { 'retry-after': '0' }).end()
      else response.end(good)
    },
  })
  const dir = join(tempFolder(), 'out')
  const { stats } = await makeDataset({ tables: csvTable([`${origin.url}/a.jpg`]), dir, retries: 0 })
  expect(stats).toMatchObject({ ok: 1, retries: 1 })
})

test('a host that refuses everything is given up, and its rows do not hold up the end', async () => {
  const good = await photo(1)
  const origin = await photoOrigin(
    Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [
        `/${i}.jpg`,
        (_request: IncomingMessage, response: ServerResponse) =>
          response.writeHead(429, { 'retry-after': '1' }).end(),
      ]),
    ),
  )
  const other = await photoOrigin({ '/good.jpg': good })
  const urls = Array.from({ length: 30 }, (_, i) => `${origin.url}/${i}.jpg`)
  const dir = join(tempFolder(), 'out')
  const { stats } = await makeDataset({
    tables: csvTable([...urls, `${other.url}/good.jpg`]),
    dir,
    hostPatienceMs: 1500,
    robots: 'off',
  })
  expect(stats).toMatchObject({ ok: 1, failed: 30, unfinished: 0 })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual([...urls.map(() => 'http_429'), null])
  // Each was not asked to the end of its own tries.
  expect([...origin.asked.values()].reduce((sum, count) => sum + count, 0)).toBeLessThan(60)
})

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

test('metrics tell how far the job is while it runs', async () => {
  const good = await photo(1)
  let release = (): void => {}
  const gate = new Promise<void>((resolve) => (release = resolve))
  let arrived = (): void => {}
  const waiting = new Promise<void>((resolve) => (arrived = resolve))
  const origin = await photoOrigin({
    '/a.jpg': (_request, response) => {
      arrived()
      void gate.then(() => response.end(good))
    },
  })
  const port = await freePort()
  const trawl = await trawlFor()
  const dir = join(tempFolder(), 'out')
  const job = trawl.dataset({ tables: csvTable([`${origin.url}/a.jpg`]), dir, prometheusPort: port })
  await waiting
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  release()
  expect(text).toMatch(/^trawl_rows_planned 1$/m)
  expect(text).toMatch(/^trawl_rows_total\{status="ok"\} 0$/m)
  expect((await job.result).status).toBe('done')
})

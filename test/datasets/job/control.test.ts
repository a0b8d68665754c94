import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { DownloadEvent } from '../../../src/core/index.ts'
import { ShardClaims } from '../../../src/datasets/job/shard-claims.ts'
import { downloadDataset } from '../../../src/session/index.ts'
import { tempFolder } from '../temp-folder.ts'
import { csvTable, fingerprint, makeDataset, metadata, quick, trawlFor } from './job-case.ts'
import { photoOrigin, photos, type Answers } from './photo-origin.ts'

/** An origin that holds back what comes after so many photos, until it is told to go on. */
async function slowOrigin(
  count: number,
  open: number,
): Promise<{ url: string; held: Promise<void>; goOn: () => void }> {
  let left = open
  let goOn = (): void => {}
  const free = new Promise<void>((resolve) => (goOn = resolve))
  let onHeld = (): void => {}
  const held = new Promise<void>((resolve) => (onHeld = resolve))
  const serve =
    (bytes: Uint8Array): Answers[string] =>
    (_request, response) => {
      if (left-- > 0) return void response.end(bytes)
      onHeld()
      void free.then(() => response.end(bytes))
      return undefined
    }
  const all = await photos(count)
  const origin = await photoOrigin(
    Object.fromEntries(Object.entries(all).map(([path, bytes]) => [path, serve(bytes)])),
  )
  return { url: origin.url, held, goOn }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

function urlsOf(url: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${url}/p${i}.jpg`)
}

test.for([true, false])('a job that is cancelled (drain: %s) goes on where it was', async (drain) => {
  const { url, held, goOn } = await slowOrigin(30, 12)
  const tables = csvTable(urlsOf(url, 30))
  const dir = join(tempFolder(), 'out')
  const options = { ...quick, tables, dir, shardSize: 10, outputFormat: 'webdataset', maxPerHost: 4 } as const
  const job = (await trawlFor()).dataset(options)
  await held
  const cancelled = job.cancel({ drain })
  goOn()
  await cancelled
  const first = await job.result
  expect(first.status).toBe('cancelled')
  expect(first.stats.ok + first.stats.unfinished).toBe(30)
  expect(first.stats.unfinished).toBeGreaterThan(0)
  const second = await makeDataset(options)
  expect(second).toMatchObject({ status: 'done', stats: { planned: 30, failed: 0, unfinished: 0 } })
  expect(second.stats.skipped).toBe(first.stats.ok)
  const whole = join(tempFolder(), 'out')
  await makeDataset({ ...options, dir: whole })
  expect(fingerprint(dir)).toEqual(fingerprint(whole))
})

test('rows of a host that is cancelled leave their shards for another run', async () => {
  const { url, held, goOn } = await slowOrigin(8, 0)
  const other = await photoOrigin(await photos(8))
  const urls = urlsOf(other.url, 8).map((good, i) => (i < 2 ? `${url}/p${i}.jpg` : good))
  const dir = join(tempFolder(), 'out')
  const options = {
    ...quick,
    tables: csvTable(urls),
    dir,
    shardSize: 4,
    maxPerHost: 1,
    robots: 'off',
  } as const
  const job = (await trawlFor()).dataset(options)
  await held
  await job.cancel({ host: new URL(url).host })
  goOn()
  expect(await job.result).toMatchObject({ status: 'partial', stats: { ok: 6, unfinished: 2 } })
  expect(readdirSync(dir).filter((name) => name.endsWith('_stats.json'))).toEqual(['00001_stats.json'])
  expect(await makeDataset(options)).toMatchObject({ status: 'done', stats: { ok: 2, skipped: 6 } })
})

test('a job can be paused and goes on; what was on its way comes again', async () => {
  const { url, held, goOn } = await slowOrigin(12, 3)
  const dir = join(tempFolder(), 'out')
  const job = (await trawlFor()).dataset({ ...quick, tables: csvTable(urlsOf(url, 12)), dir, maxPerHost: 1 })
  await held
  job.pause()
  goOn()
  await expect.poll(() => job.progress().active).toBe(0)
  expect(job.progress().ok).toBe(3)
  job.resume()
  expect((await job.result).stats.ok).toBe(12)
})

test('a worker that joins takes shards, and both are counted and reported', async () => {
  const { url, held, goOn } = await slowOrigin(24, 2)
  const dir = join(tempFolder(), 'out')
  const report = join(tempFolder(), 'report.jsonl')
  const tables = csvTable([...urlsOf(url, 24), ...['/x', '/y', '/z'].map((path) => url + path)])
  const options = { ...quick, tables, dir, report, shardSize: 3, maxPerHost: 2 } as const
  const job = (await trawlFor()).dataset(options)
  await held
  const worker = (await trawlFor()).dataset({ dir, command: 'worker' })
  goOn()
  const [ours, theirs] = await Promise.all([job.result, worker.result])
  expect(ours.stats).toMatchObject({
    planned: 27,
    ok: 24,
    unfinished: 0,
    failures: { ERR_HTTP_NOT_FOUND: 3 },
  })
  expect(theirs.stats.planned).toBeGreaterThan(0)
  expect((await metadata(dir)).length).toBe(27)
  const lines = readFileSync(report, 'utf8').trim().split('\n')
  const inputs = lines.map((line) => (JSON.parse(line) as { input: string }).input)
  expect(new Set(inputs).size).toBe(27)
  expect(inputs).toHaveLength(27)
})

test('a second run beside one that finishes the dataset is done with it', async () => {
  const { url, held, goOn } = await slowOrigin(4, 2)
  const dir = join(tempFolder(), 'out')
  const options = { ...quick, tables: csvTable(urlsOf(url, 4)), dir } as const
  const first = (await trawlFor()).dataset(options)
  await held
  const second = (await trawlFor()).dataset(options)
  await until(() => second.progress().plannedIsFinal)
  goOn()
  expect((await first.result).status).toBe('done')
  expect(await second.result).toMatchObject({ status: 'done', stats: { planned: 4, unfinished: 0 } })
  expect(readdirSync(join(dir, '.trawl'))).toEqual(['plan'])
})

test('a retry that waited for another fetches nothing again that the other has got', async () => {
  const good = await photos(1)
  let asked = 0
  let down = true
  let goOn = (): void => {}
  const origin = await photoOrigin({
    '/late.jpg': (_request, response) => {
      if (down) return void response.writeHead(404).end()
      // Only the first who asks gets it.
      if (asked++ > 0) return void response.writeHead(404).end()
      goOn = () => void response.end(good['/p0.jpg'])
      return undefined
    },
  })
  const dir = join(tempFolder(), 'out')
  await makeDataset({ tables: csvTable([`${origin.url}/late.jpg`]), dir })
  down = false
  const retry = { ...quick, dir, command: 'retry', statuses: ['http_404'] } as const
  const first = (await trawlFor()).dataset(retry)
  await until(() => asked === 1)
  const second = (await trawlFor()).dataset(retry)
  await sleep(300)
  goOn()
  expect((await first.result).stats.ok).toBe(1)
  expect((await second.result).stats).toMatchObject({ planned: 0, failed: 0 })
  expect((await metadata(dir)).map((row) => row['status'])).toEqual(['success'])
})

test('a shard of a machine that cannot be seen is waited for, and that is told', async () => {
  const origin = await photoOrigin(await photos(2))
  const dir = join(tempFolder(), 'out')
  const claim = join(dir, '.trawl', 'claims', '00000')
  mkdirSync(dirname(claim), { recursive: true })
  writeFileSync(claim, JSON.stringify({ pid: 7, host: 'elsewhere.example' }))
  const job = (await trawlFor()).dataset({ ...quick, tables: csvTable(urlsOf(origin.url, 2)), dir })
  const notices: string[] = []
  job.onEvent((event) => {
    if (event.type !== 'job.notice') return
    notices.push(event.message)
    rmSync(claim)
  })
  expect((await job.result).status).toBe('done')
  expect(notices).toEqual([
    `waiting for shard 00000, which process 7 on elsewhere.example has; if that machine is gone, remove ${claim}`,
  ])
})

test('what killed runs left half written goes at the end, but for shards that another process has', async () => {
  const origin = await photoOrigin(await photos(6))
  const dir = join(tempFolder(), 'out')
  const options = { ...quick, tables: csvTable(urlsOf(origin.url, 6)), dir, shardSize: 3 } as const
  await makeDataset(options)
  const left = ['.00000.tar.tmp', '.00000-1.tmp', '.00000.old.tmp', '.trawl/spool/00000.retry']
  const kept = ['.00001.tar.tmp', '.trawl/spool/00001.retry', '.00009.tar.tmp.mine']
  mkdirSync(join(dir, '.trawl', 'spool'))
  for (const name of [...left, ...kept]) writeFileSync(join(dir, name), 'x')
  const claims = new ShardClaims(dir)
  const claim = claims.claim('00001')
  await makeDataset(options)
  expect([...left, ...kept].filter((name) => existsSync(join(dir, name)))).toEqual(kept)
  claim?.release()
  await makeDataset(options)
  expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([])
  expect(readdirSync(join(dir, '.trawl'))).toEqual(['plan'])
})

test('outcomes are read from the finished shards, and told to the report', async () => {
  const origin = await photoOrigin(await photos(3))
  const report = join(tempFolder(), 'report.jsonl')
  const dir = join(tempFolder(), 'out')
  const job = (await trawlFor()).dataset({ ...quick, tables: csvTable(urlsOf(origin.url, 4)), dir, report })
  await job.result
  const items = await Array.fromAsync(job.items())
  expect(items.map(({ status, path }) => [status, path])).toEqual([
    ['ok', '000000000'],
    ['ok', '000000001'],
    ['ok', '000000002'],
    ['failed', '000000003'],
  ])
  expect((await Array.fromAsync(job.items({ status: 'failed' }))).map(({ error }) => error?.message)).toEqual(
    [expect.stringMatching(/^http_404/)],
  )
  expect(readFileSync(report, 'utf8').trim().split('\n')).toHaveLength(4)
})

test('phases and the pace are told', async () => {
  const origin = await photoOrigin(await photos(2))
  const job = (await trawlFor()).dataset({
    ...quick,
    tables: csvTable(urlsOf(origin.url, 2)),
    dir: join(tempFolder(), 'out'),
  })
  const phases: string[] = []
  job.onEvent((event: DownloadEvent) => event.type === 'job.phase' && phases.push(event.phase))
  await job.result
  expect(phases).toEqual(['plan', 'download', 'finalize'])
})

test('a dry run says what would be done and leaves no trace', async () => {
  const origin = await photoOrigin({})
  const dir = join(tempFolder(), 'out')
  const result = await makeDataset({ tables: csvTable(urlsOf(origin.url, 9)), dir, dryRun: true })
  expect(result.stats).toMatchObject({ planned: 9, unfinished: 9 })
  expect(existsSync(dir)).toBe(false)
  expect(origin.asked.size).toBe(0)
})

test('downloadDataset resolves with the sums, and rejects with what ended the job', async () => {
  const origin = await photoOrigin(await photos(2))
  const dir = join(tempFolder(), 'out')
  const told: number[] = []
  const done = await downloadDataset({
    ...quick,
    tables: csvTable(urlsOf(origin.url, 3)),
    dir,
    onProgress: (count, planned) => told.push(count / planned),
  })
  expect(done.stats).toMatchObject({ ok: 2, failed: 1 })
  expect(existsSync(done.reportPath)).toBe(true)
  expect(told.at(-1)).toBe(1)
  await expect(downloadDataset({ tables: join(dir, 'none.csv'), dir })).rejects.toMatchObject({
    code: 'ERR_INPUT_UNREADABLE',
  })
})

import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { csvTable, metadata } from '../datasets/job/job-case.ts'
import { photoOrigin, photos } from '../datasets/job/photo-origin.ts'
import { tempFolder } from '../datasets/temp-folder.ts'

const program = fileURLToPath(new URL('../datasets/job/run-cli.ts', import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

function trawl(...args: readonly string[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn('node', [program, 'dataset', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const texts = { stdout: '', stderr: '' }
    child.stdout.on('data', (text: Buffer) => (texts.stdout += text.toString()))
    child.stderr.on('data', (text: Buffer) => (texts.stderr += text.toString()))
    child.once('error', reject).once('close', (code) => resolve({ code, ...texts }))
  })
}

test('plan, status, run, retry and finalize', async () => {
  let down = true
  const all = await photos(6)
  const origin = await photoOrigin({
    ...all,
    '/late.jpg': (_request, response) => {
      if (down) response.writeHead(503).end()
      else response.end(all['/p1.jpg'])
    },
  })
  const paths = ['/p0.jpg', '/p1.jpg', '/late.jpg', '/gone.jpg', '/p4.jpg', '/p5.jpg']
  const table = csvTable(paths.map((path) => origin.url + path))
  const dir = join(tempFolder(), 'out')
  const flags = ['-d', dir, '--no-config', '--retry-delay', '10ms', '--retries', '1']

  const dry = await trawl(table, ...flags, '--dry-run')
  expect(dry).toMatchObject({ code: 0, stderr: '' })
  expect(dry.stdout).toContain('6 of 6 rows would be planned, in 1 shard: ')
  expect(existsSync(dir)).toBe(false)

  const plan = await trawl('plan', table, ...flags, '--shard-size', '4', '--caption-col', 'caption')
  expect(plan).toMatchObject({ code: 0, stderr: '' })
  expect(plan.stdout).toContain('6 of 6 rows planned, in 2 shards')
  expect((await trawl('status', ...flags)).stdout).toContain('0 of 2 shards done')

  const run = await trawl(table, ...flags, '--shard-size', '4', '--caption-col', 'caption')
  expect(run.code).toBe(1)
  expect(run.stderr).toContain('4 ok, 0 skipped, 2 failed of 6')
  const status = await trawl('status', ...flags)
  expect(status.stdout).toContain('6 of 6 rows: 4 images, 2 failed to download, 0 failed to resize')
  expect(status.stdout).toContain('1 x http_404: Not found.')
  expect(JSON.parse((await trawl('status', ...flags, '--json')).stdout)).toMatchObject({
    shards: { planned: 2, committed: 2 },
    codes: { success: 4, http_404: 1, http_5xx: 1 },
  })

  down = false
  expect(await trawl('retry', ...flags, '--status', 'http_5xx,timeout')).toMatchObject({ code: 0 })
  expect((await metadata(dir)).map((row) => row['error_code'])).toEqual([
    null,
    null,
    null,
    'http_404',
    null,
    null,
  ])
  const wrong = await trawl('retry', ...flags, '--status', 'nonsense')
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining("'nonsense'") as unknown })

  const finalized = await trawl('finalize', ...flags)
  expect(finalized).toMatchObject({ code: 0, stdout: expect.stringContaining('report.html') as unknown })
  expect(existsSync(join(dir, 'report.html'))).toBe(true)
}, 60_000)

test('finalize of a dataset that is not done says which shards are missing', async () => {
  const table = csvTable(['http://127.0.0.1:1/a.jpg'])
  const dir = join(tempFolder(), 'out')
  await trawl('plan', table, '-d', dir, '--no-config')
  const early = await trawl('finalize', '-d', dir, '--no-config')
  expect(early).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('0 of 1 shards are done') as unknown,
  })
  expect(await trawl('finalize', '-d', dir, '--no-config', '--allow-missing')).toMatchObject({ code: 0 })
}, 60_000)

test('several processes make one dataset', async () => {
  const origin = await photoOrigin(await photos(24))
  const urls = Array.from({ length: 24 }, (_, i) => `${origin.url}/p${i}.jpg`)
  const dir = join(tempFolder(), 'out')
  const table = csvTable(urls)
  const run = await trawl(
    ...`${table} -d ${dir} --no-config --mode processes --workers 2 -j 4`.split(' '),
    ...'--shard-size 2 --no-resize-only-if-bigger --caption-col caption'.split(' '),
  )
  expect(run).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('24 ok, 0 skipped, 0 failed of 24') as unknown,
  })
  expect((await metadata(dir)).map((row) => row['url'])).toEqual(urls)
  expect(urls.map((url) => origin.asked.get(new URL(url).pathname))).toEqual(urls.map(() => 1))
}, 60_000)

/** The processes that have shards of a folder at work. */
function claimants(dir: string): number[] {
  const folder = join(dir, '.trawl', 'claims')
  if (!existsSync(folder)) return []
  const pids = readdirSync(folder).map((name) => {
    try {
      const claim = JSON.parse(readFileSync(join(folder, name), 'utf8') || '{}') as { readonly pid?: number }
      return claim.pid ?? 0
    } catch {
      // Given back since the folder was listed.
      return 0
    }
  })
  return [...new Set(pids.filter((pid) => pid > 0))]
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 50))
}

test('where the first of several processes is killed the others end too, and a run goes on with what is there', async () => {
  let holds = true
  const all = Object.entries(await photos(24))
  const origin = await photoOrigin(
    Object.fromEntries(
      all.map(([path, bytes], i) => [
        path,
        (_request, response) => {
          // Every third photo never comes: no shard is whole.
          if (!holds || i % 3 !== 0) response.writeHead(200).end(bytes)
        },
      ]),
    ),
  )
  const urls = all.map(([path]) => origin.url + path)
  const dir = join(tempFolder(), 'out')
  const args = ['dataset', csvTable(urls), '-d', dir, '--no-config', '--shard-size', '3', '--robots', 'off']
  const first = spawn('node', [program, ...args, '--mode', 'processes', '--workers', '2'], {
    stdio: 'ignore',
  })
  await until(() => claimants(dir).length === 2)
  const worker = claimants(dir).find((pid) => pid !== first.pid)
  if (worker === undefined) throw new Error('no second process')
  onTestFinished(() => void (isAlive(worker) && process.kill(worker, 'SIGKILL')))
  first.kill('SIGKILL')
  holds = false
  await until(() => !isAlive(worker))
  const again = await trawl(...args.slice(1), '--mode', 'processes', '--workers', '2')
  expect(again.code).toBe(0)
  expect((await metadata(dir)).map((row) => [row['url'], row['status']])).toEqual(
    urls.map((url) => [url, 'success']),
  )
}, 60_000)

test.for([
  ['no table', [], 2, 'no table was given'],
  ['TFRecord', ['x.csv', '--output-format', 'tfrecord'], 2, 'webdataset'],
  ['a queue on another machine', ['x.csv', '--queue', 'redis://127.0.0.1:1'], 2, 'without --queue'],
  ['a file that is not there', ['none.csv'], 2, 'none.csv'],
  ['a folder without a plan', ['worker'], 2, 'holds no dataset plan'],
] as const)('refused with what to do: %s', async ([, args, code, text]) => {
  const refused = await trawl(...args, '-d', join(tempFolder(), 'out'), '--no-config')
  expect(refused.stderr).toContain(text)
  expect(refused.code).toBe(code)
})

test('an address for the output is refused, and no folder of that name is made', async () => {
  const refused = await trawl('x.csv', '-d', 's3://bucket/prefix', '--no-config')
  expect(refused.stderr).toContain('not to s3://bucket/prefix')
  expect(refused.code).toBe(2)
  expect(existsSync('s3:')).toBe(false)
})

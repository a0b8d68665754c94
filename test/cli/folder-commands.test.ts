import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { OutputFolder } from '../../src/storage/index.ts'
import { body, faults, respond, withFaults } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { fileNames, useOrigin } from './cli-origin.ts'
import { startCli } from './run-cli.ts'
import { runMain } from './run-main.ts'

const newFolder = tempFolders()
const origin = await useOrigin((served) => {
  served.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
})

const large = 16 * 1024 * 1024
const url = (path: string): string => `${origin.url}/${path}`
const get = (...args: string[]) => runMain(['get', '--retry-delay', '1ms', '--retries', '0', ...args])
const retry = (...args: string[]) => runMain(['retry', '--retry-delay', '1ms', '--retries', '0', ...args])
const parts = (dir: string): string[] => readdirSync(join(dir, '.trawl', 'parts'))

interface Status {
  readonly finished: { readonly count: number; readonly bytes: number }
  readonly failed: { readonly count: number; readonly byCode: Readonly<Record<string, number>> }
  readonly unfinished: { readonly count: number; readonly keptBytes: number }
  readonly worker?: { readonly pid: number }
  readonly items: readonly { readonly status: string; readonly input: string; readonly bytes: number }[]
}

async function statusOf(dir: string): Promise<Status> {
  const end = await runMain(['status', dir, '--json', '--items'])
  expect([end.code, end.stderr]).toEqual([0, ''])
  return JSON.parse(end.stdout.toString()) as Status
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await holds()) return
    await sleep(10)
  }
  throw new Error('it never came to that')
}

/** A folder with one finished file and a large one that was killed in its middle, with bytes kept. */
async function killedFolder(): Promise<string> {
  const dir = newFolder()
  const file = body('/large.bin', large)
  origin.route('/large.bin', withFaults(respond.withRange(file), faults.stallAfter(14 * 1024 * 1024)))
  const running = startCli(['get', url('small.bin'), url('large.bin'), '-d', dir, '-x', '1'])
  await until(async () => {
    if (!existsSync(join(dir, '.trawl', 'journal'))) return false
    const { finished, items } = await statusOf(dir)
    return finished.count === 1 && items.some(({ bytes }) => bytes > 0)
  })
  const during = await statusOf(dir)
  expect(during.worker?.pid).toBe(running.child.pid)
  running.child.kill('SIGKILL')
  expect((await running.end).signal).toBe('SIGKILL')
  origin.route('/large.bin', respond.withRange(file))
  return dir
}

describe('trawl status', () => {
  test('finished, failed by reason, and what to do next', async () => {
    origin.route('/gone-*', respond.status(404))
    origin.route('/broken.bin', respond.status(500))
    const dir = newFolder()
    await get(url('a.bin'), url('b.bin'), url('gone-1'), url('gone-2'), url('broken.bin'), '-d', dir)
    const end = await runMain(['status', dir])
    const text = end.stdout.toString()
    expect(end.code).toBe(0)
    expect(text).toContain('2 finished (1.95 KiB), 3 failed, 0 unfinished')
    expect(text).toContain('2 x ERR_HTTP_NOT_FOUND: The server has no such file')
    expect(text).toContain(`failed: ${url('broken.bin')}: the server answered 500`)
    expect(text).toContain(`trawl retry ${dir}`)
    expect(await statusOf(dir)).toMatchObject({
      finished: { count: 2, bytes: 2000 },
      failed: { count: 3, byCode: { ERR_HTTP_NOT_FOUND: 2, ERR_HTTP_SERVER: 1 } },
    })
  })

  test('the first ten, and all of them with --items', async () => {
    origin.route('/gone-*', respond.status(404))
    const dir = newFolder()
    await get(...Array.from({ length: 13 }, (_, n) => url(`gone-${n}`)), '-d', dir)
    const few = (await runMain(['status', dir])).stdout.toString()
    expect(few.match(/^failed: /gm)).toHaveLength(10)
    expect(few).toContain('and 3 more')
    const all = (await runMain(['status', '--items', dir])).stdout.toString()
    expect(all.match(/^failed: /gm)).toHaveLength(13)
  })

  test('while another works there, after its kill, and on a damaged journal', async () => {
    const dir = await killedFolder()
    const after = await statusOf(dir)
    expect(after.worker).toBeUndefined()
    expect(after.finished.count).toBe(1)
    expect(after.unfinished.count).toBe(1)
    expect(after.unfinished.keptBytes).toBeGreaterThanOrEqual(1024 * 1024)
    expect((await runMain(['status', dir])).stdout.toString()).toMatch(
      /unfinished: large\.bin, .* of 16.0 MiB kept/,
    )
    const path = join(dir, '.trawl', 'journal')
    const bytes = readFileSync(path)
    bytes.fill(0xff, 30, 40)
    writeFileSync(path, bytes)
    const damaged = await runMain(['status', dir])
    expect(damaged.code).toBe(0)
    expect(damaged.stdout.toString()).toContain('the journal is damaged in 1 place')
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test.each(['status', 'clean', 'retry'])(
    '%s of what is no folder of trawl: one line, what to do, code 2',
    async (name) => {
      const dir = newFolder()
      for (const path of [join(dir, 'gone'), dir]) {
        const end = await runMain([name, path])
        expect(end.code).toBe(2)
        expect(end.stderr).toContain(path)
        expect(end.stderr).toContain('Give ')
        expect(end.stderr.trim().split('\n')).toHaveLength(2)
      }
      expect(readdirSync(dir)).toEqual([])
    },
  )

  test('a reader that has seen enough is no error', async () => {
    const dir = newFolder()
    await get(url('a.bin'), '-d', dir)
    for (const args of [
      ['status', dir],
      ['status', dir, '--json', '--items'],
    ]) {
      const running = startCli(args)
      running.child.stdout?.destroy()
      const { code, stderr } = await running.end
      expect([code, stderr]).toEqual([0, ''])
    }
  })

  test('a journal of a newer trawl, and one of something else, are left untouched', async () => {
    const dir = newFolder()
    mkdirSync(join(dir, '.trawl'))
    const path = join(dir, '.trawl', 'journal')
    writeFileSync(path, 'a diary, and a long one at that')
    const foreign = await runMain(['status', dir])
    expect([foreign.code, foreign.stderr]).toEqual([3, expect.stringContaining('is not a trawl journal')])
    expect(readFileSync(path, 'utf8')).toBe('a diary, and a long one at that')
  })
})

describe('trawl retry', () => {
  test('a report: only what failed, under its own name, with its checksum and headers', async () => {
    const dir = newFolder()
    const list = join(dir, 'list.txt')
    const report = join(dir, 'report.jsonl')
    origin.route('/down.bin', respond.status(503))
    const wrong = '0'.repeat(64)
    writeFileSync(
      list,
      `${url('a.bin')}\n${url('down.bin')}\n  out=sub/named.bin\n  checksum=sha-256=${wrong}\n  header=X-Wish: yes\n`,
    )
    const first = await get('-i', list, '-d', join(dir, 'out'), '--report', report)
    expect(first.code).toBe(1)
    origin.route('/down.bin', respond.withRange(body('/down.bin', 500)))
    const before = origin.requests.length
    const second = await retry(report)
    // The server is well again, but has not what the list promised.
    expect(second.code).toBe(1)
    expect(second.stderr).toContain('down.bin')
    const sent = origin.requests.slice(before)
    expect(sent.every(({ path }) => path === '/down.bin')).toBe(true)
    expect(sent[0]?.headers['x-wish']).toBe('yes')
    expect(existsSync(join(dir, 'out/sub/named.bin'))).toBe(false)
    const status = await statusOf(join(dir, 'out'))
    expect(status.failed.byCode).toEqual({ ERR_DIGEST_MISMATCH: 1 })
  })

  test('a report after the server is well: all there, then nothing is left', async () => {
    const dir = newFolder()
    const report = join(dir, 'report.jsonl')
    origin.route('/down-*', respond.status(503))
    await get(
      url('a.bin'),
      url('down-1.bin'),
      url('down-2.bin'),
      '-d',
      dir,
      '--name',
      '{stem}.got',
      '--report',
      report,
    )
    origin.route('/down-*', (request) => respond.withRange(body(request.path, 500))(request))
    expect((await retry(report)).code).toBe(0)
    expect(fileNames(dir).toSorted()).toEqual(['a.got', 'down-1.got', 'down-2.got', 'report.jsonl'])
    const requests = origin.requests.length
    const again = await retry(report)
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('2 skipped')])
    const folder = await retry(dir)
    expect([folder.code, folder.stderr]).toEqual([0, 'nothing is left to try again\n'])
    expect(origin.requests).toHaveLength(requests)
  })

  test('a folder: failed and unfinished items, from the bytes that are kept', async () => {
    const dir = await killedFolder()
    const requests = origin.requests.length
    const end = await retry(dir)
    expect([end.code, end.stderr]).toEqual([0, expect.stringContaining('1 ok, 0 skipped, 0 failed of 1')])
    const ranges = origin.requests.slice(requests).map(({ headers }) => headers['range'])
    expect(ranges.every((range) => range !== undefined)).toBe(true)
    expect(readFileSync(join(dir, 'large.bin')).equals(body('/large.bin', large).bytes())).toBe(true)
    expect(parts(dir)).toEqual([])
  })

  test('--status and --code choose; words that are none of ours are refused', async () => {
    const dir = newFolder()
    origin.route('/gone.bin', respond.status(404))
    origin.route('/down.bin', respond.status(503))
    await get(url('gone.bin'), url('down.bin'), '-d', dir)
    origin.route('/gone.bin', respond.withRange(body('/gone.bin', 10)))
    origin.route('/down.bin', respond.withRange(body('/down.bin', 10)))
    expect((await retry(dir, '--status', 'unfinished')).stderr).toBe('nothing is left to try again\n')
    const dry = await retry(dir, '--code', 'ERR_HTTP_NOT_FOUND', '--dry-run')
    expect([dry.code, dry.stdout.toString()]).toEqual([0, `${url('gone.bin')}\n`])
    expect(fileNames(dir)).toEqual([])
    expect((await retry(dir, '--code', 'ERR_HTTP_NOT_FOUND')).code).toBe(0)
    expect(fileNames(dir)).toEqual(['gone.bin'])
    for (const args of [
      ['--status', 'bad'],
      ['--code', 'ERR_NONSENSE'],
    ]) {
      const end = await retry(dir, ...args)
      expect(end.code).toBe(2)
    }
  })

  test('secret headers are not stored, and it is said so', async () => {
    const dir = newFolder()
    const report = join(dir, 'report.jsonl')
    origin.route('/locked.bin', (request) =>
      request.headers['authorization'] === 'Bearer pssst'
        ? respond.withRange(body('/locked.bin', 10))(request)
        : respond.status(503)(request),
    )
    origin.route('/first.bin', respond.status(503))
    await get(url('first.bin'), '-d', dir, '--report', report, '--header', 'Authorization: Bearer pssst')
    for (const file of [report, join(dir, '.trawl/journal')]) {
      expect(readFileSync(file, 'latin1')).toContain('authorization')
      expect(readFileSync(file, 'latin1')).not.toContain('pssst')
    }
    origin.route('/first.bin', respond.status(503))
    const without = await retry(report)
    expect([without.code, without.stderr]).toEqual([
      1,
      expect.stringContaining('one item was sent with the header authorization, which is not stored'),
    ])
    origin.route('/first.bin', (request) =>
      request.headers['authorization'] === 'Bearer pssst'
        ? respond.withRange(body('/first.bin', 10))(request)
        : respond.status(401)(request),
    )
    const end = await retry(report, '--header', 'Authorization: Bearer pssst')
    expect([end.code, end.stderr]).toEqual([0, expect.not.stringContaining('not stored')])
  })

  test('unfinished items of a report, also those that were never begun, keep their checksums', async () => {
    const dir = newFolder()
    const report = join(dir, 'report.jsonl')
    const list = join(dir, 'list.txt')
    origin.route('/slow.bin', withFaults(respond.withRange(body('/slow.bin', 1000)), faults.stallAfter(10)))
    const wrong = 'f'.repeat(64)
    const waiting = Array.from({ length: 3 }, (_, n) => `${url(`w${n}.bin`)}\n  checksum=sha-256=${wrong}\n`)
    writeFileSync(list, `${url('slow.bin')}\n${waiting.join('')}`)
    const running = startCli(['get', '-i', list, '-d', dir, '-j', '1', '--report', report])
    await until(() => origin.requests.some(({ path }) => path === '/slow.bin'))
    running.child.kill('SIGINT')
    running.child.kill('SIGTERM')
    await sleep(200)
    running.child.kill('SIGTERM')
    expect((await running.end).code).toBe(130)
    const lines = readFileSync(report, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { status: string })
    expect(lines.length).toBeGreaterThan(1)
    expect(new Set(lines.map(({ status }) => status))).toEqual(new Set(['unfinished']))
    origin.route('/slow.bin', respond.withRange(body('/slow.bin', 1000)))
    const end = await retry(report)
    expect(end.code).toBe(1)
    expect(fileNames(dir).filter((name) => name.endsWith('.bin'))).toEqual(['slow.bin'])
    expect((await statusOf(dir)).failed.byCode).toEqual({ ERR_DIGEST_MISMATCH: lines.length - 1 })
  })

  test('reports of others, of books, cut off, and the report that would be written over', async () => {
    const dir = newFolder()
    const file = (name: string, text: string): string => {
      writeFileSync(join(dir, name), text)
      return join(dir, name)
    }
    const line = (input: string): string =>
      JSON.stringify({ input, status: 'failed', code: 'ERR_HTTP_SERVER', bytes: 0 })
    const foreign = [
      file('list.txt', `${url('a.bin')}\n`),
      file('other.json', '{"url": "https://example.org", "ok": false}\n'),
      file('late.jsonl', `${line(url('a.bin'))}\nnot of trawl\n${line(url('b.bin'))}\n`),
      file(
        'book.jsonl',
        `${JSON.stringify({ input: 'https://x/1.jpg', status: 'failed', book: 'B', page: 1 })}\n`,
      ),
    ]
    for (const path of foreign) {
      const end = await retry(path, '-d', join(dir, 'none'))
      expect([path, end.code]).toEqual([path, 2])
      expect(end.stderr.trim().split('\n')).toHaveLength(2)
    }
    expect(existsSync(join(dir, 'none'))).toBe(false)
    const torn = file('torn.jsonl', `${line(url('a.bin'))}\n{"input":"${url('b')}`)
    expect((await retry(torn, '-d', join(dir, 'torn'))).code).toBe(0)
    expect(fileNames(join(dir, 'torn'))).toEqual(['a.bin'])
    const same = await retry(torn, '--report', torn)
    expect([same.code, same.stderr]).toEqual([2, expect.stringContaining('--report would write over')])
    const empty = await retry(file('empty.jsonl', ''))
    expect([empty.code, empty.stderr]).toEqual([0, 'nothing is left to try again\n'])
  })
})

describe('trawl clean', () => {
  test('parts go, finished files and files of others stay; --dry-run says it and does nothing', async () => {
    const dir = await killedFolder()
    writeFileSync(join(dir, 'mine.txt'), 'mine')
    writeFileSync(join(dir, '.trawl', 'parts', 'notes.txt'), 'somebody put this here')
    const journal = join(dir, '.trawl', 'journal')
    const before = readFileSync(journal)
    const dry = await runMain(['clean', dir, '--dry-run'])
    expect([dry.code, dry.stdout.toString()]).toEqual([
      0,
      expect.stringContaining('would take away 1 part ('),
    ])
    expect(readFileSync(journal).equals(before)).toBe(true)
    expect(parts(dir)).toHaveLength(2)
    const end = await runMain(['clean', dir])
    expect([end.code, end.stdout.toString()]).toEqual([0, expect.stringContaining('took away 1 part (')])
    expect(end.stdout.toString()).toContain('notes.txt')
    expect(parts(dir)).toEqual(['notes.txt'])
    expect(readFileSync(join(dir, 'mine.txt'), 'utf8')).toBe('mine')
    expect(statSync(journal).size).toBeLessThanOrEqual(before.length)
    // What was unfinished is still known, without its bytes.
    expect(await statusOf(dir)).toMatchObject({
      finished: { count: 1 },
      unfinished: { count: 1, keptBytes: 0 },
    })
    const requests = origin.requests.length
    expect((await get(url('small.bin'), url('large.bin'), '-d', dir)).code).toBe(0)
    expect(origin.requests.slice(requests).some(({ path }) => path === '/small.bin')).toBe(false)
    expect(fileNames(dir).toSorted()).toEqual(['large.bin', 'mine.txt', 'small.bin'])
    expect(readFileSync(join(dir, 'large.bin')).equals(body('/large.bin', large).bytes())).toBe(true)
  })

  test('refuses while another works there', async () => {
    const dir = newFolder()
    await get(url('a.bin'), '-d', dir)
    const folder = new OutputFolder({ path: dir, durability: 'none' })
    try {
      writeFileSync(folder.partPath('0'.repeat(32)), 'in use')
      for (const args of [[], ['--dry-run']]) {
        const end = await runMain(['clean', dir, ...args])
        expect([end.code, end.stderr]).toEqual([3, expect.stringContaining(`process ${process.pid}`)])
      }
      expect(parts(dir)).toHaveLength(1)
    } finally {
      folder.close()
    }
  })

  test('the staging of books goes too; one in use holds all of it back', async () => {
    const dir = newFolder()
    const staging = join(dir, '.trawl', 'staging', 'work')
    mkdirSync(staging, { recursive: true })
    writeFileSync(join(staging, 'page-1'), Buffer.alloc(5000))
    const book = new OutputFolder({ path: staging, durability: 'none' })
    expect((await runMain(['clean', dir])).code).toBe(3)
    expect(existsSync(join(staging, 'page-1'))).toBe(true)
    book.close()
    const end = await runMain(['clean', dir, '--json'])
    expect(JSON.parse(end.stdout.toString())).toMatchObject({ staging: { count: 1 }, parts: { count: 0 } })
    expect(existsSync(staging)).toBe(false)
    expect(existsSync(join(dir, '.trawl', 'journal'))).toBe(false)
  })

  test('nothing behind a link is removed', async () => {
    const dir = newFolder()
    const elsewhere = newFolder()
    mkdirSync(join(elsewhere, '.trawl', 'parts'), { recursive: true })
    const part = join(elsewhere, '.trawl', 'parts', 'a'.repeat(32))
    writeFileSync(part, 'x')
    symlinkSync(join(elsewhere, '.trawl'), join(dir, '.trawl'))
    const end = await runMain(['clean', dir])
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('symbolic link')])
    expect(existsSync(part)).toBe(true)
  })

  test('killed at any moment: the folder is as before or as after', async () => {
    const dir = await killedFolder()
    const copy = newFolder()
    for (let round = 0; round < 6; round++) {
      const at = join(copy, String(round))
      expect(spawnSync('cp', ['-a', dir, at]).status).toBe(0)
      const running = startCli(['clean', at])
      await sleep(300 + round * 40)
      running.child.kill('SIGKILL')
      await running.end
      const status = await statusOf(at)
      expect(status).toMatchObject({ finished: { count: 1 }, unfinished: { count: 1 } })
      let end = await get(url('small.bin'), url('large.bin'), '-d', at)
      // Killed while it took over the lock of the killed download: that mark counts for ten seconds.
      for (let tries = 0; tries < 12 && end.stderr.includes('another process works'); tries++) {
        await sleep(1000)
        end = await get(url('small.bin'), url('large.bin'), '-d', at)
      }
      expect([end.code, end.stderr]).toEqual([0, expect.any(String)])
      expect(readFileSync(join(at, 'large.bin')).equals(body('/large.bin', large).bytes())).toBe(true)
    }
  }, 60_000)
})

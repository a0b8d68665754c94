import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { DownloadEvent } from '../../src/core/index.ts'
import { body, createFaultOrigin, faults, respond, withFaults } from '../../src/testing/index.ts'
import { describeWithVolumes } from '../small-volume.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { fileNames, until, useOrigin } from './cli-origin.ts'
import { runCli, startCli } from './run-cli.ts'
import { runMain, type MainEnd } from './run-main.ts'

const newFolder = tempFolders()
const origin = await useOrigin((served) => {
  served.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
  served.route('/missing.bin', respond.status(404))
})

const quick = ['--retry-delay', '1ms', '--retries', '1'] as const
const get = (args: readonly string[], options?: { readonly stdin?: string }): Promise<MainEnd> =>
  runMain(['get', ...quick, ...args], options)
const url = (path: string): string => `${origin.url}/${path}`

function expectWhole(dir: string, sizeBytes: number): void {
  for (const name of fileNames(dir)) {
    expect(readFileSync(join(dir, name)).equals(body(`/${name}`, sizeBytes).bytes()), name).toBe(true)
  }
}

function events(end: Pick<MainEnd, 'stdout' | 'stderr'>): DownloadEvent[] {
  const lines = end.stdout.toString().trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as DownloadEvent)
}

describe('files arrive', () => {
  test('exit code 0, a summary on standard error, nothing on standard output', async () => {
    const dir = newFolder()
    const end = await get([url('a.bin'), url('b.bin'), '-d', dir])
    expect(end.code).toBe(0)
    expect(end.stdout.toString()).toBe('')
    expect(end.stderr).toContain('2 ok, 0 skipped, 0 failed of 2')
    expect(fileNames(dir)).toEqual(['a.bin', 'b.bin'])
    expectWhole(dir, 1000)
    const again = await get([url('a.bin'), url('b.bin'), '-d', dir])
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining('0 ok, 2 skipped, 0 failed of 2')])
    expect(origin.requests).toHaveLength(2)
  })

  test('-o NAME, with folders; -o - to standard output', async () => {
    const dir = newFolder()
    expect((await get([url('a.bin'), '-d', dir, '-o', 'sub/b.dat'])).code).toBe(0)
    expect(readFileSync(join(dir, 'sub/b.dat')).equals(body('/a.bin', 1000).bytes())).toBe(true)
    origin.route('/big.bin', respond.withRange(body('/big.bin', 3_000_000)))
    const piped = await runCli(['get', url('big.bin'), '-o', '-'], { cwd: newFolder() })
    expect(piped.code).toBe(0)
    expect(piped.stdout.equals(body('/big.bin', 3_000_000).bytes())).toBe(true)
    expect(piped.stderr).toContain('1 ok')
  })

  test('a list, and one on standard input', async () => {
    const dir = newFolder()
    const list = join(dir, 'list.txt')
    writeFileSync(list, `${url('a.bin')}\n# comment\n${url('b.bin')}\n  out=c.bin\n`)
    expect((await get(['-i', list, '-d', join(dir, 'one')])).code).toBe(0)
    expect(fileNames(join(dir, 'one'))).toEqual(['a.bin', 'c.bin'])
    const piped = await get(['-i', '-', '-d', join(dir, 'two')], {
      stdin: `${url('a.bin')}\r\n${url('b.bin')}`,
    })
    expect(piped.code).toBe(0)
    expect(fileNames(join(dir, 'two'))).toEqual(['a.bin', 'b.bin'])
  })

  test('--quiet says nothing where all is well', async () => {
    const end = await get([url('a.bin'), '-d', newFolder(), '--quiet'])
    expect([end.code, end.stdout.toString(), end.stderr]).toEqual([0, '', ''])
  })

  test('--dry-run says what would be done and does nothing', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'b.bin'), 'here')
    const out = join(dir, 'new')
    const end = await get([url('a.bin'), '-d', out, '--dry-run'])
    expect([end.code, end.stdout.toString()]).toEqual([0, `${url('a.bin')} -> a.bin\n`])
    expect(existsSync(out)).toBe(false)
    const other = await get([url('b.bin'), 'nonsense', '-d', dir, '--dry-run'])
    expect([other.code, other.stdout.toString()]).toEqual([1, `${url('b.bin')} -> b.bin (exists)\n`])
    expect(other.stderr).toContain('nonsense')
    expect(origin.requests).toHaveLength(0)
  })

  test('--dry-run tells how a file would be fetched, where anything is known of it', async () => {
    const mirrors = `${url('a.bin')}\t${url('b.bin')}\n`
    const end = await get(['-i', '-', '-d', newFolder(), '--dry-run', '-x', '3', '--json'], {
      stdin: mirrors,
    })
    expect(JSON.parse(end.stdout.toString())).toMatchObject({
      path: 'a.bin',
      transfer: { style: 'multi-source', segments: 3, why: expect.stringContaining('2 addresses') },
    })
    const said = await get([url('a.bin'), '-d', newFolder(), '--dry-run', '-x', '3'])
    expect(said.stdout.toString()).toContain('a.bin -> a.bin\n    segmented: 3 segments were asked for')
  })

  test('credentials from --netrc-file, sent to their host only', async () => {
    const folder = newFolder()
    writeFileSync(join(folder, 'netrc'), 'machine 127.0.0.1 login me password secret\n')
    const asks = (request: { readonly headers: Readonly<Record<string, string>> }) =>
      request.headers['authorization'] === undefined
        ? { status: 401, headers: { 'WWW-Authenticate': 'Basic realm="x"' } }
        : { status: 200, headers: {}, body: body('/a.bin', 1000) }
    origin.route('/secret.bin', asks)
    const end = await get([url('secret.bin'), '-d', newFolder(), '--netrc-file', join(folder, 'netrc')])
    expect(end.code).toBe(0)
    const sent = origin.requests.at(-1)?.headers['authorization'] ?? ''
    expect(Buffer.from(sent.replace('Basic ', ''), 'base64').toString()).toBe('me:secret')
  })
})

describe('--json and --report', () => {
  test('events are JSON lines that add up', async () => {
    origin.route('/flaky.bin', faults.inTurn(respond.status(500), respond.withRange(body('/flaky.bin', 10))))
    const dir = newFolder()
    const end = await get([url('a.bin'), url('missing.bin'), url('flaky.bin'), '-d', dir, '--json'])
    expect(end.code).toBe(1)
    const all = events(end)
    expect(all[0]).toMatchObject({ type: 'job.started', kind: 'get', seq: 1 })
    const last = all.at(-1)
    if (last?.type !== 'job.finished') expect.fail(`the last event is ${last?.type}`)
    expect(last).toMatchObject({ status: 'partial', stats: { planned: 3, ok: 2, failed: 1, retries: 1 } })
    const finished = all.flatMap((event) => (event.type === 'task.finished' ? [event.outcome] : []))
    expect(finished.map((outcome) => outcome.status).toSorted()).toEqual(['failed', 'ok', 'ok'])
    expect(finished.reduce((sum, outcome) => sum + outcome.sizeBytes, 0)).toBe(last.stats.sizeBytes)
    expect(all.filter((event) => event.type === 'task.retrying')).toHaveLength(1)
    for (const [i, event] of all.entries()) expect(event.seq).toBeGreaterThanOrEqual(all[i - 1]?.seq ?? 0)
    // People are told of failures all the same.
    expect(end.stderr).toContain('missing.bin')
  })

  test('a reader that goes away ends the output, not the download', async () => {
    const dir = newFolder()
    const list = Array.from({ length: 500 }, (_, n) => url(`${n}.bin`)).join('\n')
    const running = startCli(['get', ...quick, '-i', '-', '-d', dir, '--json'], { stdin: list })
    running.child.stdout?.destroy()
    expect((await running.end).code).toBe(0)
    expect(fileNames(dir)).toHaveLength(500)
  })

  test('the report has every item, and a failure of many is told short', async () => {
    const dir = newFolder()
    const report = join(dir, 'report.jsonl')
    origin.route('/gone/*', respond.status(404))
    const list = Array.from({ length: 25 }, (_, n) => url(`gone/${n}.bin`))
    const end = await get([url('a.bin'), ...list, '-d', join(dir, 'out'), '--report', report])
    expect(end.code).toBe(1)
    const lines = readFileSync(report, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { status: string })
    expect(lines.filter((line) => line.status === 'ok')).toHaveLength(1)
    expect(lines.filter((line) => line.status === 'failed')).toHaveLength(25)
    expect(end.stderr.split('\n').filter((line) => line.includes('/gone/'))).toHaveLength(10)
    expect(end.stderr).toContain('15 more failed')
    expect(end.stderr).toContain(report)
  })

  test('a relative report stands in the folder where the command was given', async () => {
    const cwd = newFolder()
    expect((await runCli(['get', url('a.bin'), '-d', 'out', '--report', 'r.jsonl'], { cwd })).code).toBe(0)
    expect(fileNames(cwd)).toEqual(['out', 'r.jsonl'])
  })
})

/** One line that names the place, one that says what to do; no stack, no second telling. */
function expectClear(end: Pick<MainEnd, 'stdout' | 'stderr'>, ...parts: readonly (string | RegExp)[]): void {
  for (const part of parts) expect(end.stderr).toMatch(part)
  expect(end.stderr).not.toMatch(/\n\s+at /)
  expect(end.stderr).not.toContain('bug in trawl')
}

describe('bad input', () => {
  test('an unreadable list: exit code 2, the rest is downloaded', async () => {
    const dir = newFolder()
    const good = join(dir, 'good.txt')
    writeFileSync(good, url('b.bin'))
    const end = await get([url('a.bin'), '-i', join(dir, 'no-such-list'), '-i', good, '-d', join(dir, 'out')])
    expect(end.code).toBe(2)
    expectClear(end, 'no-such-list', 'Check that the path exists')
    expect(fileNames(join(dir, 'out'))).toEqual(['a.bin', 'b.bin'])
    const folder = await get(['-i', dir, '-d', join(dir, 'out')])
    expect(folder.code).toBe(2)
    expectClear(folder, dir)
    writeFileSync(join(dir, 'list.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]))
    const packed = await get(['-i', join(dir, 'list.gz'), '-d', join(dir, 'out')])
    expect(packed.code).toBe(2)
    expectClear(packed, 'gzip', 'Unpack it first')
  })

  test('a malformed URL on line 7: named with its line, the rest is downloaded', async () => {
    const dir = newFolder()
    const list = join(dir, 'list.txt')
    const lines = Array.from({ length: 9 }, (_, n) => (n === 6 ? 'htp:/broken url' : url(`${n}.bin`)))
    writeFileSync(list, lines.join('\n'))
    const end = await get(['-i', list, '-d', join(dir, 'out')])
    expect(end.code).toBe(1)
    expectClear(end, `${list}:7`)
    expect(fileNames(join(dir, 'out'))).toHaveLength(8)
  })

  test('an unknown flag, a wrong value, nothing to do: exit code 2, nothing is sent', async () => {
    const cases: [string[], (string | RegExp)[]][] = [
      [
        ['--no-such-flag', url('a.bin')],
        ['--no-such-flag', '--help'],
      ],
      [
        ['--concurency', '5', url('a.bin')],
        ['--concurency', '--concurrency'],
      ],
      [
        ['--retries', 'many', url('a.bin')],
        ['--retries', 'many'],
      ],
      [
        ['--on-exists', 'maybe', url('a.bin')],
        ['--on-exists', 'resume'],
      ],
      [['--checksum', 'sha-256=xyz', url('a.bin')], ['--checksum']],
      [
        ['--name', '{nonsense}', url('a.bin')],
        ['--name', 'nonsense'],
      ],
      [[], ['nothing to download', '-i FILE']],
      [
        ['-o', 'x', url('a.bin'), url('b.bin')],
        ['--out', '--name'],
      ],
      [['-o', '-', '--json', url('a.bin')], ['--json']],
      [['--checksum', `md5=${'0'.repeat(32)}`, url('a.bin'), url('b.bin')], ['--checksum']],
      [
        ['--report', '-', url('a.bin')],
        ['--report', '/dev/stdout'],
      ],
      [['--header', 'Range: bytes=0-9', url('a.bin')], ['--header: range is set by trawl']],
      [['--user-agent', 'a\u0007', url('a.bin')], ['--user-agent']],
      [
        ['--cookies', '/no/such/jar', url('a.bin')],
        ['--cookies', '/no/such/jar'],
      ],
    ]
    for (const [args, parts] of cases) {
      const end = await get([...args, '-d', newFolder()])
      expect([args, end.code]).toEqual([args, 2])
      expectClear(end, ...parts)
    }
    expect(origin.requests).toHaveLength(0)
    expect((await runMain(['gett', 'x'])).code).toBe(2)
    expect((await runMain([])).code).toBe(2)
  })

  test('a folder that cannot be written: exit code 3, nothing is sent', async () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'file'), '')
    for (const path of ['/proc/nope/out', join(dir, 'file'), join(dir, 'file/sub')]) {
      const end = await get([url('a.bin'), '-d', path])
      expect([path, end.code]).toEqual([path, 3])
      expectClear(end, path, /--dir/)
    }
    expect(origin.requests).toHaveLength(0)
    const quiet = await get([url('a.bin'), '-d', join(dir, 'file'), '-q'])
    expect(quiet.code).toBe(3)
    expectClear(quiet, join(dir, 'file'))
  })

  test('a report that cannot be created: exit code 3 in two lines, nothing is sent', async () => {
    const dir = newFolder()
    for (const path of [dir, join(dir, 'none/report.jsonl')]) {
      const end = await get([url('a.bin'), '-d', join(dir, 'out'), '--report', path])
      expect([path, end.code]).toEqual([path, 3])
      expectClear(end, path, 'Give another file with --report')
      // What could not start has no sums.
      expect(end.stderr).not.toContain(' ok, ')
    }
    expect(origin.requests).toHaveLength(0)
  })

  test('a refused port: named, exit code 1, the rest is downloaded', async () => {
    const gone = await createFaultOrigin()
    await gone.close()
    const dir = newFolder()
    const end = await get([`${gone.url}/x.bin`, url('a.bin'), '-d', dir])
    expect(end.code).toBe(1)
    expectClear(end, `${gone.url}/x.bin`, 'Check that the server is up')
    expect(fileNames(dir)).toEqual(['a.bin'])
  })

  test('a name that climbs out, a folder where a file should be, a link out: exit code 1 each', async () => {
    const dir = newFolder()
    const out = join(dir, 'out')
    mkdirSync(join(out, 'b.bin'), { recursive: true })
    writeFileSync(join(out, 'sub'), 'a file')
    symlinkSync(dir, join(out, 'link'))
    const list = join(dir, 'list.txt')
    const lines = [
      [url('x.bin'), '../climbs.bin'],
      [url('b.bin')],
      [url('y.bin'), 'sub/y.bin'],
      [url('z.bin'), 'link/z.bin'],
      [url('good.bin')],
    ]
    writeFileSync(
      list,
      lines.map(([address, name]) => (name ? `${address}\n  out=${name}` : address)).join('\n'),
    )
    const end = await get(['-i', list, '-d', out])
    expect(end.code).toBe(1)
    expectClear(
      end,
      /climbs\.bin.*\(Give a plain name/,
      /b\.bin is a folder.*\(Move the folder away/,
      /sub.*not a folder/,
      /link/,
    )
    expect(end.stderr).toContain('1 ok, 0 skipped, 4 failed of 5')
    expect(existsSync(join(dir, 'climbs.bin'))).toBe(false)
    expect(existsSync(join(dir, 'z.bin'))).toBe(false)
    expect(readFileSync(join(out, 'good.bin')).length).toBe(1000)
  })

  test('a folder that another trawl works in: exit code 3, and it goes on', async () => {
    origin.route('/slow.bin', withFaults(respond.withRange(body('/slow.bin', 10)), faults.latency(1500)))
    const dir = newFolder()
    const first = startCli(['get', url('slow.bin'), '-d', dir])
    await until(() => origin.requests.length === 1)
    const second = await get([url('a.bin'), '-d', dir])
    expect(second.code).toBe(3)
    expectClear(second, `process ${first.child.pid}`)
    expect((await first.end).code).toBe(0)
  })

  test('a journal of a newer trawl: exit code 2, untouched', async () => {
    const dir = newFolder()
    await get([url('a.bin'), '-d', dir])
    const path = join(dir, '.trawl/journal')
    const { crc32 } = await import('node:zlib')
    const bytes = readFileSync(path)
    bytes.writeUInt32LE(99, 8)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12)
    writeFileSync(path, bytes)
    const end = await get([url('b.bin'), '-d', dir])
    expect(end.code).toBe(2)
    expectClear(end, 'newer trawl', path, 'Update trawl')
    expect(readFileSync(path).equals(bytes)).toBe(true)
    expect(existsSync(join(dir, '.trawl/lock'))).toBe(false)
  })

  test('a broken pipe behind -o -', async () => {
    origin.route('/big.bin', respond.withRange(body('/big.bin', 30_000_000)))
    const running = startCli(['get', ...quick, url('big.bin'), '-o', '-'])
    running.child.stdout?.once('data', () => running.child.stdout?.destroy())
    const end = await running.end
    expect(end.code).toBe(1)
    expectClear(end, 'nobody reads it')
  })
})

describeWithVolumes('a full disk', (newVolume) => {
  test('is waited for, then exit code 3; the same command goes on later', async () => {
    const volume = newVolume(3072)
    origin.route('/*', (request) => respond.withRange(body(request.path, 500_000))(request))
    const args = [url('f-[1-8].bin'), '-d', volume.path, '--space-wait', '200ms']
    const first = await get(args)
    expect(first.code).toBe(3)
    expectClear(first, volume.path, 'no space left', 'Make room')
    const done = fileNames(volume.path)
    expect(done.length).toBeGreaterThan(0)
    expect(done.length).toBeLessThan(8)
    expectWhole(volume.path, 500_000)
    volume.resize(32 * 1024)
    origin.reset()
    const second = await get(args)
    expect(second.code).toBe(0)
    expect(fileNames(volume.path)).toHaveLength(8)
    expectWhole(volume.path, 500_000)
    expect(origin.requests.filter((request) => done.includes(request.path.slice(1)))).toEqual([])
  })

  test('a read-only volume: exit code 3', async () => {
    const volume = newVolume(1024)
    volume.setReadOnly(true)
    const end = await get([url('a.bin'), '-d', join(volume.path, 'out')])
    volume.setReadOnly(false)
    expect(end.code).toBe(3)
    expectClear(end, 'read-only', volume.path, '--dir')
  })
})

describe('interrupts', () => {
  const size = 400_000
  const list = (): string => Array.from({ length: 40 }, (_, n) => url(`${n}.bin`)).join('\n')
  const slow = (): void =>
    origin.route('/*', (request) =>
      withFaults(respond.withRange(body(request.path, size)), faults.rate(600_000))(request),
    )
  const start = (dir: string, ...more: string[]) =>
    startCli(['get', ...quick, '-i', '-', '-d', dir, '-j', '4', ...more], { stdin: list() })

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s drains: what is active ends, exit code 130',
    async (signal) => {
      slow()
      const dir = newFolder()
      const running = start(dir)
      await until(() => origin.requests.length >= 4)
      running.child.kill(signal)
      const end = await running.end
      expect(end.stderr.match(/interrupt again to stop at once/g)).toHaveLength(1)
      expect([end.code, end.signal]).toEqual([130, null])
      const done = fileNames(dir)
      expect(done.length).toBeGreaterThanOrEqual(4)
      expect(done.length).toBeLessThan(40)
      expect(origin.requests).toHaveLength(done.length)
      expectWhole(dir, size)
      expect(end.stderr).toContain('unfinished')
      expect(existsSync(join(dir, '.trawl/lock'))).toBe(false)
    },
  )

  test('a second one ends it at once, state kept; the next run fetches nothing twice that was finished', async () => {
    slow()
    const dir = newFolder()
    const running = start(dir)
    await until(() => fileNames(dir).length >= 4 && origin.requests.length >= 8)
    running.child.kill('SIGINT')
    // Two signals that come together are one.
    await until(() => running.stderr().includes('interrupt again'))
    running.child.kill('SIGINT')
    expect((await running.end).code).toBe(130)
    const done = fileNames(dir)
    expect(done.length).toBeLessThan(40)
    expectWhole(dir, size)
    origin.reset()
    origin.route('/*', (request) => respond.withRange(body(request.path, size))(request))
    const next = await runCli(['get', '-i', '-', '-d', dir], { stdin: list() })
    expect(next.code).toBe(0)
    expect(fileNames(dir)).toHaveLength(40)
    expectWhole(dir, size)
    expect(origin.requests.filter((request) => done.includes(request.path.slice(1)))).toEqual([])
  })

  test('a third one is not caught', async () => {
    origin.route('/*', withFaults(respond.whole(body('x', 10)), faults.latency(60_000)))
    const running = startCli(['get', url('a.bin'), '-d', newFolder()])
    await until(() => origin.requests.length === 1)
    for (let i = 0; i < 3; i++) {
      running.child.kill('SIGINT')
      await sleep(20)
    }
    const end = await running.end
    expect(end.code === 130 || end.signal === 'SIGINT').toBe(true)
  })

  test('while standard input is open and silent', async () => {
    const running = startCli(['get', '-i', '-', '-d', newFolder()], { stdin: null })
    running.child.stdin?.write(`${url('a.bin')}\n${url('b.bin')}\n`)
    await until(() => origin.requests.length >= 1)
    await sleep(100)
    running.child.kill('SIGINT')
    expect((await running.end).code).toBe(130)
  })

  test('while a host is held back', async () => {
    origin.route('/*', respond.throttle('600'))
    const running = startCli(['get', '-i', '-', '-d', newFolder()], { stdin: list() })
    await until(() => origin.requests.length >= 1)
    await sleep(100)
    running.child.kill('SIGINT')
    expect((await running.end).code).toBe(130)
  })
})

describe('help', () => {
  test('names the commands, and every flag of get that scripts rely on', async () => {
    const [general, help, version] = await Promise.all([
      runMain(['--help']),
      runMain(['get', '--help']),
      runMain(['--version']),
    ])
    expect([general.code, help.code, version.code]).toEqual([0, 0, 0])
    expect(version.stdout.toString()).toMatch(/^\d+\.\d+\.\d+\n$/)
    for (const command of ['get', 'config'])
      expect(general.stdout.toString()).toMatch(new RegExp(`^  ${command} `, 'm'))
    const text = help.stdout.toString()
    const flags = [
      '-i, --input-file',
      '-d, --dir',
      '-o, --out',
      '-j, --concurrency',
      '-x, --split',
      '--max-per-host',
      '--limit-rate',
      '--retries',
      '--timeout',
      '--header',
      '--referer',
      '--user-agent',
      '--cookies',
      '--proxy',
      '--checksum',
      '--mode',
      '--on-exists',
      '--durability',
      '--name',
      '--space-wait',
      '--max-size',
      '--remote-time',
      '--interface',
      '--report',
      '--json',
      '-q, --quiet',
      '--dry-run',
      '--insecure',
    ]
    for (const flag of flags) expect(text, flag).toContain(`  ${flag}`)
    expect(general.stderr + help.stderr).toBe('')
  })
})

import { existsSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { body, faults, respond, withFaults } from '../../src/testing/index.ts'
import { createTrawl } from '../../src/session/index.ts'
import { startNginx } from '../nginx.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { fileNames, until, useOrigin } from './cli-origin.ts'
import { startCli } from './run-cli.ts'
import { runMain, type MainEnd } from './run-main.ts'

const newFolder = tempFolders()
const origin = await useOrigin()

const url = (path: string): string => `${origin.url}/${path}`
const get = (...args: string[]): Promise<MainEnd> =>
  runMain(['get', '--retry-delay', '1ms', '--retries', '1', ...args])

/** A version of a file: other bytes, an ETag of its own. */
function serve(path: string, version: number, sizeBytes = 1000): void {
  const file = body(`${path}-${version}`, sizeBytes)
  origin.route(
    path,
    respond.withRange(file, { etag: `"v${version}"`, lastModified: new Date(Date.UTC(2024, 0, version)) }),
  )
}

const bytesOf = (path: string, version: number, sizeBytes = 1000): Buffer =>
  body(`${path}-${version}`, sizeBytes).bytes()
const isVersion = (file: string, path: string, version: number, sizeBytes = 1000): boolean =>
  readFileSync(file).equals(bytesOf(path, version, sizeBytes))

describe('--update', () => {
  test('what has not changed is asked about and kept; what has is replaced', async () => {
    const dir = newFolder()
    serve('/a.bin', 1)
    serve('/b.bin', 1)
    await get(url('a.bin'), url('b.bin'), '-d', dir)
    serve('/b.bin', 2, 1500)
    const before = origin.requests.length
    const report = join(newFolder(), 'report.jsonl')
    const end = await get(url('a.bin'), url('b.bin'), '-d', dir, '--update', '--report', report)
    expect([end.code, end.stderr]).toEqual([0, expect.stringContaining('1 ok, 1 skipped, 0 failed of 2')])
    const sent = origin.requests.slice(before)
    expect(sent.map(({ headers }) => headers['if-none-match'])).toEqual(['"v1"', '"v1"'])
    expect(
      sent.every(({ headers }) => headers['if-modified-since'] === 'Mon, 01 Jan 2024 00:00:00 GMT'),
    ).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin', 'b.bin'])
    expect(isVersion(join(dir, 'a.bin'), '/a.bin', 1)).toBe(true)
    expect(isVersion(join(dir, 'b.bin'), '/b.bin', 2, 1500)).toBe(true)
    expect(readFileSync(report, 'utf8')).toContain('"reason":"not-modified"')
    expect((await runMain(['verify', dir])).code).toBe(0)
    // The new version is the one that is asked about from now on.
    await get(url('b.bin'), '-d', dir, '--update')
    expect(origin.requests.at(-1)?.headers['if-none-match']).toBe('"v2"')
  })

  test('without it nothing is asked', async () => {
    const dir = newFolder()
    serve('/a.bin', 1)
    await get(url('a.bin'), '-d', dir)
    serve('/a.bin', 2)
    const end = await get(url('a.bin'), '-d', dir)
    expect(end.stderr).toContain('0 ok, 1 skipped')
    expect(origin.requests).toHaveLength(1)
  })

  test('hundreds of unchanged files need few connections', async () => {
    const dir = newFolder()
    origin.route('/*', (request) => respond.withRange(body(request.path, 100_000))(request))
    const urls = Array.from({ length: 200 }, (_, n) => url(`f${n}.bin`))
    await get(...urls, '-d', dir, '-j', '4')
    const before = origin.connections
    const end = await get(...urls, '-d', dir, '-j', '4', '--update')
    expect(end.stderr).toContain('0 ok, 200 skipped')
    expect(origin.connections - before).toBeLessThanOrEqual(6)
  })

  test('a server that knows no conditions: the headers decide, the body is not taken', async () => {
    const dir = newFolder()
    const big = 4 * 1024 * 1024
    origin.route('/tagged.bin', respond.whole(body('/tagged.bin', big), { etag: '"one"' }))
    origin.route('/dated.bin', respond.whole(body('/dated.bin', big), { etag: null }))
    await get(url('tagged.bin'), url('dated.bin'), '-d', dir)
    const end = await get(url('tagged.bin'), url('dated.bin'), '-d', dir, '--update', '--json')
    const last = JSON.parse(end.stdout.toString().trimEnd().split('\n').at(-1) ?? '') as {
      stats: { skipped: number; fetchedBytes: number }
    }
    expect(last.stats).toMatchObject({ skipped: 2, fetchedBytes: 0 })
    // The same date and another length is another version.
    origin.route('/dated.bin', respond.whole(body('/dated.bin-2', big + 1), { etag: null }))
    expect((await get(url('dated.bin'), '-d', dir, '--update')).stderr).toContain('1 ok')
    expect(isVersion(join(dir, 'dated.bin'), '/dated.bin', 2, big + 1)).toBe(true)
  })

  test('a server that tells nothing of versions: the file comes again', async () => {
    const dir = newFolder()
    origin.route('/a.bin', respond.withRange(body('/a.bin-1', 1000), { etag: null, lastModified: null }))
    await get(url('a.bin'), '-d', dir)
    origin.route('/a.bin', respond.withRange(body('/a.bin-2', 1000), { etag: null, lastModified: null }))
    expect((await get(url('a.bin'), '-d', dir, '--update')).stderr).toContain('1 ok')
    expect(isVersion(join(dir, 'a.bin'), '/a.bin', 2)).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin'])
  })

  test.each([404, 500])(
    'a server that answers %i: a failure, and the finished file stays finished',
    async (status) => {
      const dir = newFolder()
      serve('/a.bin', 1)
      await get(url('a.bin'), '-d', dir)
      origin.route('/a.bin', respond.status(status))
      expect((await get(url('a.bin'), '-d', dir, '--update')).code).toBe(1)
      expect(isVersion(join(dir, 'a.bin'), '/a.bin', 1)).toBe(true)
      const status_ = JSON.parse((await runMain(['status', dir, '--json'])).stdout.toString()) as object
      expect(status_).toMatchObject({ finished: { count: 1 }, failed: { count: 0 } })
      serve('/a.bin', 2)
      expect((await get(url('a.bin'), '-d', dir)).stderr).toContain('1 skipped')
      expect((await get(url('a.bin'), '-d', dir, '--update')).code).toBe(0)
      expect(isVersion(join(dir, 'a.bin'), '/a.bin', 2)).toBe(true)
      expect(fileNames(dir)).toEqual(['a.bin'])
    },
  )

  test('a new version that breaks off: the old one stays until the new one is whole', async () => {
    const dir = newFolder()
    serve('/a.bin', 1)
    await get(url('a.bin'), '-d', dir)
    const file = body('/a.bin-2', 1000)
    origin.route('/a.bin', withFaults(respond.whole(file, { etag: '"v2"' }), faults.shortBy(10)))
    expect((await get(url('a.bin'), '-d', dir, '--update')).code).toBe(1)
    expect(isVersion(join(dir, 'a.bin'), '/a.bin', 1)).toBe(true)
    serve('/a.bin', 2)
    // Begun is to be finished, also without asking.
    expect((await get(url('a.bin'), '-d', dir)).stderr).toContain('1 ok')
    expect(isVersion(join(dir, 'a.bin'), '/a.bin', 2)).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin'])
  })

  test('what somebody made of a file in the meantime stays; the new version gets a name beside it', async () => {
    const dir = newFolder()
    serve('/a.bin', 1)
    await get(url('a.bin'), '-d', dir)
    // Of the same length, so that a look does not tell.
    writeFileSync(join(dir, 'a.bin'), Buffer.alloc(1000, 'mine'))
    serve('/a.bin', 2)
    expect((await get(url('a.bin'), '-d', dir, '--update')).code).toBe(0)
    expect(fileNames(dir)).toEqual(['a (1).bin', 'a.bin'])
    expect(readFileSync(join(dir, 'a.bin')).equals(Buffer.alloc(1000, 'mine'))).toBe(true)
    expect(isVersion(join(dir, 'a (1).bin'), '/a.bin', 2)).toBe(true)
    expect((await runMain(['verify', dir])).code).toBe(0)
  })

  test('a file that was removed comes again', async () => {
    const dir = newFolder()
    serve('/a.bin', 1)
    await get(url('a.bin'), '-d', dir)
    rmSync(join(dir, 'a.bin'))
    expect((await get(url('a.bin'), '-d', dir, '--update')).stderr).toContain('1 ok')
    expect(fileNames(dir)).toEqual(['a.bin'])
  })

  test('killed at any moment, with an origin that changes: a whole version under the name, and never a second name', async () => {
    const dir = newFolder()
    const size = 3 * 1024 * 1024
    const file = join(dir, 'a.bin')
    serve('/a.bin', 0, size)
    await get(url('a.bin'), '-d', dir)
    for (let version = 1; version <= 5; version++) {
      const content = body(`/a.bin-${version}`, size)
      origin.route(
        '/a.bin',
        withFaults(
          respond.withRange(content, {
            etag: `"v${version}"`,
            lastModified: new Date(Date.UTC(2024, 0, version)),
          }),
          faults.rate(6 * 1024 * 1024),
        ),
      )
      const asked = origin.requests.length
      const running = startCli(['get', url('a.bin'), '-d', dir, '--update', '--retries', '0'])
      await until(() => origin.requests.length > asked)
      await sleep(60 * version)
      running.child.kill('SIGKILL')
      await running.end
      expect(fileNames(dir)).toEqual(['a.bin'])
      expect(statSync(file).size).toBe(size)
      const whole = Array.from({ length: version + 1 }, (_, n) => n).some((n) =>
        isVersion(file, '/a.bin', n, size),
      )
      expect(whole).toBe(true)
    }
    serve('/a.bin', 9, size)
    expect((await get(url('a.bin'), '-d', dir, '--update')).code).toBe(0)
    // Whatever was begun is finished by the first run; the second sees that it is the latest.
    expect((await get(url('a.bin'), '-d', dir, '--update')).code).toBe(0)
    expect(isVersion(file, '/a.bin', 9, size)).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin'])
    expect(readdirSync(join(dir, '.trawl/parts'))).toEqual([])
    expect((await runMain(['verify', dir])).code).toBe(0)
  }, 60_000)

  test('with another --on-exists it is refused', async () => {
    const dir = newFolder()
    const end = await get(url('a.bin'), '-d', join(dir, 'x'), '--update', '--on-exists', 'overwrite')
    expect([end.code, end.stderr]).toEqual([2, expect.stringContaining('cannot be meant together')])
    expect(existsSync(join(dir, 'x'))).toBe(false)
  })
})

describe('files that are not wanted', () => {
  const skipped = async (...args: string[]): Promise<string[]> => {
    const dir = newFolder()
    const end = await get(url('small.bin'), url('large.bin'), '-d', dir, ...args)
    expect(end.code).toBe(0)
    expect(end.stderr).toContain('0 failed of 2')
    const status = JSON.parse((await runMain(['status', dir, '--json'])).stdout.toString()) as object
    expect(status).toMatchObject({ failed: { count: 0 }, unfinished: { count: 0 }, parts: { count: 0 } })
    return fileNames(dir)
  }

  beforeEach(() => {
    origin.route(
      '/small.bin',
      respond.withRange(body('/small.bin', 100), { lastModified: new Date(Date.UTC(2020, 0, 1)) }),
    )
    origin.route('/large.bin', respond.withRange(body('/large.bin', 50_000), { lastModified: new Date() }))
  })

  test('by size', async () => {
    expect(await skipped('--max-size', '1000')).toEqual(['small.bin'])
    expect(await skipped('--min-size', '1000')).toEqual(['large.bin'])
    expect(await skipped('--max-size', '50000', '--min-size', '100')).toEqual(['large.bin', 'small.bin'])
  })

  test('by age: a date or a duration', async () => {
    expect(await skipped('--newer-than', '2023-01-01')).toEqual(['large.bin'])
    expect(await skipped('--older-than', '2023-01-01T00:00Z')).toEqual(['small.bin'])
    expect(await skipped('--newer-than', '7d')).toEqual(['large.bin'])
    expect(await skipped('--older-than', '7d')).toEqual(['small.bin'])
    const bad = await get(url('a.bin'), '--newer-than', 'yesterday')
    expect([bad.code, bad.stderr]).toEqual([2, expect.stringContaining('--newer-than')])
  })

  test('of a length that shows only while it comes, and where it is known beforehand', async () => {
    origin.route(
      '/large.bin',
      withFaults(respond.whole(body('/large.bin', 50_000)), faults.framing('chunked')),
    )
    expect(await skipped('--max-size', '1000')).toEqual(['small.bin'])
    const dir = newFolder()
    const meta = join(dir, 'x.meta4')
    writeFileSync(
      meta,
      `<metalink xmlns="urn:ietf:params:xml:ns:metalink"><file name="m.bin"><size>50000</size><url>${url('large.bin')}</url></file></metalink>`,
    )
    const before = origin.requests.length
    const end = await get('-i', meta, '-d', join(dir, 'out'), '--max-size', '1000')
    expect([end.code, end.stderr]).toEqual([0, expect.stringContaining('1 skipped')])
    expect(origin.requests).toHaveLength(before)
  })

  test('what the server does not tell is not held against a file', async () => {
    for (const path of ['/small.bin', '/large.bin']) {
      const untold = respond.whole(body(path, 100), { lastModified: null })
      origin.route(path, withFaults(untold, faults.framing('chunked')))
    }
    expect(await skipped('--newer-than', '1d', '--min-size', '1000')).toEqual(['large.bin', 'small.bin'])
  })
})

describeWith(['nginx'], 'beside nginx', () => {
  test('304 for what is the same, the new version for what is not, and a copy for another folder', async () => {
    await using nginx = await startNginx([''])
    const [base = ''] = nginx.urls
    const paths = Array.from({ length: 30 }, (_, n) => `f${n}.bin`)
    for (const path of paths) writeFileSync(join(nginx.www, path), body(path, 20_000).bytes())
    writeFileSync(join(nginx.www, 'large.bin'), body('one', 3_000_000).bytes())
    const dir = newFolder()
    const urls = [...paths, 'large.bin'].map((path) => `${base}/${path}`)
    expect((await get(...urls, '-d', dir)).code).toBe(0)
    writeFileSync(join(nginx.www, 'f3.bin'), body('new', 10_000).bytes())
    writeFileSync(join(nginx.www, 'large.bin'), body('two', 2_500_000).bytes())
    const end = await get(...urls, '-d', dir, '--update')
    expect([end.code, end.stderr]).toEqual([0, expect.stringContaining('2 ok, 29 skipped')])
    expect(readFileSync(join(dir, 'f3.bin')).equals(body('new', 10_000).bytes())).toBe(true)
    expect(readFileSync(join(dir, 'large.bin')).equals(body('two', 2_500_000).bytes())).toBe(true)
    const other = newFolder()
    const copied = await get(...urls, '-d', other, '--reuse', dir)
    expect(copied.stderr).toContain('0 ok, 31 skipped')
    for (const name of fileNames(other))
      expect(readFileSync(join(other, name)).equals(readFileSync(join(nginx.www, name))), name).toBe(true)
    // The library does it too.
    await using trawl = await createTrawl({ dir, update: true })
    const { stats } = await trawl.get(urls).result
    expect(stats).toMatchObject({ ok: 0, skipped: 31 })
  })
})

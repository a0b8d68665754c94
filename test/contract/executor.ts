import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ExecutorProperties, RateLimiter } from '../../src/engine/index.ts'
import { createCookieJar } from '../../src/http/index.ts'
import { body, createFaultOrigin, faults, respond, withFaults } from '../../src/testing/index.ts'
import type { Behaviour, FaultOrigin } from '../../src/testing/index.ts'
import { EngineCase, outcomeOf, task, tasks, type EngineCaseOptions } from '../engine/engine-case.ts'

const sized =
  (sizeBytes: number): Behaviour =>
  (request) =>
    respond.withRange(body(request.path, sizeBytes))(request)

const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')
const parts = (dir: string): string[] => readdirSync(join(dir, '.trawl/parts'))

/** The file that stands under the last segment of a path has the bytes that the origin has under the path. */
function expectFile(dir: string, path: string, sizeBytes: number): void {
  const file = readFileSync(join(dir, basename(path)))
  expect(file.equals(body(path, sizeBytes).bytes()), `${path}, ${file.length} bytes`).toBe(true)
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

/** A limiter that books what is charged and lets nobody wait for long. */
function bookingLimiter(waitMs: number): {
  readonly limiter: RateLimiter
  readonly charges: { readonly bytes: number; readonly itemId: string | number }[]
} {
  const charges: { readonly bytes: number; readonly itemId: string | number }[] = []
  const limiter: RateLimiter = {
    take(bytes, { itemId }) {
      if (bytes > 0) charges.push({ bytes, itemId })
      return bytes > 0 ? waitMs : 0
    },
    release: () => {},
    update: () => {},
    limitItem: () => {},
    onUpdate: () => () => {},
    overloaded: () => false,
    size: { hosts: 0, items: 0 },
  }
  return { limiter, charges }
}

/**
 * What every executor does for a run: that of this thread, one after the other, threads and processes. Each case goes
 * over real sockets into a real folder.
 */
export function describeExecutorContract(mode: ExecutorProperties['mode']): void {
  let origin: FaultOrigin
  beforeAll(async () => {
    origin = await createFaultOrigin()
  })
  afterAll(() => origin.close())
  beforeEach(() => origin.reset())
  const open = (options: EngineCaseOptions = {}): EngineCase => new EngineCase({ ...options, mode })
  const isAlone = mode === 'loop'

  describe(`executor contract, ${mode}: whole files`, () => {
    test.each([0, 1, 12_000, 300_000, 1024 * 1024 - 1])('of %i bytes', async (size) => {
      origin.route('/*', sized(size))
      await using sut = open()
      const end = await sut.run(tasks(origin.url, ['/a.bin', '/b.bin', '/c.bin']))
      expect(end.stats).toMatchObject({ ok: 3, sizeBytes: 3 * size, fetchedBytes: 3 * size })
      for (const path of ['/a.bin', '/b.bin', '/c.bin']) expectFile(sut.dir, path, size)
      expect(parts(sut.dir)).toEqual([])
      expect(outcomeOf(end, '/a.bin')).toMatchObject({
        status: 'ok',
        path: 'a.bin',
        attempts: 1,
        httpStatus: 200,
        contentType: 'application/octet-stream',
        url: `${origin.url}/a.bin`,
      })
    })

    test('four hundred of them, each asked for once', async () => {
      origin.route('/*', sized(5000))
      await using sut = open()
      const paths = Array.from({ length: 400 }, (_, n) => `/${n}.bin`)
      const end = await sut.run(tasks(origin.url, paths))
      expect(end.stats).toMatchObject({ planned: 400, ok: 400 })
      for (const path of paths) expectFile(sut.dir, path, 5000)
      expect(origin.requests).toHaveLength(400)
      expect(parts(sut.dir)).toEqual([])
    })

    test('without a length, and with one that nobody told', async () => {
      origin.route('/*', withFaults(sized(40_000), faults.framing('chunked')))
      await using sut = open()
      const end = await sut.run(tasks(origin.url, ['/a.bin']))
      expect(outcomeOf(end, '/a.bin')).toMatchObject({ status: 'ok', unverifiedLength: true })
      expectFile(sut.dir, '/a.bin', 40_000)
    })

    test('of one name get numbers', async () => {
      origin.route('/*', sized(100))
      await using sut = open()
      const end = await sut.run(tasks(origin.url, ['/x/a.bin', '/y/a.bin', '/z/a.bin']))
      expect(end.stats.ok).toBe(3)
      expect(names(sut.dir).toSorted()).toEqual(['a (1).bin', 'a (2).bin', 'a.bin'])
      for (const path of ['/x/a.bin', '/y/a.bin', '/z/a.bin']) {
        const file = readFileSync(join(sut.dir, outcomeOf(end, path).path ?? ''))
        expect(file.equals(body(path, 100).bytes())).toBe(true)
      }
    })

    test('are named by Content-Disposition', async () => {
      const headers = { 'Content-Disposition': 'attachment; filename="given.bin"' }
      origin.route('/*', respond.whole(body('/download', 500), { headers }))
      await using sut = open()
      expect(outcomeOf(await sut.run(tasks(origin.url, ['/download'])), '/download').path).toBe('given.bin')
    })

    test('with their digests', async () => {
      origin.route('/*', sized(70_000))
      await using sut = open()
      const value = createHash('sha256').update(body('/a.bin', 70_000).bytes()).digest('hex')
      const wanted = [{ algorithm: 'sha-256', value }] as const
      const end = await sut.run([task(`${origin.url}/a.bin`, { digests: wanted })])
      expect(outcomeOf(end, '/a.bin')).toMatchObject({ status: 'ok', digest: wanted[0] })
    })
  })

  describe(`executor contract, ${mode}: large files`, () => {
    const size = 6_000_000

    test('in segments, as many at once as were asked for', async () => {
      origin.route('/*', withFaults(sized(size), faults.rate(2_000_000)))
      await using sut = open()
      const end = await sut.run([task(`${origin.url}/large.bin`, { split: 4 })])
      expect(end.stats).toMatchObject({ ok: 1, sizeBytes: size })
      expectFile(sut.dir, '/large.bin', size)
      expect(origin.maxActive).toBeGreaterThan(1)
      expect(origin.maxActive).toBeLessThanOrEqual(4)
      expect(origin.requests.filter((each) => each.range !== undefined).length).toBeGreaterThan(0)
      expect(parts(sut.dir)).toEqual([])
    })

    test('with their digest, also in segments', async () => {
      origin.route('/*', sized(size))
      await using sut = open()
      const value = createHash('sha256').update(body('/large.bin', size).bytes()).digest('hex')
      const digests = [{ algorithm: 'sha-256', value }] as const
      const end = await sut.run([task(`${origin.url}/large.bin`, { split: 3, digests })])
      expect(outcomeOf(end, '/large.bin')).toMatchObject({ status: 'ok', digest: digests[0] })
    })

    test('go on where a connection broke', async () => {
      origin.route('/*', withFaults(sized(size), faults.onNth(1, faults.cutAfter(4_500_000, 'rst'))))
      await using sut = open()
      const end = await sut.run([task(`${origin.url}/large.bin`, { split: 1 })])
      expect(end.stats).toMatchObject({ ok: 1 })
      expectFile(sut.dir, '/large.bin', size)
      expect(end.stats.fetchedBytes).toBeLessThan(size + 1_000_000)
      expect(origin.requests.at(-1)?.range).toMatch(/^bytes=[1-9]/)
    })

    test('go on in the next run where the last one was aborted', async () => {
      origin.route('/*', withFaults(sized(size), faults.onNth(1, faults.stallAfter(4_500_000))))
      await using sut = open({ timeoutMs: 60_000 })
      const list = [task(`${origin.url}/large.bin`, { split: 1 })]
      const first = sut.start(list)
      await until(() => first.run.progress().fetchedBytes >= 4_400_000)
      first.abort()
      expect((await first.end).stats).toMatchObject({ ok: 0, failed: 0, unfinished: 1 })
      expect(parts(sut.dir)).toHaveLength(1)
      const second = await sut.run(list)
      expect(second.stats.ok).toBe(1)
      expect(second.stats.fetchedBytes).toBeLessThan(size - 2_000_000)
      expectFile(sut.dir, '/large.bin', size)
    })
  })

  describe(`executor contract, ${mode}: what fails`, () => {
    test('a file that is not there fails alone', async () => {
      origin.route('/*', sized(1000))
      origin.route('/gone.bin', respond.status(404))
      await using sut = open()
      const end = await sut.run(tasks(origin.url, ['/a.bin', '/gone.bin', '/b.bin']))
      expect(end.stats).toMatchObject({ ok: 2, failed: 1, failures: { ERR_HTTP_NOT_FOUND: 1 } })
      expect(outcomeOf(end, '/gone.bin')).toMatchObject({ httpStatus: 404, attempts: 1 })
      expect(names(sut.dir).toSorted()).toEqual(['a.bin', 'b.bin'])
    })

    test('what may pass is tried again', async () => {
      origin.route(
        '/*',
        withFaults(
          sized(50_000),
          faults.onNth(1, faults.cutAfter(20_000, 'rst')),
          faults.onNth(2, faults.instead(respond.status(500))),
        ),
      )
      await using sut = open()
      const end = await sut.run(tasks(origin.url, ['/a.bin']))
      expect(outcomeOf(end, '/a.bin')).toMatchObject({ status: 'ok', attempts: 3 })
      expectFile(sut.dir, '/a.bin', 50_000)
      expect(end.stats.retries).toBe(2)
    })

    test('a page in place of the file', async () => {
      origin.route('/*', respond.html())
      await using sut = open()
      const end = await sut.run(tasks(origin.url, ['/a.zip']))
      expect(outcomeOf(end, '/a.zip')).toMatchObject({
        status: 'failed',
        httpStatus: 200,
        error: { code: 'ERR_CONTENT_UNEXPECTED' },
      })
      expect(names(sut.dir)).toEqual([])
      expect(parts(sut.dir)).toEqual([])
    })

    test.each([20_000, 3_000_000])('other bytes than their digest says, %i of them', async (size) => {
      origin.route('/*', sized(size))
      await using sut = open({ retry: { retries: 0 } })
      const digests = [{ algorithm: 'sha-256', value: '0'.repeat(64) }] as const
      const end = await sut.run([task(`${origin.url}/a.bin`, { digests })])
      expect(outcomeOf(end, '/a.bin')).toMatchObject({
        status: 'failed',
        error: { code: 'ERR_DIGEST_MISMATCH' },
      })
      expect(names(sut.dir)).toEqual([])
      expect(parts(sut.dir)).toEqual([])
    })

    test('a mirror that fails is left for the next', async () => {
      origin.route('/bad/*', respond.status(404))
      origin.route('/good/*', respond.withRange(body('mirrored', 5000)))
      await using sut = open()
      const end = await sut.run([task([`${origin.url}/bad/a.bin`, `${origin.url}/good/a.bin`])])
      expect(end.stats.ok).toBe(1)
      expect(readFileSync(join(sut.dir, 'a.bin')).equals(body('mirrored', 5000).bytes())).toBe(true)
    })
  })

  describe(`executor contract, ${mode}: what is not wanted`, () => {
    test.each([1000, 3_000_000])('the very file is there already, %i bytes', async (size) => {
      origin.route('/*', sized(size))
      await using sut = open()
      const there = join(sut.dir, 'a.bin')
      writeFileSync(there, Buffer.alloc(size, 1))
      utimesSync(there, new Date(), new Date(Date.UTC(2024, 0, 1)))
      const end = await sut.run(tasks(origin.url, ['/a.bin']))
      expect(outcomeOf(end, '/a.bin')).toMatchObject({
        status: 'skipped',
        skipReason: 'exists',
        path: 'a.bin',
      })
      expect(readFileSync(there).every((byte) => byte === 1)).toBe(true)
      expect(end.stats.fetchedBytes).toBe(0)
      expect(parts(sut.dir)).toEqual([])
    })

    test('the file of a stranger under the name stays, ours gets another', async () => {
      origin.route('/*', sized(1000))
      await using sut = open()
      writeFileSync(join(sut.dir, 'a.bin'), 'mine')
      const end = await sut.run(tasks(origin.url, ['/a.bin']))
      expect(outcomeOf(end, '/a.bin')).toMatchObject({ status: 'ok', path: 'a (1).bin' })
      expect(readFileSync(join(sut.dir, 'a.bin'), 'utf8')).toBe('mine')
    })

    test('a second run fetches nothing', async () => {
      origin.route('/*', sized(1000))
      await using sut = open()
      const list = tasks(origin.url, ['/a.bin', '/b.bin'])
      await sut.run(list)
      expect((await sut.run(list)).stats).toMatchObject({ skipped: 2, fetchedBytes: 0 })
      expect(origin.requests).toHaveLength(2)
    })
  })

  describe(`executor contract, ${mode}: being stopped`, () => {
    const paths = Array.from({ length: 40 }, (_, n) => `/${n}.bin`)

    test('drain ends what is active and starts nothing new', async () => {
      let answer = (): void => {}
      const wait = new Promise<void>((resolve) => (answer = resolve))
      origin.route('/*', async (request) => {
        await wait
        return sized(100_000)(request)
      })
      await using sut = open({ limits: { perHost: 4 } })
      const running = sut.start(tasks(origin.url, paths))
      const atOnce = isAlone ? 1 : 4
      await until(() => origin.requests.length === atOnce)
      running.run.drain()
      answer()
      const end = await running.end
      expect(end.stats).toMatchObject({ planned: 40, ok: atOnce, unfinished: 40 - atOnce })
      for (const name of names(sut.dir)) expectFile(sut.dir, `/${name}`, 100_000)
      expect(origin.requests).toHaveLength(atOnce)
    })

    test.each([0, 50_000, 2_500_000])('abort breaks off what is active, at byte %i', async (atByte) => {
      const fault = atByte === 0 ? faults.latency(60_000) : faults.stallAfter(atByte)
      origin.route('/*', withFaults(sized(3_000_000), fault))
      await using sut = open({ limits: { perHost: 4 }, timeoutMs: 60_000 })
      const running = sut.start(tasks(origin.url, paths))
      await until(
        () => origin.requests.length > 0 && running.run.progress().fetchedBytes >= Math.min(1, atByte),
      )
      running.abort()
      const end = await running.end
      expect(end.stats).toMatchObject({ planned: 40, ok: 0, failed: 0, unfinished: 40 })
      expect(names(sut.dir)).toEqual([])
    })

    test('what was left is done by the next run', async () => {
      origin.route('/*', sized(20_000))
      await using sut = open({ limits: { perHost: 3 } })
      const left = paths.map((path) => `/left${path}`)
      const list = tasks(origin.url, left)
      const first = sut.start(list)
      await until(() => first.outcomes.length > 5)
      first.run.drain()
      const { ok } = (await first.end).stats
      expect((await sut.run(list)).stats).toMatchObject({ ok: 40 - ok, skipped: ok })
      // What the test before broke off may still reach the origin.
      expect(origin.requests.filter((each) => each.path.startsWith('/left/'))).toHaveLength(40)
      for (const path of left) expectFile(sut.dir, path, 20_000)
    })
  })

  describe(`executor contract, ${mode}: limits and manners`, () => {
    test.each([
      [12_000, 8],
      [4_000_000, 1],
    ])('every byte of files of %i bytes is charged to its file', async (size, count) => {
      origin.route('/*', sized(size))
      const { limiter, charges } = bookingLimiter(2)
      await using sut = open({ rateLimiter: limiter })
      const list = tasks(
        origin.url,
        Array.from({ length: count }, (_, n) => `/${n}.bin`),
      )
      const end = await sut.run(list)
      expect(end.stats.ok).toBe(count)
      for (const { id } of list) {
        const charged = charges.filter((each) => each.itemId === id)
        expect(charged.reduce((sum, each) => sum + each.bytes, 0)).toBe(size)
        // What is read before it is charged stays small.
        expect(Math.max(...charged.map((each) => each.bytes))).toBeLessThanOrEqual(192 * 1024)
      }
    })

    test('a limit that is set while a file comes holds from then on', async () => {
      origin.route('/*', withFaults(sized(4_000_000), faults.rate(2_000_000)))
      await using sut = open({ timeoutMs: 60_000 })
      const running = sut.start([task(`${origin.url}/a.bin`, { split: 1 })])
      await until(() => running.run.progress().fetchedBytes > 100_000)
      sut.engine.update({ limitRateBps: 10_000 })
      await sleep(600)
      const before = running.run.progress().fetchedBytes
      await sleep(600)
      // 6,000 bytes may come in this time; without a limit it would be more than a million.
      expect(running.run.progress().fetchedBytes - before).toBeLessThan(400_000)
      sut.engine.update({ limitRateBps: 0 })
      running.abort()
      await running.end
    })

    test('Retry-After holds the whole host', async () => {
      let refused = 0
      origin.route('/*', (request) =>
        refused++ === 0 ? respond.throttle('1')(request) : sized(1000)(request),
      )
      await using sut = open({ limits: { perHost: 1 } })
      const end = await sut.run(tasks(origin.url, ['/a.bin', '/b.bin', '/c.bin']))
      expect(end.stats).toMatchObject({ ok: 3, failed: 0 })
      const [first, second] = origin.requests
      expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(950)
      expect(end.events.some((event) => event.type === 'host.paused')).toBe(true)
    })

    test('the most requests at once', async () => {
      origin.route('/*', withFaults(sized(1000), faults.latency(5)))
      await using sut = open({ limits: { perHost: 3 } })
      const paths = Array.from({ length: 60 }, (_, n) => `/${n}.bin`)
      expect((await sut.run(tasks(origin.url, paths))).stats.ok).toBe(60)
      expect(origin.maxActive).toBeLessThanOrEqual(3)
    })

    test('a file that is throttled at its own connection is held back by nobody else', async () => {
      origin.route('/*', sized(2000))
      origin.route('/slow.bin', withFaults(sized(2000), faults.latency(300)))
      await using sut = open()
      const end = await sut.run(tasks(origin.url, ['/slow.bin', '/a.bin', '/b.bin']))
      expect(end.stats.ok).toBe(3)
      if (!isAlone) expect(end.outcomes.at(-1)?.input).toContain('/slow.bin')
    })

    test('cookies that a server sets are sent with what comes later, and are there at the end', async () => {
      origin.route('/login', () => ({
        status: 200,
        headers: { 'Set-Cookie': 'session=abc; Path=/' },
        body: body('/login', 10),
      }))
      origin.route('/file*', (request) =>
        request.headers['cookie']?.includes('session=abc')
          ? sized(1000)(request)
          : respond.status(403)(request),
      )
      const cookies = await createCookieJar()
      await using sut = open({ transport: { cookies } })
      expect((await sut.run(tasks(origin.url, ['/login']))).stats.ok).toBe(1)
      expect(cookies.headerFor(`${origin.url}/x`)).toBe('session=abc')
      const paths = Array.from({ length: 10 }, (_, n) => `/file${n}.bin`)
      expect((await sut.run(tasks(origin.url, paths))).stats).toMatchObject({ ok: 10, failed: 0 })
    })

    test('what happens under way is told: connections, name and size of what is active', async () => {
      origin.route('/*', withFaults(sized(3_000_000), faults.stallAfter(2_200_000)))
      await using sut = open({ timeoutMs: 60_000 })
      const running = sut.start([task(`${origin.url}/large.bin`, { split: 1 })])
      await until(() => running.run.progress().fetchedBytes >= 2_000_000)
      await until(() => (running.run.activeItems(1)[0]?.doneBytes ?? 0) >= 2_000_000)
      expect(running.run.activeItems(1)[0]).toMatchObject({
        name: 'large.bin',
        sizeBytes: 3_000_000,
        connections: 1,
      })
      running.abort()
      await running.end
    })
  })
}

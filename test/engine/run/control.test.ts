import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DownloadTask } from '../../../src/core/index.ts'
import { TrawlError } from '../../../src/core/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { createRateLimiter } from '../../../src/engine/rate-limit/index.ts'
import { EngineCase, task, tasks, type RunEnd } from '../engine-case.ts'

let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => origin.reset())

const sized =
  (sizeBytes: number): Behaviour =>
  (request) =>
    respond.withRange(body(request.path, sizeBytes))(request)

/** A gate that answers wait at, so that a test decides when something ends. */
function gate(): { readonly hold: (inner: Behaviour) => Behaviour; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const hold =
    (inner: Behaviour): Behaviour =>
    async (request) => {
      await opened
      return inner(request)
    }
  return { hold, open: () => open() }
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

/** Tasks without end, counted as they are read. */
function counted(make: (n: number) => DownloadTask, count = Infinity) {
  const seen = { count: 0 }
  function* each(): Generator<DownloadTask> {
    for (let n = 0; n < count; n++) {
      seen.count++
      yield make(n)
    }
  }
  return { seen, input: each() }
}

const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')

/** Whatever stands under a final name is the whole file. */
function expectWholeFiles(dir: string, prefix: string, sizeBytes: number): void {
  for (const name of names(dir)) {
    expect(readFileSync(join(dir, name)).equals(body(`${prefix}${name}`, sizeBytes).bytes()), name).toBe(true)
  }
}

describe('the input', () => {
  test('is not read beyond a window while nothing progresses', async () => {
    const { hold, open } = gate()
    origin.route('/*', hold(sized(10)))
    await using sut = new EngineCase({ limits: { perHost: 4 } })
    const { seen, input } = counted((n) => task(`${origin.url}/${n}.bin`))
    const running = sut.start(input)
    await until(() => origin.requests.length === 4)
    await sleep(50)
    expect(seen.count).toBeLessThan(2000)
    running.run.drain()
    open()
    const end = await running.end
    expect(end.stats.planned).toBeLessThan(2000)
    expect(end.stats.ok).toBe(4)
  })

  test('is not read beyond a bound while nobody reads the outcomes', async () => {
    await using sut = new EngineCase()
    const { seen, input } = counted(
      (n) =>
        ({
          id: n.toString(16).padStart(32, '0'),
          ordinal: n,
          input: String(n),
          refused: new TrawlError('ERR_URL_INVALID', 'not a URL'),
        }) as never,
    )
    const running = sut.start(input, { read: false })
    await sleep(100)
    expect(seen.count).toBeLessThan(10_000)
    running.run.drain()
  })

  test('of 250,000 tasks that are done already is read as fast as their outcomes are, holding few', async () => {
    origin.route('/*', sized(1))
    await using sut = new EngineCase()
    const done = task(`${origin.url}/x`)
    await sut.run([done])
    let read = 0
    function* input(): Generator<DownloadTask[]> {
      while (read < 250_000) {
        const first = read
        read += 250
        yield Array.from({ length: 250 }, (_, i) => ({ ...done, ordinal: first + i }))
      }
    }
    const run = sut.engine.run(input(), {
      destination: sut.destination,
      retry: { retries: 0, baseDelayMs: 1, maxDelayMs: 1, maxRetryAfterMs: 1 },
      spaceWaitMs: 0,
      signal: new AbortController().signal,
    })
    let told = 0
    let mostHeld = 0
    for await (const batch of run.batches()) {
      mostHeld = Math.max(mostHeld, read - told)
      told += batch.length
    }
    expect(told).toBe(250_000)
    expect(mostHeld).toBeLessThan(10_000)
    expect(run.stats()).toMatchObject({ planned: 250_000, skipped: 250_000 })
  })

  test('that fails ends the run with its error, after what was read', async () => {
    origin.route('/*', sized(10))
    await using sut = new EngineCase()
    async function* broken(): AsyncGenerator<DownloadTask> {
      yield task(`${origin.url}/one.bin`)
      yield task(`${origin.url}/two.bin`)
      throw new TrawlError('ERR_INPUT_UNREADABLE', 'the list broke off')
    }
    const end = await sut.run(broken())
    expect(end.error?.code).toBe('ERR_INPUT_UNREADABLE')
    expect(end.stats).toMatchObject({ planned: 2, ok: 2 })
  })

  test('is closed when the run is drained', async () => {
    const { hold, open } = gate()
    origin.route('/*', hold(sized(10)))
    await using sut = new EngineCase({ limits: { perHost: 2 } })
    let closed = false
    async function* input(): AsyncGenerator<DownloadTask> {
      try {
        for (let n = 0; ; n++) yield task(`${origin.url}/${n}.bin`)
      } finally {
        closed = true
      }
    }
    const running = sut.start(input())
    await until(() => origin.requests.length === 2)
    running.run.drain()
    open()
    await running.end
    await until(() => closed)
  })

  test('of nothing is a run of nothing', async () => {
    await using sut = new EngineCase()
    const end = await sut.run([])
    expect(end.stats).toMatchObject({ planned: 0, ok: 0, failed: 0 })
    expect(end.error).toBeUndefined()
  })

  test('what could not be made into a task is a failed outcome in its place', async () => {
    origin.route('/*', sized(10))
    await using sut = new EngineCase()
    const refused = new TrawlError('ERR_URL_INVALID', 'list.txt:2: not a URL')
    const end = await sut.run([
      task(`${origin.url}/one.bin`),
      { id: 'f'.repeat(32), ordinal: 1, input: 'nonsense', refused },
      task(`${origin.url}/two.bin`),
    ])
    expect(end.stats).toMatchObject({ planned: 3, ok: 2, failed: 1, failures: { ERR_URL_INVALID: 1 } })
  })
})

describe('the end of a run that is stopped', () => {
  const paths = Array.from({ length: 60 }, (_, n) => `/${n}.bin`)

  test('drain ends what is active and starts nothing new', async () => {
    const { hold, open } = gate()
    origin.route('/*', hold(sized(300_000)))
    await using sut = new EngineCase({ limits: { perHost: 5 } })
    const running = sut.start(tasks(origin.url, paths))
    await until(() => origin.requests.length === 5)
    running.run.drain()
    running.run.drain()
    open()
    const end = await running.end
    expect(end.stats).toMatchObject({ planned: 60, ok: 5, unfinished: 55 })
    expect(origin.requests).toHaveLength(5)
    expect(names(sut.dir)).toHaveLength(5)
    expectWholeFiles(sut.dir, '/', 300_000)
    expect(end.error).toBeUndefined()
  })

  test.each([0, 100_000, 2_500_000])(
    'abort breaks off what is active, at byte %i, and leaves no half file',
    async (atByte) => {
      const size = 3_000_000
      origin.route(
        '/*',
        withFaults(sized(size), atByte === 0 ? faults.latency(60_000) : faults.stallAfter(atByte)),
      )
      await using sut = new EngineCase({ limits: { perHost: 5 } })
      const running = sut.start(tasks(origin.url, paths))
      await until(
        () => origin.requests.length >= 5 && running.run.progress().fetchedBytes >= Math.min(atByte, 1),
      )
      running.abort()
      const end = await running.end
      expect(end.stats).toMatchObject({ planned: 60, ok: 0, failed: 0, unfinished: 60 })
      expect(names(sut.dir)).toEqual([])
    },
  )

  test('drain, then abort', async () => {
    origin.route('/*', withFaults(sized(500_000), faults.stallAfter(1000)))
    await using sut = new EngineCase({ limits: { perHost: 3 } })
    const running = sut.start(tasks(origin.url, paths))
    await until(() => origin.requests.length === 3)
    running.run.drain()
    await sleep(20)
    running.abort()
    expect((await running.end).stats).toMatchObject({ ok: 0, failed: 0, unfinished: 60 })
  })

  test('abort does not wait until what has arrived is paid for by a rate limit', async () => {
    origin.route('/*', sized(60_000))
    const rateLimiter = createRateLimiter({ totalBps: 1000 })
    await using sut = new EngineCase({ limits: { perHost: 3 }, rateLimiter })
    const running = sut.start(tasks(origin.url, paths))
    await until(() => running.run.progress().fetchedBytes > 0)
    running.abort()
    const end = await running.end
    expect(end.stats.unfinished).toBeGreaterThanOrEqual(57)
    expectWholeFiles(sut.dir, '/', 60_000)
  })

  test('abort before the start', async () => {
    await using sut = new EngineCase()
    const running = sut.start(tasks(origin.url, paths))
    running.abort()
    const end = await running.end
    expect(end.stats.ok + end.stats.failed).toBe(0)
    expect(origin.requests.length).toBeLessThanOrEqual(60)
    expect(names(sut.dir)).toEqual([])
  })

  test('files that wait for another try are unfinished, not failed', async () => {
    origin.route('/*', respond.status(503))
    await using sut = new EngineCase({ retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 } })
    const running = sut.start(tasks(origin.url, paths.slice(0, 5)))
    await until(() => running.events.filter((event) => event.type === 'task.retrying').length === 5)
    running.run.drain()
    expect((await running.end).stats).toMatchObject({ failed: 0, unfinished: 5 })
  })

  test('drain while a host is held back by Retry-After', async () => {
    origin.route('/*', respond.throttle('4'))
    await using sut = new EngineCase()
    const running = sut.start(tasks(origin.url, paths.slice(0, 8)))
    await until(() => running.events.some((event) => event.type === 'host.paused'))
    running.run.drain()
    expect((await running.end).stats).toMatchObject({ failed: 0, unfinished: 8 })
  })

  test('what was left is done by the next run, and nothing is fetched twice', async () => {
    const size = 50_000
    origin.route('/*', sized(size))
    await using sut = new EngineCase({ limits: { perHost: 3 } })
    const list = tasks(origin.url, paths)
    const first = sut.start(list)
    await until(() => first.outcomes.length > 10)
    first.run.drain()
    const firstEnd = await first.end
    expect(firstEnd.stats.unfinished).toBeGreaterThan(0)
    const second = await sut.run(list)
    expect(second.stats).toMatchObject({
      planned: 60,
      skipped: firstEnd.stats.ok,
      ok: 60 - firstEnd.stats.ok,
    })
    expect(origin.requests).toHaveLength(60)
    expectWholeFiles(sut.dir, '/', size)
  })
})

describe('what starts, and when', () => {
  test('pause starts nothing new, resume goes on', async () => {
    origin.route('/*', sized(1000))
    await using sut = new EngineCase({ limits: { perHost: 2 } })
    const running = sut.start(
      tasks(
        origin.url,
        Array.from({ length: 200 }, (_, n) => `/${n}.bin`),
      ),
    )
    await until(() => origin.requests.length > 5)
    running.run.pause()
    await until(() => running.run.progress().active === 0)
    const before = origin.requests.length
    await sleep(50)
    expect(origin.requests).toHaveLength(before)
    expect(before).toBeLessThan(200)
    running.run.resume()
    expect((await running.end).stats.ok).toBe(200)
  })

  test('pause of one host leaves the others alone', async () => {
    const other = await createFaultOrigin()
    other.route('/*', sized(100))
    origin.route('/*', sized(100))
    await using sut = new EngineCase({ limits: { perHost: 2 } })
    const paths = Array.from({ length: 30 }, (_, n) => `/${n}.bin`)
    const running = sut.start([...tasks(origin.url, paths), ...tasks(other.url, paths)])
    running.run.pause({ host: new URL(origin.url).host })
    await until(() => other.requests.length === 30)
    expect(origin.requests.length).toBeLessThanOrEqual(2)
    running.run.resume({ host: new URL(origin.url).host })
    expect((await running.end).stats.ok).toBe(60)
    await other.close()
  })

  test('drain of a paused run ends it', async () => {
    await using sut = new EngineCase()
    const running = sut.start(tasks(origin.url, ['/a.bin', '/b.bin']))
    running.run.pause()
    running.run.drain()
    expect((await running.end).stats.failed).toBe(0)
  })

  test('higher priorities go first', async () => {
    const { hold, open } = gate()
    origin.route('/*', hold(sized(10)))
    await using sut = new EngineCase({ limits: { perHost: 1 } })
    const list = [0, 1, 5, 1, 9].map((priority, n) =>
      task(`${origin.url}/${n}-${priority}.bin`, { priority }),
    )
    const running = sut.start(list)
    await until(() => running.run.progress().waiting === 4)
    open()
    await running.end
    expect(origin.requests.map((request) => request.path)).toEqual([
      '/0-0.bin',
      '/4-9.bin',
      '/2-5.bin',
      '/1-1.bin',
      '/3-1.bin',
    ])
  })

  test.each([1, 3, 7])('never more than %i requests at one time to a host', async (perHost) => {
    origin.route('/*', withFaults(sized(5000), faults.latency(2)))
    await using sut = new EngineCase({ limits: { perHost } })
    const end = await sut.run(
      tasks(
        origin.url,
        Array.from({ length: 80 }, (_, n) => `/${n}.bin`),
      ),
    )
    expect(end.stats.ok).toBe(80)
    expect(origin.maxActive).toBe(perHost)
  })

  test('a total limit holds over all hosts; loop mode is one at a time', async () => {
    const origins = await Promise.all([1, 2, 3].map(() => createFaultOrigin()))
    let active = 0
    let most = 0
    const watched: Behaviour = async (request) => {
      most = Math.max(most, ++active)
      const reply = await sized(2000)(request)
      return { ...reply, latencyMs: 2, onSent: () => void active-- }
    }
    for (const each of origins) each.route('/*', watched)
    const list = (): DownloadTask[] =>
      origins.flatMap((each) =>
        tasks(
          each.url,
          Array.from({ length: 15 }, (_, n) => `/${n}.bin`),
        ),
      )
    for (const [options, limit] of [
      [{ limits: { total: 4 } }, 4],
      [{ mode: 'loop' }, 1],
    ] as const) {
      most = 0
      await using sut = new EngineCase(options)
      expect((await sut.run(list())).stats.ok).toBe(45)
      expect(most).toBe(limit)
    }
    for (const each of origins) await each.close()
  })

  test('a host that is held back does not hold up the others', async () => {
    const slow = await createFaultOrigin()
    slow.route('/*', withFaults(sized(10), faults.latency(60_000)))
    origin.route('/*', sized(10))
    await using sut = new EngineCase({ limits: { perHost: 2 } })
    // Far more for the slow host than the window holds, in front of the others.
    const { input } = counted((n) => task(n < 900 ? `${slow.url}/${n}.bin` : `${origin.url}/${n}.bin`), 960)
    const running = sut.start(input)
    await until(() => running.outcomes.length === 60)
    running.abort()
    expect((await running.end).stats).toMatchObject({ ok: 60, unfinished: 900 })
    await slow.close()
  })

  test('cancel takes out single items and hosts', async () => {
    const { hold, open } = gate()
    origin.route('/*', hold(sized(10)))
    await using sut = new EngineCase({ limits: { perHost: 1 } })
    const list = tasks(origin.url, ['/a.bin', '/b.bin', '/c.bin', '/d.bin'])
    const running = sut.start(list)
    await until(() => origin.requests.length === 1)
    running.run.cancel({ id: list[2]?.id ?? '' })
    open()
    const end = await running.end
    expect(end.outcomes.find((each) => each.input.endsWith('/c.bin'))?.status).toBe('unfinished')
    expect(end.stats).toMatchObject({ ok: 3, unfinished: 1 })
  })
})

describe('events and sums', () => {
  test('every task is told as started and finished; retries in between', async () => {
    origin.route('/*', (request) => (request.path === '/bad.bin' ? respond.status(500) : sized(10))(request))
    await using sut = new EngineCase({ retry: { retries: 1 } })
    const end: RunEnd = await sut.run(tasks(origin.url, ['/a.bin', '/bad.bin', '/b.bin']))
    const kinds = (type: string): number => end.events.filter((event) => event.type === type).length
    expect([kinds('task.started'), kinds('task.finished'), kinds('task.retrying')]).toEqual([3, 3, 1])
    expect(end.stats).toMatchObject({
      ok: 2,
      failed: 1,
      retries: 1,
      sizeBytes: 20,
      failures: { ERR_HTTP_SERVER: 1 },
    })
  })

  test('progress adds up while it runs', async () => {
    origin.route('/*', withFaults(sized(200_000), faults.rate(2_000_000)))
    await using sut = new EngineCase({ limits: { perHost: 4 } })
    const running = sut.start(
      tasks(
        origin.url,
        Array.from({ length: 12 }, (_, n) => `/${n}.bin`),
      ),
    )
    let looked = 0
    let lastBytes = 0
    while (running.outcomes.length < 12) {
      const { planned, ok, skipped, failed, active, waiting, doneBytes, knownBytes } = running.run.progress()
      expect(ok + skipped + failed + active + waiting).toBe(planned)
      expect(doneBytes).toBeGreaterThanOrEqual(lastBytes)
      expect(knownBytes).toBeGreaterThanOrEqual(doneBytes)
      lastBytes = doneBytes
      for (const item of running.run.activeItems(3)) expect(item.doneBytes).toBeLessThanOrEqual(200_000)
      expect(running.run.activeItems(3).length).toBeLessThanOrEqual(3)
      looked++
      await sleep(5)
    }
    await running.end
    expect(looked).toBeGreaterThan(3)
    expect(running.run.progress()).toMatchObject({
      plannedIsFinal: true,
      doneBytes: 2_400_000,
      fetchedBytes: 2_400_000,
    })
  })

  test('the journal tells the same outcomes as the run', async () => {
    origin.route('/*', (request) => (request.path.includes('bad') ? respond.status(404) : sized(10))(request))
    await using sut = new EngineCase()
    const end = await sut.run(tasks(origin.url, ['/a.bin', '/bad.bin', '/b.bin']))
    const journaled = await Array.fromAsync(sut.destination.outcomes())
    const brief = (list: readonly { input: string; status: string }[]): string[] =>
      list.map((each) => `${each.status} ${each.input}`).toSorted()
    expect(brief(journaled)).toEqual(brief(end.outcomes))
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createEngine, createGovernor, MemoryDestination, ByteBudget } from '../../../src/engine/index.ts'
import { createTransport } from '../../../src/http/index.ts'
import { body, createFaultOrigin, faults, respond, withFaults } from '../../../src/testing/index.ts'
import type { Behaviour, FaultOrigin } from '../../../src/testing/index.ts'
import { EngineCase, outcomeOf, task, tasks } from '../engine-case.ts'

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

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

/** The worker processes of this one. */
function workerPids(): number[] {
  return readdirSync(`/proc/${process.pid}/task`)
    .flatMap((thread) => {
      try {
        return readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8').split(' ')
      } catch {
        return []
      }
    })
    .filter((pid) => pid.trim() !== '')
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('transfer-worker')
      } catch {
        return false
      }
    })
}

function kill(pid: number | undefined): void {
  if (pid !== undefined) process.kill(pid, 'SIGKILL')
}

const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')

const onLinux = test.skipIf(process.platform !== 'linux')

describe('a worker process that is killed', () => {
  onLinux('in the middle of a list: all files right, none twice but what was in flight', async () => {
    const size = 20_000
    origin.route('/*', withFaults(sized(size), faults.latency(2)))
    await using sut = new EngineCase({ mode: 'processes', limits: { perHost: 16 } })
    const paths = Array.from({ length: 600 }, (_, n) => `/${n}.bin`)
    const running = sut.start(tasks(origin.url, paths))
    let killed = 0
    for (const share of [100, 250, 400]) {
      await until(() => running.outcomes.length >= share && workerPids().length > 0)
      kill(workerPids()[0])
      killed++
    }
    const end = await running.end
    expect(end.stats).toMatchObject({ planned: 600, ok: 600, failed: 0, retries: 0 })
    for (const path of paths) {
      expect(readFileSync(join(sut.dir, path)).equals(body(path, size).bytes()), path).toBe(true)
    }
    expect(origin.requests.length).toBeLessThanOrEqual(600 + killed * 16)
    expect(readdirSync(join(sut.dir, '.trawl/parts'))).toEqual([])
    const told = end.events.filter(
      (event) => event.type === 'job.notice' && event.message.includes('a worker died: signal SIGKILL'),
    )
    expect(told).toHaveLength(killed)
  })

  onLinux('in the middle of a large file: it goes on from what was told to be safe', async () => {
    const size = 8_000_000
    origin.route('/*', withFaults(sized(size), faults.onNth(1, faults.stallAfter(6_500_000))))
    await using sut = new EngineCase({ mode: 'processes', timeoutMs: 60_000 })
    const running = sut.start([task(`${origin.url}/large.bin`, { split: 1 })])
    await until(() => running.run.progress().fetchedBytes >= 6_400_000)
    kill(workerPids()[0])
    const end = await running.end
    expect(end.stats).toMatchObject({ ok: 1, failed: 0 })
    expect(readFileSync(join(sut.dir, 'large.bin')).equals(body('/large.bin', size).bytes())).toBe(true)
    // Every two mebibytes are safe.
    expect(end.stats.fetchedBytes).toBeLessThan(size + 3_000_000)
    expect(origin.requests.at(-1)?.range).toMatch(/^bytes=[4-9]\d{6}-/)
  })

  onLinux('a segmented file loses no connection for good', async () => {
    const size = 12_000_000
    origin.route('/*', withFaults(sized(size), faults.rate(3_000_000)))
    await using sut = new EngineCase({ mode: 'processes' })
    const running = sut.start([task(`${origin.url}/large.bin`, { split: 3 })])
    await until(() => running.run.progress().fetchedBytes >= 5_000_000)
    kill(workerPids()[0])
    const end = await running.end
    expect(end.stats).toMatchObject({ ok: 1, failed: 0 })
    expect(readFileSync(join(sut.dir, 'large.bin')).equals(body('/large.bin', size).bytes())).toBe(true)
  })

  onLinux('again and again with the same file: that file fails and says why, others do not', async () => {
    origin.route('/*', sized(1000))
    origin.route('/poison.bin', withFaults(sized(1000), faults.latency(60_000)))
    await using sut = new EngineCase({ mode: 'processes', workers: 1, timeoutMs: 60_000 })
    const running = sut.start(tasks(origin.url, ['/poison.bin', '/a.bin', '/b.bin']))
    for (let times = 1; times <= 3; times++) {
      await until(() => origin.requests.filter((each) => each.path === '/poison.bin').length === times)
      kill(workerPids()[0])
    }
    const end = await running.end
    expect(end.stats).toMatchObject({ ok: 2, failed: 1 })
    expect(outcomeOf(end, '/poison.bin').error).toMatchObject({
      code: 'ERR_WORKER_CRASHED',
      message: '3 workers died with this file: signal SIGKILL',
    })
    expect(names(sut.dir).toSorted()).toEqual(['a.bin', 'b.bin'])
  })

  onLinux('as fast as they are started: the run ends, and the next one does it all', async () => {
    let served = sized(1000)
    origin.route('/*', (request) => served(request))
    served = withFaults(served, faults.latency(60_000))
    await using sut = new EngineCase({ mode: 'processes', limits: { perHost: 2 }, timeoutMs: 60_000 })
    const list = tasks(
      origin.url,
      Array.from({ length: 30 }, (_, n) => `/${n}.bin`),
    )
    const running = sut.start(list)
    const state = { over: false }
    void running.end.then(() => (state.over = true))
    let asked = 0
    for (let rounds = 0; rounds < 100 && !state.over; rounds++) {
      await until(() => state.over || origin.requests.length > asked)
      asked = origin.requests.length
      for (const pid of workerPids()) kill(pid)
    }
    const end = await running.end
    expect(end.error).toMatchObject({ code: 'ERR_WORKERS_FAILED', exitCode: 3 })
    expect(end.error?.message).toMatch(/signal SIGKILL/)
    expect(end.stats.ok).toBe(0)
    expect(end.stats.failed + end.stats.unfinished).toBe(end.stats.planned)
    served = sized(1000)
    await using again = new EngineCase({ mode: 'processes' })
    expect((await again.run(list)).stats).toMatchObject({ ok: 30, failed: 0 })
  })
})

describe('what cannot leave this thread is refused, with what to use instead', () => {
  const governor = createGovernor({ loadSignals: [] })
  afterAll(() => governor.close())
  const transport = createTransport()
  afterAll(() => transport.close())
  const runOptions = {
    retry: { retries: 0, baseDelayMs: 1, maxDelayMs: 1, maxRetryAfterMs: 1 },
    spaceWaitMs: 0,
    signal: new AbortController().signal,
  }
  const inMemory = new MemoryDestination({
    budget: new ByteBudget(1000),
    maxBodyBytes: 1000,
    take: () => Promise.resolve(''),
  })

  test.each(['threads', 'processes'] as const)('bytes that go elsewhere than to a file: %s', (mode) => {
    const engine = createEngine({ transport, governor, mode, workers: { transport: {}, count: 1 } })
    expect(() => engine.run([], { ...runOptions, destination: inMemory })).toThrow(
      expect.objectContaining({ code: 'ERR_MODE_UNSUPPORTED', exitCode: 2 }),
    )
  })

  test.each(['threads', 'processes'] as const)('a transport of its own: %s', async (mode) => {
    await using sut = new EngineCase()
    const engine = createEngine({ transport, governor, mode })
    expect(() => engine.run([], { ...runOptions, destination: sut.destination })).toThrow(
      /--mode (threads|processes) does not work with requests that this program makes in a way of its own/,
    )
  })

  test.each(['threads', 'processes'] as const)('workers that cannot work end the run: %s', async (mode) => {
    await using sut = new EngineCase()
    const engine = createEngine({
      transport,
      governor,
      mode,
      workers: { transport: { dns: { overrides: ['nonsense'] } }, count: 1 },
    })
    const run = engine.run(tasks(origin.url, ['/a.bin', '/b.bin']), {
      ...runOptions,
      destination: sut.destination,
    })
    const read = async (): Promise<void> => {
      for await (const _ of run.batches());
    }
    await expect(read()).rejects.toMatchObject({ code: 'ERR_WORKERS_FAILED' })
    expect(run.stats()).toMatchObject({ ok: 0, failed: 0, unfinished: 2 })
  })
})

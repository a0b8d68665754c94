import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { EngineCase, task, tasks } from '../engine-case.ts'

let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => origin.reset())

const mebibyte = 1024 * 1024

const slowly =
  (sizeBytes: number, bps: number): Behaviour =>
  (request) =>
    withFaults(respond.withRange(body(request.path, sizeBytes)), faults.rate(bps))(request)

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

const host = (): string => new URL(origin.url).host
const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')
const isWhole = (dir: string, name: string, sizeBytes: number): boolean =>
  readFileSync(join(dir, name)).equals(body(`/${name}`, sizeBytes).bytes())

/** Bytes asked for from where a later request went on, by path. */
const starts = (path: string): (string | undefined)[] =>
  origin.requests.filter((each) => each.path === path).map((each) => each.headers['range'])

describe('pause of what is active', () => {
  const size = 6 * mebibyte

  test.each([
    ['the run', () => ({})],
    ['its host', () => ({ host: host() })],
    ['its host without the port', () => ({ host: '127.0.0.1' })],
    ['the item', (id: string) => ({ id })],
  ])('%s: the transfer stops, keeps its bytes, and goes on from there', async (_name, select) => {
    origin.route('/*', slowly(size, 8 * mebibyte))
    await using sut = new EngineCase({ limits: { perHost: 1 } })
    const wanted = task(`${origin.url}/a.bin`)
    const running = sut.start([wanted])
    await until(() => running.run.progress().doneBytes > 3 * mebibyte)
    running.run.pause(select(wanted.id))
    await until(() => running.run.progress().active === 0)
    const before = running.run.progress()
    await sleep(100)
    expect(running.run.progress()).toMatchObject({ active: 0, waiting: 1, fetchedBytes: before.fetchedBytes })
    expect(running.outcomes).toEqual([])
    running.run.resume(select(wanted.id))
    const end = await running.end
    expect(end.stats).toMatchObject({ ok: 1, retries: 0 })
    expect(end.outcomes[0]?.attempts).toBe(1)
    expect(isWhole(sut.dir, 'a.bin', size)).toBe(true)
    expect(starts('/a.bin').at(-1)).toMatch(/^bytes=[1-9]\d{6,}-/)
    expect(end.stats.fetchedBytes).toBeLessThan(size + mebibyte)
    expect(end.events.filter((event) => event.type === 'task.started')).toHaveLength(1)
  })

  test('of a server that never answers', async () => {
    origin.route('/*', withFaults(respond.withRange(body('/a.bin', 10)), faults.latency(60_000)))
    await using sut = new EngineCase()
    const running = sut.start([task(`${origin.url}/a.bin`)])
    await until(() => origin.requests.length === 1)
    running.run.pause()
    await until(() => running.run.progress().active === 0)
    origin.route('/*', respond.withRange(body('/a.bin', 10)))
    running.run.resume()
    expect((await running.end).stats).toMatchObject({ ok: 1, failed: 0 })
  })

  test('with drain, what is active goes on to its end', async () => {
    origin.route('/*', slowly(mebibyte, 4 * mebibyte))
    await using sut = new EngineCase({ limits: { perHost: 2 } })
    const running = sut.start(tasks(origin.url, ['/a.bin', '/b.bin', '/c.bin']))
    await until(() => origin.requests.length === 2)
    running.run.pause({ drain: true })
    await until(() => running.outcomes.length === 2)
    expect(running.outcomes.map((each) => each.status)).toEqual(['ok', 'ok'])
    expect(origin.requests).toHaveLength(2)
    running.run.resume()
    expect((await running.end).stats.ok).toBe(3)
  })

  test('pause and resume many times, at any moment, of any item: every file is whole', async () => {
    const sizes = [10, 300_000, 2_500_000]
    const sizeOf = (path: string): number => sizes[Number(/\d+/.exec(path)?.[0]) % sizes.length] ?? 0
    origin.route('/*', (request) => slowly(sizeOf(request.path), 20 * mebibyte)(request))
    await using sut = new EngineCase({ limits: { perHost: 6 } })
    const list = tasks(
      origin.url,
      Array.from({ length: 40 }, (_, n) => `/${n}.bin`),
    )
    const running = sut.start(list)
    for (let round = 0; round < 60; round++) {
      const id = list[round % 7 === 0 ? 0 : (round * 13) % 40]?.id ?? ''
      const which = round % 5 === 0 ? {} : round % 5 === 1 ? { host: host() } : { id }
      running.run.pause(which)
      await sleep(round % 4)
      running.run.resume(which)
      await sleep(round % 3)
    }
    const end = await running.end
    expect(end.stats).toMatchObject({ ok: 40, failed: 0, unfinished: 0 })
    for (const name of names(sut.dir)) expect(isWhole(sut.dir, name, sizeOf(name))).toBe(true)
  })

  test('an item that is held before it is read starts when it is resumed', async () => {
    origin.route('/*', slowly(10, 1000_000))
    await using sut = new EngineCase()
    const list = tasks(origin.url, ['/a.bin', '/b.bin'])
    const [first] = list
    const running = sut.start(list)
    running.run.pause({ id: first?.id ?? '' })
    await until(() => running.outcomes.length === 1)
    expect(running.run.progress()).toMatchObject({ active: 0, waiting: 1 })
    running.run.resume({ id: first?.id ?? '' })
    expect((await running.end).stats.ok).toBe(2)
  })
})

describe('cancel of what is active', () => {
  const size = 8 * mebibyte

  test('abort: unfinished, its part is kept, and the next run goes on from there', async () => {
    origin.route('/*', slowly(size, 8 * mebibyte))
    await using sut = new EngineCase({ limits: { perHost: 1 } })
    const wanted = task(`${origin.url}/a.bin`)
    const running = sut.start([wanted])
    await until(() => running.run.progress().doneBytes > 4 * mebibyte)
    running.run.cancel({ id: wanted.id })
    const end = await running.end
    expect(end.stats).toMatchObject({ ok: 0, failed: 0, unfinished: 1 })
    expect(names(sut.dir)).toEqual([])
    origin.reset()
    origin.route('/*', slowly(size, 100 * mebibyte))
    const second = await sut.run([wanted])
    expect(second.stats.ok).toBe(1)
    expect(second.stats.fetchedBytes).toBeLessThan(size - 3 * mebibyte)
    expect(isWhole(sut.dir, 'a.bin', size)).toBe(true)
  })

  test('drain: the item ends first; a failure is not tried again', async () => {
    origin.route('/drained-a.bin', slowly(2 * mebibyte, 8 * mebibyte))
    origin.route('/drained-c.bin', withFaults(respond.status(503), faults.latency(200)))
    await using sut = new EngineCase({ limits: { perHost: 3 } })
    const list = tasks(origin.url, ['/drained-a.bin', '/drained-c.bin', '/d.bin'])
    const running = sut.start(list)
    await until(() => origin.requests.length >= 2)
    running.run.cancel({ host: host(), drain: true })
    const end = await running.end
    const status = (name: string): string | undefined =>
      end.outcomes.find((each) => each.input.endsWith(name))?.status
    expect(status('/drained-a.bin')).toBe('ok')
    expect(status('/drained-c.bin')).toBe('unfinished')
    expect(origin.requests.filter((each) => each.path === '/drained-c.bin')).toHaveLength(1)
  })

  test('of a host holds for what is still to be read of it, and for nothing else', async () => {
    const other = await createFaultOrigin()
    other.route('/*', slowly(10, 1000_000))
    origin.route('/*', slowly(10, 1000_000))
    await using sut = new EngineCase({ limits: { perHost: 1 } })
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    async function* input() {
      yield task(`${origin.url}/a.bin`)
      await opened
      yield task(`${origin.url}/b.bin`)
      yield task(`${other.url}/c.bin`)
    }
    const running = sut.start(input())
    await until(() => running.outcomes.length === 1)
    running.run.cancel({ host: host() })
    open()
    const end = await running.end
    expect(end.outcomes.map((each) => each.status).toSorted()).toEqual(['ok', 'ok', 'unfinished'])
    expect(origin.requests).toHaveLength(1)
    await other.close()
  })
})

describe('changes while it runs', () => {
  test('priority of one item, of all of a host', async () => {
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => (open = resolve))
    origin.route('/*', async (request) => {
      await opened
      return respond.withRange(body(request.path, 10))(request)
    })
    await using sut = new EngineCase({ limits: { perHost: 1 } })
    const list = tasks(origin.url, ['/0.bin', '/1.bin', '/2.bin', '/3.bin'])
    const running = sut.start(list)
    await until(() => running.run.progress().waiting === 3)
    running.run.update({ priority: 2 }, { host: host() })
    running.run.update({ priority: 7 }, { id: list[3]?.id ?? '' })
    open()
    await running.end
    expect(origin.requests.map((each) => each.path)).toEqual(['/0.bin', '/3.bin', '/1.bin', '/2.bin'])
  })

  test('connections of one file: more, then one', async () => {
    const size = 24 * mebibyte
    let most = 0
    let now = 0
    origin.route('/*', async (request) => {
      most = Math.max(most, ++now)
      return { ...(await slowly(size, mebibyte)(request)), onSent: () => void now-- }
    })
    await using sut = new EngineCase({ limits: { perHost: 16 } })
    const wanted = task(`${origin.url}/a.bin`, { split: 1 })
    const running = sut.start([wanted])
    await until(() => running.run.progress().doneBytes > mebibyte / 2)
    expect(most).toBe(1)
    running.run.update({ split: 6 })
    await until(() => running.run.activeItems(1)[0]?.connections === 6)
    running.run.update({ split: 2 }, { id: wanted.id })
    await until(() => running.run.activeItems(1)[0]?.connections === 2)
    running.run.update({ split: 16 })
    const end = await running.end
    expect(end.stats).toMatchObject({ ok: 1, failed: 0 })
    expect(most).toBeGreaterThanOrEqual(6)
    expect(isWhole(sut.dir, 'a.bin', size)).toBe(true)
  })

  test('further tasks are taken, also when the first input has been read; the sums are final at the end', async () => {
    origin.route('/*', slowly(100_000, mebibyte))
    await using sut = new EngineCase({ limits: { perHost: 2 } })
    const running = sut.start(tasks(origin.url, ['/a.bin', '/b.bin']))
    await until(() => running.run.progress().plannedIsFinal)
    running.run.add(tasks(origin.url, ['/c.bin', '/d.bin', '/e.bin']))
    running.run.add(tasks(origin.url, ['/f.bin']))
    const end = await running.end
    expect(end.stats).toMatchObject({ planned: 6, ok: 6 })
    expect(running.run.progress().plannedIsFinal).toBe(true)
    expect(() => running.run.add([])).toThrow(expect.objectContaining({ code: 'ERR_CANCELLED' }))
  })
})

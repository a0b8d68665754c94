import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
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
import { describeWithVolumes } from '../../small-volume.ts'
import { EngineCase, tasks, type RunEnd } from '../engine-case.ts'

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

function expectWholeFiles(dir: string, sizeBytes: number): number {
  const names = readdirSync(dir).filter((name) => name.endsWith('.bin'))
  for (const name of names) {
    expect(readFileSync(join(dir, name)).equals(body(`/${name}`, sizeBytes).bytes()), name).toBe(true)
  }
  return names.length
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

describeWithVolumes('a full volume', (newVolume) => {
  for (const [sizeBytes, count] of [
    [400_000, 20],
    [1_500_000, 8],
  ] as const) {
    test(`ends the run after the wait, keeps what is whole; the next run does the rest (${sizeBytes} bytes each)`, async () => {
      const volume = newVolume(4096)
      origin.route('/*', sized(sizeBytes))
      const list = tasks(
        origin.url,
        Array.from({ length: count }, (_, n) => `/${n}.bin`),
      )
      let first: RunEnd
      {
        // So few at once that some fit: all would grow alike until none has room.
        await using sut = new EngineCase({ dir: volume.path, limits: { perHost: 2 } })
        first = await sut.run(list)
        expect(first.error).toMatchObject({ code: 'ERR_NO_SPACE', exitCode: 3 })
        expect(first.stats).toMatchObject({ planned: count, failed: 0 })
        expect(first.stats.ok).toBeGreaterThan(0)
        expect(first.stats.unfinished).toBeGreaterThan(0)
        expect(first.events.some((event) => event.type === 'volume.paused')).toBe(true)
      }
      expect(expectWholeFiles(volume.path, sizeBytes)).toBe(first.stats.ok)
      volume.resize(64 * 1024)
      origin.reset()
      await using sut = new EngineCase({ dir: volume.path, limits: { perHost: 4 } })
      const second = await sut.run(list)
      expect(second.error).toBeUndefined()
      expect(second.stats).toMatchObject({ skipped: first.stats.ok, ok: count - first.stats.ok, failed: 0 })
      expect(expectWholeFiles(volume.path, sizeBytes)).toBe(count)
      const finished = new Set(
        first.outcomes.filter((each) => each.status === 'ok').map((each) => each.input),
      )
      for (const request of origin.requests) expect(finished.has(origin.url + request.path)).toBe(false)
    })
  }

  test('is waited for: when there is room the run goes on by itself', async () => {
    const volume = newVolume(40 * 1024)
    writeFileSync(join(volume.path, 'ballast'), Buffer.alloc(38 * 1024 * 1024))
    origin.route('/*', sized(700_000))
    await using sut = new EngineCase({ dir: volume.path, spaceWaitMs: 60_000, limits: { perHost: 4 } })
    const running = sut.start(
      tasks(
        origin.url,
        Array.from({ length: 12 }, (_, n) => `/${n}.bin`),
      ),
    )
    await until(() => running.events.some((event) => event.type === 'volume.paused'))
    await sleep(50)
    expect(running.run.progress().ok).toBeLessThan(4)
    rmSync(join(volume.path, 'ballast'))
    const end = await running.end
    expect(end.error).toBeUndefined()
    expect(end.stats).toMatchObject({ planned: 12, ok: 12, failed: 0 })
    expect(end.events.some((event) => event.type === 'volume.resumed')).toBe(true)
    expect(expectWholeFiles(volume.path, 700_000)).toBe(12)
  })

  test.each(['drain', 'abort', 'drain and abort'])('%s while it is waited for ends the run', async (how) => {
    const volume = newVolume(1024)
    origin.route('/*', sized(300_000))
    await using sut = new EngineCase({ dir: volume.path, spaceWaitMs: 60_000, limits: { perHost: 4 } })
    const running = sut.start(
      tasks(
        origin.url,
        Array.from({ length: 12 }, (_, n) => `/${n}.bin`),
      ),
    )
    await until(() => running.events.some((event) => event.type === 'volume.paused'))
    if (how !== 'abort') running.run.drain()
    if (how !== 'drain') running.abort()
    const end = await running.end
    expect(end.error).toBeUndefined()
    expect(end.stats).toMatchObject({ planned: 12, failed: 0 })
    expectWholeFiles(volume.path, 300_000)
  })

  test.each(['drain', 'abort'])('%s, and the volume gets full afterwards: the run ends', async (how) => {
    const volume = newVolume(1024)
    let opened = (): void => {}
    const gate = new Promise<void>((resolve) => (opened = resolve))
    origin.route('/*', async (request) => {
      await gate
      return sized(600_000)(request)
    })
    await using sut = new EngineCase({ dir: volume.path, spaceWaitMs: 60_000, limits: { perHost: 4 } })
    const running = sut.start(
      tasks(
        origin.url,
        Array.from({ length: 12 }, (_, n) => `/${n}.bin`),
      ),
    )
    await until(() => origin.requests.length === 4)
    running.run.drain()
    opened()
    if (how === 'abort') running.abort()
    const end = await running.end
    expect(end.stats).toMatchObject({ planned: 12, failed: 0 })
    expectWholeFiles(volume.path, 600_000)
  })

  test('abort, and there is no room to note what is kept: the run ends all the same', async () => {
    const volume = newVolume(16 * 1024)
    origin.route('/*', withFaults(sized(3_000_000), faults.rate(1_000_000)))
    await using sut = new EngineCase({ dir: volume.path, spaceWaitMs: 60_000 })
    sut.destination.checkpoint = () => {
      throw new TrawlError('ERR_NO_SPACE', 'no room for the record')
    }
    const running = sut.start(tasks(origin.url, ['/a.bin']))
    await until(() => running.run.progress().doneBytes > 300_000)
    running.abort()
    const end = await running.end
    expect(end.error).toBeUndefined()
    expect(end.stats).toMatchObject({ planned: 1, unfinished: 1 })
  })

  test.each(['threads', 'processes'] as const)('%s: no room for a record fails no file', async (mode) => {
    const volume = newVolume(32 * 1024)
    origin.route('/*', sized(9_000_000))
    await using sut = new EngineCase({ dir: volume.path, mode })
    let refused = 0
    sut.destination.checkpoint = () => {
      refused++
      throw new TrawlError('ERR_NO_SPACE', 'no room for the record')
    }
    const end = await sut.run(tasks(origin.url, ['/a.bin']))
    expect(end.error).toBeUndefined()
    expect(end.stats).toMatchObject({ planned: 1, ok: 1 })
    expect(refused).toBeGreaterThan(0)
  })

  test('transfers that are on their way when the wait is over end before the run does', async () => {
    const volume = newVolume(2048)
    origin.route('/slow.bin', withFaults(sized(200_000), faults.rate(200_000)))
    origin.route('/*', sized(600_000))
    await using sut = new EngineCase({ dir: volume.path, limits: { perHost: 4 } })
    const running = sut.start(
      tasks(origin.url, ['/slow.bin', ...Array.from({ length: 6 }, (_, n) => `/${n}.bin`)]),
    )
    const end = await running.end
    expect(end.error?.code).toBe('ERR_NO_SPACE')
    expect(end.stats.planned).toBe(7)
    // Its bytes were not cut off: it is there, whole.
    expect(end.outcomes.find((each) => each.input.endsWith('/slow.bin'))?.status).toBe('ok')
  })

  test('a read-only volume is told before anything is sent', () => {
    const volume = newVolume(1024)
    volume.setReadOnly(true)
    expect(() => new EngineCase({ dir: join(volume.path, 'out') })).toThrow(
      expect.objectContaining({ code: 'ERR_READ_ONLY', exitCode: 3 }),
    )
    expect(() => new EngineCase({ dir: volume.path })).toThrow(
      expect.objectContaining({ code: 'ERR_READ_ONLY' }),
    )
    volume.setReadOnly(false)
  })
})

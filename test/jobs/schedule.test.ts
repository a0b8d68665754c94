import { setTimeout as sleep } from 'node:timers/promises'
import * as fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { scheduleAt } from '../../src/jobs/index.ts'
import { createTrawl } from '../../src/session/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { runMain } from '../cli/run-main.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { ManualClock } from './manual-clock.ts'

const newFolder = tempFolders()
const mebibyte = 1024 * 1024
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => {
  origin.reset()
  origin.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
})

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    if (holds()) return
    await sleep(5)
  }
  throw new Error('it never came to that')
}

const local = (text: string): number => new Date(text).getTime()

describe('hours', () => {
  test('within a day and over midnight', () => {
    const day = { hours: { fromMinute: 9 * 60, toMinute: 17 * 60 } }
    expect(scheduleAt(day, local('2026-03-02T08:59'))).toEqual({
      open: false,
      untilWallMs: local('2026-03-02T09:00'),
    })
    expect(scheduleAt(day, local('2026-03-02T09:00'))).toEqual({
      open: true,
      untilWallMs: local('2026-03-02T17:00'),
    })
    expect(scheduleAt(day, local('2026-03-02T17:00'))).toEqual({
      open: false,
      untilWallMs: local('2026-03-03T09:00'),
    })
    const night = { hours: { fromMinute: 22 * 60, toMinute: 6 * 60 } }
    expect(scheduleAt(night, local('2026-03-02T23:10'))).toEqual({
      open: true,
      untilWallMs: local('2026-03-03T06:00'),
    })
    expect(scheduleAt(night, local('2026-03-02T05:59'))).toEqual({
      open: true,
      untilWallMs: local('2026-03-02T06:00'),
    })
    expect(scheduleAt(night, local('2026-03-02T12:00'))).toEqual({
      open: false,
      untilWallMs: local('2026-03-02T22:00'),
    })
  })

  test('after a time to start at', () => {
    const rule = { startAtWallMs: local('2026-03-02T12:00'), hours: { fromMinute: 0, toMinute: 60 } }
    expect(scheduleAt(rule, local('2026-03-02T00:30'))).toEqual({
      open: false,
      untilWallMs: local('2026-03-02T12:00'),
    })
    expect(scheduleAt(rule, local('2026-03-02T12:00'))).toEqual({
      open: false,
      untilWallMs: local('2026-03-03T00:00'),
    })
    expect(scheduleAt({ startAtWallMs: 5 }, 5)).toEqual({ open: true, untilWallMs: undefined })
  })

  test('change in the future, at the latest a day from now (and an hour, when clocks are set)', () => {
    const minute = fc.integer({ min: 0, max: 1440 })
    fc.assert(
      fc.property(
        minute,
        minute,
        fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
        (fromMinute, toMinute, at) => {
          const { open, untilWallMs = 0 } = scheduleAt({ hours: { fromMinute, toMinute } }, at.getTime())
          expect(untilWallMs).toBeGreaterThan(at.getTime())
          expect(untilWallMs - at.getTime()).toBeLessThanOrEqual(25 * 3600_000)
          const of = at.getHours() * 60 + at.getMinutes()
          const inside =
            fromMinute < toMinute ? of >= fromMinute && of < toMinute : of >= fromMinute || of < toMinute
          expect(open).toBe(inside)
        },
      ),
    )
  })
})

describe('a job with hours', () => {
  test('waits for them, sends nothing before, and says until when', async () => {
    const clock = new ManualClock('2026-03-02T21:30')
    await using trawl = await createTrawl({ surroundings: { clock }, dir: newFolder() })
    const job = trawl.get([`${origin.url}/a.bin`], { between: '22:00-06:00' })
    const reasons: string[] = []
    job.onEvent((event) => void (event.type === 'job.paused' && reasons.push(event.reason)))
    await until(() => job.status === 'paused')
    clock.moveTo('2026-03-02T21:59')
    await sleep(20)
    expect(origin.requests).toHaveLength(0)
    expect(reasons).toEqual(['goes on at 2026-03-02 22:00'])
    clock.moveTo('2026-03-02T22:00')
    expect((await job.result).status).toBe('done')
    expect(clock.timers).toBe(0)
  })

  test('ends its small files when they are over, stops the large one after a minute, and goes on next day', async () => {
    const size = 6 * mebibyte
    origin.route(
      '/large.bin',
      withFaults(respond.withRange(body('/large.bin', size)), faults.rate(2 * mebibyte)),
    )
    origin.route('/small/*', withFaults(respond.whole(body('s', 100)), faults.latency(20)))
    const clock = new ManualClock('2026-03-02T05:30')
    await using trawl = await createTrawl({
      surroundings: { clock },
      dir: newFolder(),
      maxPerHost: 3,
      split: 1,
    })
    const job = trawl.get([`${origin.url}/large.bin`, `${origin.url}/small/[1-200]`], {
      between: '22:00-06:00',
    })
    await until(() => job.progress().doneBytes > mebibyte)
    clock.moveTo('2026-03-02T06:00')
    expect(job.status).toBe('paused')
    await until(() => job.progress().active === 1)
    const sent = origin.requests.length
    clock.moveTo('2026-03-02T06:01')
    await until(() => job.progress().active === 0)
    expect(origin.requests).toHaveLength(sent)
    clock.moveTo('2026-03-02T22:00')
    expect(job.status).toBe('running')
    const { status, stats } = await job.result
    expect({ status, ...stats }).toMatchObject({ status: 'done', ok: 201 })
    expect(stats.fetchedBytes).toBeLessThan(size + mebibyte)
  })

  test('goes on at once when its user says so, and stays paused at the hour when its user did', async () => {
    const clock = new ManualClock('2026-03-02T21:30')
    await using trawl = await createTrawl({
      surroundings: { clock },
      dir: newFolder(),
      between: '22:00-06:00',
    })
    const first = trawl.get([`${origin.url}/a.bin`])
    await until(() => first.status === 'paused')
    first.resume()
    expect((await first.result).status).toBe('done')
    const second = trawl.get([`${origin.url}/b.bin`])
    await until(() => second.status === 'paused')
    second.pause()
    clock.moveTo('2026-03-02T23:00')
    await sleep(20)
    expect(second.status).toBe('paused')
    expect(origin.requests).toHaveLength(1)
    second.resume()
    expect((await second.result).status).toBe('done')
  })

  test.each([true, false])('is cancelled while it waits (drain: %s)', async (drain) => {
    const clock = new ManualClock('2026-03-02T21:30')
    await using trawl = await createTrawl({ surroundings: { clock }, dir: newFolder() })
    const job = trawl.get([`${origin.url}/a.bin`], { startAt: '23:00' })
    await until(() => job.status === 'paused')
    await job.cancel({ drain })
    expect((await job.result).status).toBe('cancelled')
    expect(clock.timers).toBe(0)
    expect(origin.requests).toHaveLength(0)
  })

  test('on the command line: told, and started at the time', async () => {
    const clock = new ManualClock('2026-03-02T21:30')
    const ending = runMain(
      ['get', `${origin.url}/a.bin`, '-d', newFolder(), '--start-at', '2026-03-03T02:00'],
      { clock },
    )
    await until(() => clock.timers > 0)
    clock.moveTo('2026-03-03T01:59')
    expect(origin.requests).toHaveLength(0)
    clock.moveTo('2026-03-03T02:00')
    const { code, stderr } = await ending
    expect(code).toBe(0)
    expect(stderr).toContain('paused: goes on at 2026-03-03 02:00')
    const wrong = await runMain(['get', `${origin.url}/a.bin`, '--between', '22-6'])
    expect(wrong.code).toBe(2)
    expect(wrong.stderr).toContain('--between')
  })
})

describe('small files first', () => {
  test('of the files whose length is known, in their order; priorities are above it', async () => {
    await using trawl = await createTrawl({ dir: newFolder(), maxPerHost: 1, smallFirst: true })
    const of = (name: string, expectedSizeBytes?: number, priority?: number) => ({
      url: `${origin.url}/${name}`,
      ...(expectedSizeBytes === undefined ? {} : { expectedSizeBytes }),
      ...(priority === undefined ? {} : { priority }),
    })
    origin.route('/*', (request) => respond.whole(body('x', Number(/\d+/.exec(request.path)?.[0])))(request))
    const job = trawl.get([
      of('900', 900),
      of('20000000-x', 20_000_000, -1),
      of('50', 50),
      of('1000-unknown'),
      of('700', 700),
      of('70', 70),
      of('800-urgent', 800, 1),
    ])
    await until(() => origin.requests.length >= 6)
    await job.cancel()
    expect(origin.requests.slice(0, 6).map((each) => each.path)).toEqual([
      '/800-urgent',
      '/50',
      '/70',
      '/700',
      '/900',
      '/1000-unknown',
    ])
  })
})

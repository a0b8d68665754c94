import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTrawl } from '../../src/session/index.ts'
import {
  body,
  bodyFrom,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { runMain } from '../cli/run-main.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
const mebibyte = 1024 * 1024
let origin: FaultOrigin
let other: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
  other = await createFaultOrigin()
})
afterAll(async () => {
  await origin.close()
  await other.close()
})
beforeEach(() => {
  for (const each of [origin, other]) {
    each.reset()
    each.route('/*', (request) => respond.withRange(body(request.path, 3 * mebibyte))(request))
  }
})

/** Bytes a second, from the first request to the last answer. No limit can be passed; how far below is not looked at. */
async function speedOf(run: () => Promise<number>): Promise<number> {
  const startedMs = performance.now()
  const bytes = await run()
  return (bytes * 1000) / (performance.now() - startedMs)
}

describe('rates add up', () => {
  test('several connections of one file have the rate of one item in all', async () => {
    const file = respond.withRange(body('large', 5 * mebibyte))
    origin.route('/*', withFaults(file, faults.rate(1.5 * mebibyte)))
    await using trawl = await createTrawl({ dir: newFolder(), split: 3, limitRatePerItemBps: 2 * mebibyte })
    const speed = await speedOf(async () => {
      const { stats } = await trawl.get([`${origin.url}/a.bin`]).result
      expect(stats.ok).toBe(1)
      return stats.fetchedBytes
    })
    expect(origin.connections).toBe(3)
    expect(speed).toBeLessThan(2.4 * mebibyte)
  })

  test('a host has its rate over all jobs of a trawl', async () => {
    await using trawl = await createTrawl({ limitRatePerHostBps: 3 * mebibyte })
    const speed = await speedOf(async () => {
      const jobs = [1, 2].map((n) => trawl.get([`${origin.url}/${n}.bin`], { dir: newFolder() }))
      const ends = await Promise.all(jobs.map((job) => job.result))
      return ends.reduce((sum, { stats }) => sum + stats.fetchedBytes, 0)
    })
    expect(speed).toBeLessThan(3.6 * mebibyte)
  })

  test('all hosts share the total, whatever each may have', async () => {
    const { code, stderr } = await runMain([
      'get',
      `${origin.url}/a.bin`,
      `${other.url}/b.bin`,
      '-d',
      newFolder(),
      '--limit-rate=3MiB',
      '--limit-rate-per-host=10MiB',
      '--json',
    ])
    expect([code, stderr]).toEqual([0, ''])
    const { meanSpeedBps } = await (async () => {
      await using trawl = await createTrawl({
        dir: newFolder(),
        limitRateBps: 3 * mebibyte,
        limitRatePerHostBps: 10 * mebibyte,
      })
      return (await trawl.get([`${origin.url}/a.bin`, `${other.url}/b.bin`]).result).stats
    })()
    expect(meanSpeedBps).toBeLessThan(3.6 * mebibyte)
  })
})

describe('requests', () => {
  test('to one host are at most so many at once, over all jobs of a trawl', async () => {
    for (const each of [origin, other]) {
      each.route('/*', withFaults(respond.whole(body('s', 100)), faults.latency(5)))
    }
    await using trawl = await createTrawl({ maxPerHost: 3 })
    const jobs = [1, 2, 3].map((n) =>
      trawl.get([`${origin.url}/${n}/[1-20]`, `${other.url}/${n}/[1-20]`], { dir: newFolder() }),
    )
    for (const job of jobs) expect((await job.result).stats.ok).toBe(40)
    expect([origin.maxActive, other.maxActive]).toEqual([3, 3])
  })

  test('to one host start with a space between them', async () => {
    origin.route('/*', respond.whole(body('s', 100)))
    const { code } = await runMain([
      'get',
      `${origin.url}/[1-8]`,
      '-d',
      newFolder(),
      '--request-spacing',
      '60ms',
    ])
    expect(code).toBe(0)
    const times = origin.requests.map((each) => each.atMs)
    expect(times).toHaveLength(8)
    // They are spaced where they start; the way to the server may shorten a single space.
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(7 * 60 - 50)
  })
})

describe('robots.txt', () => {
  const rules = 'User-agent: *\nDisallow: /closed/\nUser-agent: friend\nDisallow:\n'

  test('is asked for once for each host and heeded with --robots on; what is refused says so', async () => {
    origin.route('/robots.txt', respond.whole(bodyFrom(rules)))
    other.route('/robots.txt', respond.status(404))
    origin.route('/way', respond.redirect('/closed/behind.bin'))
    const urls = [
      `${origin.url}/open.bin`,
      `${origin.url}/closed/a.bin`,
      `${origin.url}/way`,
      `${other.url}/closed/b.bin`,
    ]
    const end = await runMain(['get', ...urls, '-d', newFolder(), '--robots', 'on'])
    expect(end.code).toBe(1)
    expect(end.stderr).toContain('/closed/a.bin: robots.txt disallows it')
    expect(end.stderr).toContain('/way: robots.txt disallows it')
    expect(end.stderr).toContain('2 ok')
    const asked = origin.requests.map((each) => each.path)
    expect(asked.filter((path) => path === '/robots.txt')).toHaveLength(1)
    expect(asked.some((path) => path.startsWith('/closed/'))).toBe(false)
    const friend = await runMain([
      'get',
      ...urls,
      '-d',
      newFolder(),
      '--robots',
      'on',
      '--user-agent',
      'friend/1.0',
    ])
    expect(friend.code).toBe(0)
  })

  test('is not asked for unless that is wished', async () => {
    expect((await runMain(['get', `${origin.url}/closed/a.bin`, '-d', newFolder()])).code).toBe(0)
    expect(origin.requests.map((each) => each.path)).toEqual(['/closed/a.bin'])
  })

  test('that cannot be had refuses all of its host', async () => {
    origin.route('/robots.txt', respond.status(500))
    const end = await runMain([
      'get',
      `${origin.url}/a.bin`,
      '-d',
      newFolder(),
      '--robots',
      'on',
      '--retries',
      '0',
    ])
    expect(end.code).toBe(1)
    expect(end.stderr).toContain('robots.txt: the server answered 500')
  })
})

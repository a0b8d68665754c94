import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTrawl } from '../../src/session/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
const mebibyte = 1024 * 1024
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => origin.reset())

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

describe('a job', () => {
  test('is paused and resumed: it says so, its files stop, and go on from their bytes', async () => {
    const size = 5 * mebibyte
    origin.route('/*', slowly(size, 8 * mebibyte))
    const dir = newFolder()
    await using trawl = await createTrawl({ dir, split: 1 })
    const job = trawl.get([`${origin.url}/a.bin`])
    const types: string[] = []
    job.onEvent((event) => void types.push(event.type), { items: false })
    await until(() => job.progress().doneBytes > 3 * mebibyte)
    job.pause()
    expect(job.status).toBe('paused')
    await until(() => job.progress().active === 0)
    job.resume()
    const { status, stats } = await job.result
    expect(status).toBe('done')
    expect(stats.fetchedBytes).toBeLessThan(size + mebibyte)
    expect(types.filter((type) => type.startsWith('job.'))).toEqual([
      'job.started',
      'job.paused',
      'job.resumed',
      'job.finished',
    ])
    expect(readFileSync(join(dir, 'a.bin')).equals(body('/a.bin', size).bytes())).toBe(true)
  })

  test('takes further inputs while it runs, also the same address again, and none when it has ended', async () => {
    origin.route('/*', slowly(50_000, mebibyte / 2))
    const dir = newFolder()
    await using trawl = await createTrawl({ dir })
    const job = trawl.get([`${origin.url}/a.bin`])
    await until(() => job.progress().active === 1)
    job.add([`${origin.url}/b[1-3].bin`, { url: `${origin.url}/c.bin`, path: 'named.bin' }])
    job.add([`${origin.url}/a.bin`, 'not a url'])
    const { stats } = await job.result
    expect(stats).toMatchObject({ planned: 7, ok: 6, failed: 1, failures: { ERR_URL_INVALID: 1 } })
    const paths = (await Array.fromAsync(job.items()))
      .map((each) => each.path ?? '')
      .toSorted((a, b) => a.localeCompare(b, 'en'))
    expect(paths).toEqual(['a (1).bin', 'a.bin', 'b1.bin', 'b2.bin', 'b3.bin', 'named.bin'])
    expect(() => job.add([`${origin.url}/d.bin`])).toThrow(expect.objectContaining({ code: 'ERR_CANCELLED' }))
  })

  test('of another kind takes none', async () => {
    origin.route('/*', slowly(50_000, 1000))
    await using trawl = await createTrawl({ dir: newFolder() })
    const job = trawl.book([{ text: `${origin.url}/slow.json` }])
    await until(() => origin.requests.length === 1)
    expect(() => job.add([])).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }))
    await job.cancel()
  })

  test('cancels one item and a host, and does the rest', async () => {
    const other = await createFaultOrigin()
    for (const each of [origin, other]) each.route('/*', slowly(4 * mebibyte, 8 * mebibyte))
    await using trawl = await createTrawl({ dir: newFolder(), split: 1 })
    const job = trawl.get([
      `${origin.url}/a.bin`,
      `${origin.url}/b.bin`,
      `${other.url}/c.bin`,
      `${other.url}/d.bin`,
    ])
    await until(() => job.activeItems(9).length === 4)
    await job.cancel({ host: new URL(other.url).host })
    await job.cancel({ id: job.activeItems(9).find((each) => each.name.includes('b.bin'))?.id ?? '' })
    const { status, stats } = await job.result
    expect(stats).toMatchObject({ ok: 1, unfinished: 3 })
    expect(status).toBe('partial')
    await other.close()
  })

  test('gets other rates while it runs: one item, each item, all', async () => {
    origin.route('/*', slowly(3 * mebibyte, 100 * mebibyte))
    await using trawl = await createTrawl({ dir: newFolder(), limitRatePerItemBps: 10_000 })
    const job = trawl.get([`${origin.url}/a.bin`, `${origin.url}/b.bin`])
    await until(() => job.activeItems(9).length === 2 && job.progress().fetchedBytes > 0)
    const first = job.activeItems(9)[0]
    job.update({ limitRatePerItemBps: 0 }, { id: first?.id ?? '' })
    job.update({ limitRatePerItemBps: 0, limitRateBps: 0 })
    expect((await job.result).stats.ok).toBe(2)
  })
})

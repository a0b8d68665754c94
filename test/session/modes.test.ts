import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTrawl } from '../../src/session/index.ts'
import { body, createFaultOrigin, faults, respond, withFaults } from '../../src/testing/index.ts'
import type { FaultOrigin } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => {
  origin.reset()
  origin.route('/*', (request) => respond.withRange(body(request.path, 3000))(request))
})

describe.each(['threads', 'processes'] as const)('a trawl with --mode %s', (mode) => {
  const options = { mode, workers: 2, retryDelayMs: 10 }

  test('two jobs that want the same files in one folder fetch each of them once', async () => {
    origin.route(
      '/*',
      withFaults((request) => respond.withRange(body(request.path, 3000))(request), faults.latency(20)),
    )
    const dir = newFolder()
    await using trawl = await createTrawl({ dir, ...options, retries: 20 })
    const urls = Array.from({ length: 20 }, (_, n) => `${origin.url}/${n}.bin`)
    const jobs = [trawl.get(urls), trawl.get(urls.toReversed())]
    const [first, second] = await Promise.all(jobs.map((job) => job.result))
    expect((first?.stats.ok ?? 0) + (second?.stats.ok ?? 0)).toBe(20)
    expect((first?.stats.skipped ?? 0) + (second?.stats.skipped ?? 0)).toBe(20)
    for (let n = 0; n < 20; n++) {
      const file = readFileSync(join(dir, `${n}.bin`))
      expect(file.equals(body(`/${n}.bin`, 3000).bytes())).toBe(true)
    }
  })

  test('hooks around items are called where they are', async () => {
    await using trawl = await createTrawl({ dir: newFolder(), ...options })
    const seen: string[] = []
    const job = trawl.get([`${origin.url}/a.bin`, `${origin.url}/b.bin`, `${origin.url}/c.bin`], {
      hooks: {
        beforeItem: (task) => (task.ordinal === 1 ? false : undefined),
        afterItem: (outcome) => void seen.push(`${outcome.ordinal} ${outcome.status}`),
      },
    })
    expect((await job.result).stats).toMatchObject({ ok: 2, skipped: 1 })
    expect(seen.toSorted()).toEqual(['0 ok', '1 skipped', '2 ok'])
  })

  test('an output that is a function is refused before anything is sent', async () => {
    await using trawl = await createTrawl({ dir: newFolder(), ...options })
    const { error } = await trawl.get([`${origin.url}/a.bin`], { output: () => {} }).result
    expect(error?.code).toBe('ERR_MODE_UNSUPPORTED')
    expect(origin.requests).toHaveLength(0)
  })

  test('close while files come keeps what is there, and leaves no worker', async () => {
    origin.route('/*', withFaults(respond.withRange(body('x', 3000)), faults.latency(60_000)))
    const trawl = await createTrawl({ dir: newFolder(), ...options })
    const job = trawl.get(Array.from({ length: 10 }, (_, n) => `${origin.url}/${n}.bin`))
    for (let tries = 0; tries < 2000 && origin.requests.length === 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await trawl.close()
    const { status, stats } = await job.result
    expect(status).toBe('cancelled')
    expect(stats).toMatchObject({ ok: 0, failed: 0, unfinished: 10 })
  })
})

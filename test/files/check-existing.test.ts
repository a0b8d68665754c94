import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/index.ts'
import type { GetInputs } from '../../src/files/index.ts'
import { createTrawl, type GetJobOptions, type Trawl } from '../../src/session/index.ts'
import { body, createFaultOrigin, respond, type FaultOrigin } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
let trawl: Trawl
beforeAll(async () => {
  origin = await createFaultOrigin()
  trawl = await createTrawl({ retries: 0 })
})
afterAll(async () => {
  await trawl.close()
  await origin.close()
})
beforeEach(() => {
  origin.reset()
  origin.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
})

async function get(
  dir: string,
  inputs: GetInputs,
  options: GetJobOptions = {},
): Promise<{ statuses: string[]; notices: readonly string[] }> {
  const outcomes: Outcome[] = []
  const notices: string[] = []
  const job = trawl.get(inputs, { ...options, dir, hooks: { afterItem: (each) => void outcomes.push(each) } })
  job.onEvent((event) => event.type === 'job.notice' && notices.push(event.message))
  await job.result
  return {
    statuses: outcomes
      .toSorted((a, b) => a.ordinal - b.ordinal)
      .map((each) => `${each.status} ${each.path ?? ''}`),
    notices,
  }
}

const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')
const right = `sha-256=${body('/a.bin', 1000).digest()}`
const wrong = `sha-256=${'0'.repeat(64)}`

/** Other bytes of the same length, as a bad disk or a careless program leaves them. */
function harm(path: string): void {
  const bytes = readFileSync(path)
  bytes.writeUInt8(bytes.readUInt8(500) ^ 1, 500)
  writeFileSync(path, bytes)
}

describe('finished files of an earlier run', () => {
  test('are not read again without a reason', async () => {
    const dir = newFolder()
    const inputs = [`${origin.url}/a.bin`]
    await get(dir, inputs)
    harm(join(dir, 'a.bin'))
    expect((await get(dir, inputs)).statuses).toEqual(['skipped a.bin'])
  })

  test('are compared with a digest that was not known when they were fetched', async () => {
    const dir = newFolder()
    const url = `${origin.url}/a.bin`
    await get(dir, [url])
    expect((await get(dir, [{ url, checksum: right }])).statuses).toEqual(['skipped a.bin'])
    harm(join(dir, 'a.bin'))
    const again = await get(dir, [{ url, checksum: right }])
    expect(again.statuses).toEqual(['ok a (1).bin'])
    expect(again.notices.join()).toMatch(/a\.bin: other bytes than were downloaded; it is fetched again/)
    expect(readFileSync(join(dir, 'a (1).bin')).equals(body('/a.bin', 1000).bytes())).toBe(true)
    // On record now, so that there is nothing more to read.
    harm(join(dir, 'a (1).bin'))
    expect((await get(dir, [{ url, checksum: right }])).statuses).toEqual(['skipped a (1).bin'])
  })

  test('that are another file than the digest says are not called finished', async () => {
    const dir = newFolder()
    const url = `${origin.url}/a.bin`
    await get(dir, [url])
    const again = await get(dir, [{ url, checksum: wrong }])
    expect(again.statuses).toEqual([expect.stringContaining('failed')])
    expect(again.notices.join()).toContain(`expected ${'0'.repeat(64)}`)
    expect(names(dir)).toEqual(['a.bin'])
  })

  test('are all read with verifyExisting; a harmed one comes anew, what stands there stays', async () => {
    const dir = newFolder()
    const inputs = ['a', 'b', 'c'].map((name) => `${origin.url}/${name}.bin`)
    await get(dir, inputs)
    harm(join(dir, 'b.bin'))
    const again = await get(dir, inputs, { verifyExisting: true })
    expect(again.statuses).toEqual(['skipped a.bin', 'ok b (1).bin', 'skipped c.bin'])
    expect(names(dir).toSorted()).toEqual(['a.bin', 'b (1).bin', 'b.bin', 'c.bin'])
    expect(origin.requests).toHaveLength(4)
  })
})

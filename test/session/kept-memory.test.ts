import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTrawl } from '../../src/session/index.ts'
import { StateDatabase, stateFileName } from '../../src/storage/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { runMain } from '../cli/run-main.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => {
  origin.reset()
  const file: Behaviour = (request) => respond.whole(body(request.path, 20_000))(request)
  origin.route('/*', withFaults(file, faults.limitActive(6, 429, '0'), faults.latency(20)))
})

const host = (): string => new URL(origin.url).host
const urls = (): string[] => [`${origin.url}/[1-150].bin`]

describe('what was learned of a host', () => {
  test('is kept for the next trawl with the same state folder, and for no other', async () => {
    const stateDir = join(newFolder(), 'state')
    {
      await using trawl = await createTrawl({
        dir: newFolder(),
        stateDir,
        retryDelayMs: 1,
        retryMaxDelayMs: 5,
      })
      expect((await trawl.get(urls()).result).stats.ok).toBe(150)
      expect(trawl.hostMemory()).toHaveLength(1)
    }
    using database = StateDatabase.open(stateDir)
    const [kept] = database.hostCeilings(0)
    expect(kept).toMatchObject({ host: host(), ceiling: expect.any(Number) })
    await using next = await createTrawl({ dir: newFolder(), stateDir })
    expect(next.hostMemory()).toEqual([kept])
    await using other = await createTrawl({ dir: newFolder() })
    expect(other.hostMemory()).toEqual([])
  })

  test('is kept by the command line in the usual place, and not with --no-state', async () => {
    const home = newFolder()
    const env = { XDG_STATE_HOME: home, TRAWL_STATE: '' }
    const flags = ['--retry-delay', '1ms', '-q']
    const off = await runMain(['get', ...urls(), '-d', newFolder(), '--no-state', ...flags], { env })
    expect([off.code, readdirSync(home)]).toEqual([0, []])
    const on = await runMain(['get', ...urls(), '-d', newFolder(), ...flags], { env })
    expect(on.code).toBe(0)
    expect(existsSync(join(home, 'trawl', stateFileName))).toBe(true)
  })

  test('may be deleted at any time, or be no database: the work goes on and says so', async () => {
    const stateDir = newFolder()
    const dir = newFolder()
    const flags = ['-d', dir, '--state-dir', stateDir, '--retry-delay', '1ms']
    const env = { TRAWL_STATE: '' }
    expect((await runMain(['get', ...urls(), ...flags], { env })).code).toBe(0)
    rmSync(stateDir, { recursive: true })
    const again = await runMain(['get', ...urls(), ...flags], { env })
    expect(again.code).toBe(0)
    expect(again.stderr).toContain('150 skipped')
    writeFileSync(stateDir, 'a file in its place')
    const blocked = await runMain(['get', `${origin.url}/more.bin`, ...flags], { env })
    expect(blocked.code).toBe(0)
    rmSync(stateDir)
    StateDatabase.open(stateDir).close()
    writeFileSync(join(stateDir, stateFileName), 'not a database'.repeat(100))
    const damaged = await runMain(['get', `${origin.url}/even-more.bin`, ...flags], { env })
    expect(damaged.code).toBe(0)
    expect(damaged.stderr).toContain('the state of earlier runs is not used')
  })
})

import { existsSync, mkdirSync, readFileSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { body, faults, respond, withFaults } from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { fileNames, useOrigin } from './cli-origin.ts'
import { startCli } from './run-cli.ts'
import { runMain } from './run-main.ts'

const newFolder = tempFolders()
const origin = await useOrigin()

const modified = new Date(Date.UTC(2024, 4, 5))
/** What the server has now; each version has bytes of its own. */
function serve(version: number, sizeBytes = 1000, rateBps?: number): Buffer {
  const file = body(`v${version}`, sizeBytes)
  const good = respond.withRange(file, { etag: `"${version}"`, lastModified: modified })
  origin.route('/a.bin', rateBps === undefined ? good : withFaults(good, faults.rate(rateBps)))
  return file.bytes()
}

const policies = ['resume', 'skip', 'overwrite', 'rename', 'error'] as const
type Policy = (typeof policies)[number]
const args = (dir: string, policy: Policy): string[] => [
  'get',
  `${origin.url}/a.bin`,
  '-d',
  dir,
  '--on-exists',
  policy,
  '--retries',
  '0',
]
const get = (dir: string, policy: Policy) => runMain(args(dir, policy))
const contents = (dir: string): Record<string, string> =>
  Object.fromEntries(fileNames(dir).map((name) => [name, readFileSync(join(dir, name), 'latin1')]))

interface Wanted {
  readonly code: number
  readonly says: string
  readonly files: (old: string, fresh: string) => Record<string, string>
}

async function check(
  dir: string,
  policy: Policy,
  wanted: Wanted,
  bytes: readonly [Buffer, Buffer],
): Promise<void> {
  const end = await get(dir, policy)
  expect([end.code, end.stderr]).toEqual([wanted.code, expect.stringContaining(wanted.says)])
  expect(contents(dir)).toEqual(wanted.files(bytes[0].toString('latin1'), bytes[1].toString('latin1')))
}

const keptAs = (says: string, code = 0): Wanted => ({ code, says, files: (old) => ({ 'a.bin': old }) })
const beside: Wanted = {
  code: 0,
  says: '1 ok',
  files: (old, fresh) => ({ 'a.bin': old, 'a (1).bin': fresh }),
}
const replaced: Wanted = { code: 0, says: '1 ok', files: (_old, fresh) => ({ 'a.bin': fresh }) }

describe('a file that trawl finished', () => {
  const wanted: Record<Policy, Wanted> = {
    resume: keptAs('1 skipped'),
    skip: keptAs('1 skipped'),
    overwrite: replaced,
    rename: beside,
    error: keptAs('1 skipped'),
  }
  test.each(policies)('%s', async (policy) => {
    const dir = newFolder()
    const old = serve(1)
    await get(dir, 'resume')
    await check(dir, policy, wanted[policy], [old, serve(2)])
    expect((await runMain(['verify', dir])).code).toBe(0)
  })
})

describe('a file of somebody else', () => {
  const wanted: Record<Policy, Wanted> = {
    resume: beside,
    skip: keptAs('1 skipped'),
    overwrite: replaced,
    rename: beside,
    error: keptAs('ERR_EXISTS', 1),
  }
  test.each(policies)('%s', async (policy) => {
    const dir = newFolder()
    const mine = Buffer.from('this is mine')
    writeFileSync(join(dir, 'a.bin'), mine)
    await check(dir, policy, wanted[policy], [mine, serve(1)])
  })

  test('of the length and time that the server tells it is taken for the same', async () => {
    const dir = newFolder()
    const bytes = serve(1)
    writeFileSync(join(dir, 'a.bin'), bytes)
    utimesSync(join(dir, 'a.bin'), modified, modified)
    await check(dir, 'resume', keptAs('1 skipped'), [bytes, bytes])
    await check(dir, 'rename', beside, [bytes, bytes])
  })

  test('what somebody made of a finished file is theirs', async () => {
    for (const policy of policies) {
      const dir = newFolder()
      serve(1)
      await get(dir, 'resume')
      const mine = Buffer.from('edited')
      writeFileSync(join(dir, 'a.bin'), mine)
      const end = {
        resume: beside,
        skip: keptAs('1 skipped'),
        overwrite: replaced,
        rename: beside,
        error: keptAs('ERR_EXISTS', 1),
      }
      await check(dir, policy, end[policy], [mine, serve(2)])
    }
  })
})

describe('a folder under the name', () => {
  test.each(policies)('%s', async (policy) => {
    const dir = newFolder()
    mkdirSync(join(dir, 'a.bin'))
    writeFileSync(join(dir, 'a.bin', 'inside'), 'x')
    serve(1)
    const end = await get(dir, policy)
    expect([end.code, end.stderr]).toEqual([1, expect.stringContaining('ERR_IS_DIRECTORY')])
    expect(readFileSync(join(dir, 'a.bin', 'inside'), 'utf8')).toBe('x')
  })
})

describe('a part, after kill -9', () => {
  const size = 16 * 1024 * 1024

  /** Kills a download once its part has grown. */
  async function killed(dir: string, policy: Policy): Promise<void> {
    const running = startCli(args(dir, policy))
    const parts = join(dir, '.trawl/parts')
    const journal = join(dir, '.trawl/journal')
    const before = existsSync(journal) ? readFileSync(journal).length : 0
    for (let tries = 0; tries < 2000; tries++) {
      // A checkpoint is on record when the journal has grown beyond the name.
      if (existsSync(parts) && readdirSync(parts).length > 0 && readFileSync(journal).length > before + 300)
        break
      await sleep(5)
    }
    running.child.kill('SIGKILL')
    expect((await running.end).signal).toBe('SIGKILL')
  }

  test.each(policies)('%s goes on from it', async (policy) => {
    const dir = newFolder()
    serve(1, size, 20 * 1024 * 1024)
    await killed(dir, policy)
    expect(fileNames(dir)).toEqual([])
    const bytes = serve(1, size)
    const sent = origin.requests.length
    expect((await get(dir, policy)).code).toBe(0)
    expect(origin.requests.slice(sent).every(({ headers }) => headers['range'] !== undefined)).toBe(true)
    expect(fileNames(dir)).toEqual(['a.bin'])
    expect(readFileSync(join(dir, 'a.bin')).equals(bytes)).toBe(true)
  })

  test('of an overwrite: the old file stays whole, and whatever comes next replaces it', async () => {
    for (const next of ['resume', 'overwrite'] as const) {
      const dir = newFolder()
      const old = serve(1)
      await get(dir, 'resume')
      serve(2, size, 20 * 1024 * 1024)
      await killed(dir, 'overwrite')
      expect(contents(dir)).toEqual({ 'a.bin': old.toString('latin1') })
      const fresh = serve(2, size)
      expect((await get(dir, next)).code).toBe(0)
      expect(fileNames(dir)).toEqual(['a.bin'])
      expect(readFileSync(join(dir, 'a.bin')).equals(fresh)).toBe(true)
      expect((await runMain(['verify', dir])).code).toBe(0)
    }
  })
})

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type Body,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { runCli, startCli, type RunningCli } from './run-cli.ts'

/** TRAWL_KILLS=500 is the long form of this test; it takes about a second for each. */
const kills = Number(process.env['TRAWL_KILLS'] ?? 12)
/** Of what was on its way when the process died, so much may be fetched again. */
const mayRepeatBytes = 4 * 1024 * 1024
const mebibyte = 1024 * 1024
const smallCount = 120

let origin: FaultOrigin
let folder: string
let work: Work

beforeEach(async () => {
  origin = await createFaultOrigin({ connectionRateBps: 2 * mebibyte })
  folder = mkdtempSync(join(tmpdir(), 'trawl-kill-'))
  work = new Work(origin)
})

afterEach(async () => {
  await origin.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Files of every kind: small, long and capped, without ranges, with weak validators, and ones that change. */
class Work {
  /** All versions that a file ever had, the present one last. */
  readonly versions = new Map<string, Body[]>()
  readonly changing = ['changing-1.bin', 'changing-2.bin']
  /** Bytes that the versions of changed files may have cost. */
  changedBytes = 0

  constructor(server: FaultOrigin) {
    for (let n = 0; n < smallCount; n++) this.#add(`small-${n}.bin`, 1000 + ((n * 7919) % 30_000))
    for (let n = 0; n < 3; n++) this.#add(`capped-${n}.bin`, 6 * mebibyte + n * 1001)
    this.#add('no-ranges.bin', 0.75 * mebibyte)
    this.#add('weak.bin', 3 * mebibyte + 1)
    for (const name of this.changing) this.#add(name, 3 * mebibyte)
    for (const name of this.versions.keys()) server.route(`/${name}`, this.#behaviour(name))
  }

  get names(): string[] {
    return [...this.versions.keys()]
  }

  get sizeBytes(): number {
    return this.names.reduce((sum, name) => sum + this.present(name).sizeBytes, 0)
  }

  present(name: string): Body {
    const body_ = this.versions.get(name)?.at(-1)
    if (!body_) throw new Error(`no file ${name}`)
    return body_
  }

  /** The server has another version of this file from now on. */
  change(name: string): void {
    const all = this.versions.get(name) ?? []
    // What was there of it is lost, and each of its connections may be answered with the whole of the new one.
    this.changedBytes += 2 * this.present(name).sizeBytes
    all.push(body(`${name} ${all.length}`, 3 * mebibyte + all.length * 7))
  }

  #add(name: string, sizeBytes: number): void {
    this.versions.set(name, [body(name, sizeBytes)])
  }

  #behaviour(name: string): Behaviour {
    return (request) => {
      const present = this.present(name)
      const tag = `"${name}-${this.versions.get(name)?.length ?? 0}"`
      const etag = name === 'weak.bin' ? `W/${tag}` : tag
      if (name === 'no-ranges.bin') {
        return withFaults(
          respond.whole(present, { etag }),
          faults.headers({ 'Accept-Ranges': 'none' }),
        )(request)
      }
      return respond.withRange(present, { etag, ...(name === 'weak.bin' ? { lastModified: null } : {}) })(
        request,
      )
    }
  }
}

/** Every file under a final name is one whole version of what the server had. */
function expectOnlyWholeFiles(out: string): Set<string> {
  const finished = new Set<string>()
  for (const name of work.names) {
    const path = join(out, name)
    if (!existsSync(path)) continue
    const bytes = readFileSync(path)
    const isOne = work.versions.get(name)?.some((version) => version.bytes().equals(bytes)) ?? false
    expect([name, bytes.length, isOne]).toEqual([name, bytes.length, true])
    finished.add(name)
  }
  return finished
}

/** Waits until this run has asked for something, or has ended. */
async function asked({ end, child }: RunningCli): Promise<void> {
  while (child.exitCode === null && origin.requests.length === 0) await sleep(5)
  if (child.exitCode !== null) await end
}

test(
  `killed ${kills} times: no wrong byte under a final name, nothing finished comes again`,
  async () => {
    let killed = 0
    for (let round = 0; killed < kills; round++) {
      const out = join(folder, `out-${round}`)
      const list = join(folder, 'list.txt')
      writeFileSync(list, work.names.map((name) => `${origin.url}/${name}\n`).join(''))
      const args = ['get', '--no-config', '-i', list, '-d', out, '-q', '-x', '4']
      let killsHere = 0
      let sentBytes = 0
      const changedBefore = work.changedBytes
      let finished = new Set<string>()
      for (;;) {
        origin.reset()
        const run = startCli(args, { timeoutMs: 60_000 })
        const mayKill = killed < kills
        await asked(run)
        const stopped = await Promise.race([
          run.end.then(() => false),
          mayKill ? sleep(Math.random() * 900).then(() => true) : new Promise<never>(() => {}),
        ])
        if (stopped) run.child.kill('SIGKILL')
        const end = await run.end
        sentBytes += origin.sentBytes
        const again = origin.requests.map(({ path }) => path.slice(1)).filter((name) => finished.has(name))
        expect(again).toEqual([])
        finished = expectOnlyWholeFiles(out)
        if (!stopped) {
          expect([end.code, end.stderr]).toEqual([0, ''])
          break
        }
        killed++
        killsHere++
        const changing = work.changing[killed % 2] ?? ''
        if (killed % 3 === 0 && !finished.has(changing)) work.change(changing)
      }
      expect(finished.size).toBe(work.names.length)
      const changed = work.changedBytes - changedBefore
      expect(sentBytes - work.sizeBytes).toBeLessThanOrEqual(killsHere * mayRepeatBytes + changed)
      rmSync(out, { recursive: true })
    }
  },
  60_000 + kills * 5000,
)

test('killed while it commits: the next run confirms what has its name and fetches the rest', async () => {
  const out = join(folder, 'out')
  const list = join(folder, 'list.txt')
  const names = work.names.filter((name) => name.startsWith('small'))
  writeFileSync(list, names.map((name) => `${origin.url}/${name}\n`).join(''))
  const run = startCli(['get', '--no-config', '-i', list, '-d', out, '-q', '-j', '4'])
  while (!existsSync(join(out, names[40] ?? ''))) await sleep(1)
  run.child.kill('SIGKILL')
  await run.end
  const before = expectOnlyWholeFiles(out)
  expect(before.size).toBeGreaterThan(10)
  origin.reset()
  const report = join(folder, 'report.jsonl')
  expect((await runCli(['get', '--no-config', '-i', list, '-d', out, '-q', '--report', report])).code).toBe(0)
  expect(expectOnlyWholeFiles(out).size).toBe(names.length)
  expect(origin.requests.filter(({ path }) => before.has(path.slice(1)))).toEqual([])
  const statuses = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { status: string }).status)
  expect(statuses).toHaveLength(names.length)
  expect(statuses.filter((status) => status === 'skipped').length).toBeGreaterThanOrEqual(before.size)
})

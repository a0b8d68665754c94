import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { tempFolder } from '../temp-folder.ts'
import { csvTable, fingerprint, metadata } from './job-case.ts'
import { photoOrigin, photos, type Answers } from './photo-origin.ts'

const program = fileURLToPath(new URL('run-cli.ts', import.meta.url))
const rowCount = 60

/** Serves so many photos and then asks to be told; with `Infinity` all. */
class Gate {
  left = 0
  onEmpty: (() => void) | undefined

  pass(): boolean {
    if (this.left-- > 0) return true
    this.onEmpty?.()
    return false
  }
}

function gated(gate: Gate, photo: Uint8Array): Answers[string] {
  return (_request, response) => {
    // What is not let through stays open until the client is dead.
    if (gate.pass()) response.writeHead(200, { 'content-type': 'image/jpeg' }).end(photo)
  }
}

/** Runs `trawl dataset` until it ends, or until the origin has served enough and it is killed. */
async function run(args: readonly string[], gate: Gate, letThrough: number): Promise<number | null> {
  gate.left = letThrough
  const child = spawn('node', [program, 'dataset', ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()))
  const ended = once(child, 'exit')
  // Bodies that are on their way get to the disk first; a moment later others are just being decoded.
  gate.onEmpty = () => void setTimeout(() => child.kill('SIGKILL'), 150)
  const [code] = await ended
  if (typeof code === 'number' && code > 1) throw new Error(errors)
  return typeof code === 'number' ? code : null
}

test.each(['webdataset', 'parquet'])(
  'killed five times, a dataset of %s has the bytes of one that ran through, and little is fetched twice',
  async (format) => {
    const gate = new Gate()
    const all = await photos(rowCount)
    const origin = await photoOrigin(
      Object.fromEntries(Object.entries(all).map(([path, bytes]) => [path, gated(gate, bytes)])),
    )
    const urls = Array.from({ length: rowCount }, (_, i) =>
      i % 10 === 9 ? `${origin.url}/none.jpg` : `${origin.url}/p${i}.jpg`,
    )
    const tables = csvTable(urls)
    const flags = `--output-format ${format} --shard-size 25 --caption-col caption --robots off -j 4`.split(
      ' ',
    )
    const killed = join(tempFolder(), 'out')
    const codes: (number | null)[] = []
    for (let i = 0; i < 5; i++) codes.push(await run([tables, '-d', killed, ...flags], gate, 9))
    expect(codes).toEqual([null, null, null, null, null])
    expect(readdirSync(join(killed, '.trawl', 'spool'))).not.toEqual([])
    const before = sum(origin.asked)
    expect(await run([tables, '-d', killed, ...flags], gate, Infinity)).toBe(1)
    // Five runs served nine photos each, of which at most the four transfers and their images were lost.
    expect(sum(origin.asked) - before).toBeLessThan(rowCount - 5 * 3)
    const whole = join(tempFolder(), 'out')
    await run([tables, '-d', whole, ...flags], gate, Infinity)
    expect(fingerprint(killed)).toEqual(fingerprint(whole))
    expect((await metadata(killed)).map((row) => row['url'])).toEqual(urls)
  },
  60_000,
)

test('several workers share a folder: each row is fetched once', async () => {
  const gate = new Gate()
  gate.left = Infinity
  const all = await photos(40)
  const origin = await photoOrigin(
    Object.fromEntries(Object.entries(all).map(([path, bytes]) => [path, gated(gate, bytes)])),
  )
  const urls = Array.from({ length: 40 }, (_, i) => `${origin.url}/p${i}.jpg`)
  const out = join(tempFolder(), 'out')
  const plan = ['plan', csvTable(urls), '-d', out, '--shard-size', '4', '--caption-col', 'caption']
  expect(await run(plan, gate, Infinity)).toBe(0)
  const workers = ['worker', '-d', out, '-q']
  const codes = await Promise.all([run(workers, gate, Infinity), run(workers, gate, Infinity)])
  expect(codes).toEqual([0, 0])
  expect(await run(['finalize', '-d', out], gate, Infinity)).toBe(0)
  expect((await metadata(out)).map((row) => row['url'])).toEqual(urls)
  expect(urls.map((url) => origin.asked.get(new URL(url).pathname))).toEqual(urls.map(() => 1))
}, 60_000)

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0)
}

/** Children of a process that run this module. */
function childrenOf(parent: number, module: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const parentOf = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
        return parentOf === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(module)
      } catch {
        // It ended meanwhile.
        return false
      }
    })
}

/** Kills as soon as there is something to kill; ends with the child. */
async function killWhen(child: ChildProcess, pids: () => readonly number[]): Promise<number> {
  for (;;) {
    const found = pids()
    for (const pid of found) process.kill(pid, 'SIGKILL')
    if (found.length > 0 || child.exitCode !== null || child.signalCode !== null) return found.length
    await sleep(2)
  }
}

test.skipIf(process.platform !== 'linux')(
  'an image that kills its process ends as a failure of its row, not of the run',
  async () => {
    const all = await photos(8)
    const large = Buffer.alloc(3000 * 2000 * 3)
    for (let at = 0; at < large.length; at++) large[at] = (at * 31 + (at >> 7) * 17) & 0xff
    const lethal = await sharp(large, { raw: { width: 3000, height: 2000, channels: 3 } })
      .png({ compressionLevel: 1 })
      .toBuffer()
    const origin = await photoOrigin({ ...all, '/lethal.png': lethal })
    const urls = [...Object.keys(all), '/lethal.png'].map((path) => `${origin.url}${path}`)
    const out = join(tempFolder(), 'out')
    const args = ['dataset', csvTable(urls), '-d', out, '--caption-col', 'caption', '--robots', 'off', '-q']
    const start = (): ChildProcess => spawn('node', [program, ...args], { stdio: 'ignore' })

    // The library takes the whole process with it: here, a kill while the image is at work.
    const first = start()
    const exit = once(first, 'exit')
    const noted = join(out, '.trawl', 'spool', '00000.at-work')
    // All others are done: this one alone is to be suspected.
    const alone = (): boolean =>
      slotsOf(noted)
        .filter((slot) => slot > 0)
        .join() === '9'
    await killWhen(first, () => (first.pid !== undefined && alone() ? [first.pid] : []))
    expect(await exit).toEqual([null, 'SIGKILL'])
    expect(alone()).toBe(true)

    // Now it takes the process apart.
    const second = start()
    const secondExit = once(second, 'exit')
    expect(await killWhen(second, () => childrenOf(second.pid ?? 0, 'resize-worker'))).toBe(1)
    expect(await secondExit).toEqual([1, null])
    const rows = await metadata(out)
    expect(rows.map((row) => row['status'])).toEqual([
      ...Array<string>(8).fill('success'),
      'failed_to_resize',
    ])
    expect(rows[8]).toMatchObject({ error_code: 'decode', error_message: expect.stringContaining('SIGKILL') })
    expect(readdirSync(join(out, '.trawl'))).not.toContain('spool')

    // An image that was innocent can be tried again.
    const retry = spawn('node', [program, 'dataset', 'retry', '-d', out, '-q'], { stdio: 'ignore' })
    expect(await once(retry, 'exit')).toEqual([0, null])
    expect((await metadata(out)).map((row) => row['status'])).toEqual(Array<string>(9).fill('success'))
  },
  60_000,
)

/** The rows, plus one, that are noted as at work. */
function slotsOf(path: string): number[] {
  try {
    const bytes = readFileSync(path)
    return Array.from({ length: Math.floor(bytes.length / 4) }, (_, slot) => bytes.readUInt32LE(slot * 4))
  } catch {
    return []
  }
}

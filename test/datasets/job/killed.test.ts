import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
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

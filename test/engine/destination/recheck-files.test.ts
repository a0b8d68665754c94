import {
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { batchDownload } from '../../../src/session/index.ts'
import { body, createFaultOrigin, respond, type FaultOrigin } from '../../../src/testing/index.ts'

let origin: FaultOrigin
let dir: string
const names = ['a.bin', 'b.bin', 'c.bin', 'd.bin']

beforeEach(async () => {
  origin = await createFaultOrigin()
  dir = mkdtempSync(join(tmpdir(), 'trawl-power-'))
  for (const name of names) origin.route(`/${name}`, respond.withRange(body(name, 20_000)))
})

afterEach(async () => {
  await origin.close()
  rmSync(dir, { recursive: true, force: true })
})

interface Points {
  version: number
  boot: string
  points: { atMs: number; journalBytes: number }[]
}

const pointsPath = (): string => join(dir, '.trawl/safe-points')
const readPoints = (): Points => JSON.parse(readFileSync(pointsPath(), 'utf8')) as Points
const download = async (...wanted: string[]): Promise<string[]> => {
  origin.reset()
  const items = await batchDownload(
    wanted.map((name) => `${origin.url}/${name}`),
    { dir },
  )
  expect(items.map(({ status }) => status)).not.toContain('failed')
  for (const name of wanted)
    expect(readFileSync(join(dir, name)).equals(body(name, 20_000).bytes())).toBe(true)
  return origin.requests.map(({ path }) => path.slice(1)).toSorted()
}

/** As after a loss of power: another start of the system, and bytes that never reached the disk. */
function losePower(damage: () => void): void {
  const points = readPoints()
  damage()
  writeFileSync(pointsPath(), JSON.stringify({ ...points, boot: 'another' }))
}

test('after a loss of power files that did not reach the disk come again under their names; the others do not', async () => {
  await download(...names)
  losePower(() => {
    truncateSync(join(dir, 'a.bin'), 4096)
    const zeros = Buffer.concat([
      body('b.bin', 20_000).bytes().subarray(0, 8192),
      Buffer.alloc(20_000 - 8192),
    ])
    writeFileSync(join(dir, 'b.bin'), zeros)
    rmSync(join(dir, 'c.bin'))
  })
  expect(await download(...names)).toEqual(['a.bin', 'b.bin', 'c.bin'])
  expect(readPoints().boot).not.toBe('another')
  expect(await download(...names)).toEqual([])
})

test('without a new start of the system nothing is read again, however the files look', async () => {
  await download(...names)
  const path = join(dir, 'b.bin')
  writeFileSync(path, Buffer.alloc(20_000))
  origin.reset()
  const items = await batchDownload([`${origin.url}/b.bin`], { dir })
  expect([items[0]?.status, origin.requests.length]).toEqual(['skipped', 0])
})

test('what was finished a minute before the last note is trusted', async () => {
  await download('a.bin', 'b.bin')
  const before = readPoints().points.at(-1)
  await download(...names)
  losePower(() => {
    for (const name of ['a.bin', 'c.bin']) writeFileSync(join(dir, name), Buffer.alloc(20_000))
  })
  const points = readPoints()
  const nowMs = points.points.at(-1)?.atMs ?? 0
  const older = { atMs: nowMs - 90_000, journalBytes: before?.journalBytes ?? 0 }
  writeFileSync(pointsPath(), JSON.stringify({ ...points, points: [older, ...points.points.slice(-1)] }))
  origin.reset()
  await batchDownload(
    names.map((name) => `${origin.url}/${name}`),
    { dir },
  )
  expect(origin.requests.map(({ path }) => path)).toEqual(['/c.bin'])
})

test('a file that somebody changed afterwards stays, and ours gets another name', async () => {
  await download('a.bin')
  const theirs = 'edited by hand'
  const points = readPoints()
  const past = points.points.map((point) => ({ ...point, atMs: point.atMs - 3_600_000 }))
  writeFileSync(join(dir, 'a.bin'), theirs)
  utimesSync(join(dir, 'a.bin'), new Date(), new Date())
  writeFileSync(pointsPath(), JSON.stringify({ ...points, boot: 'another', points: past }))
  await batchDownload([`${origin.url}/a.bin`], { dir })
  expect(readFileSync(join(dir, 'a.bin'), 'utf8')).toBe(theirs)
  expect(statSync(join(dir, 'a (1).bin')).size).toBe(20_000)
})

test.each([
  '',
  '{',
  '{"version":99,"boot":"x","points":[]}',
  '{"version":1,"boot":"x","points":[null,{"atMs":"y"}]}',
])('notes that cannot be understood count as none: %j', async (text) => {
  await download(...names)
  writeFileSync(pointsPath(), text)
  expect(await download(...names)).toEqual([])
  expect(existsSync(pointsPath())).toBe(true)
})

import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FileJournal, type LogDamage } from '../../../src/storage/index.ts'
import {
  applyStep,
  journalRecords,
  journalSteps,
  journalView,
  outcomesOf,
  type JournalStep,
} from '../../contract/journal.ts'
import { tempFolders } from '../temp-folder.ts'

const { idOf, nameOf, named, checkpoint, intent, failed } = journalRecords
const newFolder = tempFolders()
const headBytes = 16

/** Writes a history and gives the log with the byte at which each step's record ends. */
function writeLog(steps: readonly JournalStep[]): { path: string; bytes: Buffer; ends: number[] } {
  const path = join(newFolder(), 'journal')
  const journal = new FileJournal({ path })
  const ends = steps.map((step) => {
    applyStep(journal, step)
    journal.flush()
    return statSync(path).size
  })
  journal.close()
  return { path, bytes: readFileSync(path), ends }
}

async function viewOf(path: string): Promise<{ view: unknown; damage: readonly LogDamage[] }> {
  let damage: readonly LogDamage[] = []
  const journal = new FileJournal({ path, onDamage: (found) => (damage = found) })
  try {
    return { view: await journalView(journal), damage }
  } finally {
    journal.close()
  }
}

const lastIntent = 8
const history: JournalStep[] = [
  ['named', 0, 0],
  ['named', 1, 0],
  ['intent', 0, 0],
  ['checkpoint', 1, 1],
  ['done', 0, 0],
  ['named', 2, 0],
  ['failed', 1, 1],
  ['intent', 2, 0],
  ['intent', 2, 1],
  ['done', 2, 0],
  ['forget', 0, 0],
  ['checkpoint', 1, 2],
  ['failed', 3, 1],
]

describe('a journal that was cut off', () => {
  test('at any byte it has what the whole records before that byte say, and can be written again', async () => {
    const { path, bytes, ends } = writeLog(history)
    const views: unknown[] = []
    for (let count = 0; count <= history.length; count++) {
      views.push((await viewOf(writeLog(history.slice(0, count)).path)).view)
    }
    for (let cut = bytes.length; cut >= 0; cut--) {
      writeFileSync(path, bytes.subarray(0, cut))
      const whole = ends.filter((end) => end <= cut).length
      const { view, damage } = await viewOf(path)
      expect(view, `cut at ${cut}`).toEqual(views[whole])
      expect(damage).toEqual([])
      expect(statSync(path).size).toBe(whole === 0 ? headBytes : ends[whole - 1])
    }
  })

  test('random histories, cut anywhere and continued', async () => {
    await fc.assert(
      fc.asyncProperty(journalSteps, fc.double({ min: 0, max: 1, noNaN: true }), async (steps, share) => {
        const { path, bytes, ends } = writeLog(steps)
        const cut = headBytes + Math.floor(share * (bytes.length - headBytes))
        truncateSync(path, cut)
        const whole = ends.filter((end) => end <= cut).length
        const continued = new FileJournal({ path })
        for (const step of steps.slice(whole)) applyStep(continued, step)
        continued.close()
        const { view } = await viewOf(path)
        expect(view).toEqual((await viewOf(writeLog(steps).path)).view)
      }),
      { numRuns: 40, endOnFailure: true },
    )
  })
})

describe('a journal with flipped bits', () => {
  test('any byte: nothing throws, and tasks whose records are sound are known as before', async () => {
    const { path, bytes, ends } = writeLog(history)
    const wholeView = await viewOf(path)
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(path, flipped)
      const hit = at < headBytes ? -1 : ends.findIndex((end) => at < end)
      const { view, damage } = await viewOf(path)
      const task = history[hit]?.[1]
      for (const n of [0, 1, 2, 3]) {
        if (n === task) continue
        const entryOf = (from: unknown): unknown => (from as { entries: unknown[] }).entries[n]
        expect(entryOf(view), `task ${n}, byte ${at}`).toEqual(entryOf(wholeView.view))
      }
      // The name of an earlier intent would have a stranger's file taken for ours.
      if (hit === lastIntent) expect((view as { files: unknown[] }).files[2]).toBeUndefined()
      if (hit < history.length - 1)
        expect(damage.reduce((sum, each) => sum + each.lostBytes, 0)).toBeGreaterThan(0)
    }
  })

  test('several flips and random stretches: nothing throws, and it can be written again', async () => {
    const damages = fc.array(
      fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 1, max: 90 })),
      {
        minLength: 1,
        maxLength: 5,
      },
    )
    await fc.assert(
      fc.asyncProperty(journalSteps, damages, fc.infiniteStream(fc.nat(255)), async (steps, hits, noise) => {
        const { path, bytes } = writeLog(steps)
        for (const [share, length] of hits) {
          const at = Math.floor(share * bytes.length)
          for (let i = at; i < Math.min(at + length, bytes.length); i++) bytes[i] = noise.next().value ?? 0
        }
        writeFileSync(path, bytes)
        let journal: FileJournal
        try {
          journal = new FileJournal({ path })
        } catch (error) {
          // Nothing was left of it but noise; then nothing may have been changed.
          expect(error).toMatchObject({ code: 'ERR_JOURNAL_CORRUPT' })
          expect(readFileSync(path).equals(bytes)).toBe(true)
          return
        }
        journal.named(named(40))
        journal.intent(intent(40))
        journal.done(idOf(40))
        journal.close()
        journal = new FileJournal({ path })
        await journalView(journal)
        expect(journal.doneFile(idOf(40))?.path).toBe(nameOf(40))
        journal.close()
      }),
      { numRuns: 60, endOnFailure: true },
    )
  })

  test('foreign bytes in the middle, longer than any buffer', async () => {
    const { path, bytes, ends } = writeLog(history)
    const middle = ends[5] ?? 0
    const noise = Buffer.alloc(5 * 1024 * 1024)
    for (let at = 0; at < noise.length; at += 4) noise.writeUInt32LE((at * 2654435761) >>> 0, at)
    for (const filling of [noise, Buffer.alloc(noise.length)]) {
      writeFileSync(path, Buffer.concat([bytes.subarray(0, middle), filling, bytes.subarray(middle)]))
      const journal = new FileJournal({ path })
      expect([0, 1, 3].map((n) => journal.state(idOf(n)))).toEqual([undefined, 'partial', 'failed'])
      // Pointers to records behind the noise lead to where they were before; what stands there is not believed.
      expect(journal.find(idOf(1))).toEqual({
        id: idOf(1),
        state: 'partial',
        named: named(1, `0/${nameOf(1)}`),
        checkpoint: checkpoint(1, 3),
      })
      expect(journal.state(idOf(2))).toBe('staged')
      expect(await outcomesOf(journal)).toMatchObject([{ ordinal: 3 }])
      journal.close()
    }
  })
})

describe('the head', () => {
  const head = (version: number): Buffer => {
    const bytes = Buffer.alloc(headBytes)
    bytes.write('TRAWLJNL', 'latin1')
    bytes.writeUInt32LE(version, 8)
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12)
    return bytes
  }

  test.each([
    [
      'a newer version',
      Buffer.concat([head(2), Buffer.from('something that only a newer trawl can read')]),
      'ERR_FORMAT_NEWER',
    ],
    ['another file', Buffer.from('#!/bin/sh\necho this is no journal at all\n'), 'ERR_JOURNAL_CORRUPT'],
  ])('%s is refused and left untouched', (_title, bytes, code) => {
    const path = join(newFolder(), 'journal')
    writeFileSync(path, bytes)
    expect(() => new FileJournal({ path })).toThrow(expect.objectContaining({ code }))
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('a damaged one is mended where records follow', async () => {
    const { path, bytes } = writeLog(history)
    const sound = await viewOf(path)
    writeFileSync(path, Buffer.concat([Buffer.alloc(headBytes, 0xff), bytes.subarray(headBytes)]))
    const mended = await viewOf(path)
    expect(mended.view).toEqual(sound.view)
    expect(mended.damage).toEqual([{ atByte: 0, lostBytes: headBytes }])
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('is where docs and other programs look for it', () => {
    const { bytes } = writeLog([])
    expect(bytes.equals(head(1))).toBe(true)
  })
})

test('100,000 tasks: opened again, each is known, named and told once in its order', async () => {
  const count = 100_000
  const path = join(newFolder(), 'journal')
  const idAt = (n: number): string => ((n * 2654435761) >>> 0).toString(16).padStart(8, '0').repeat(4)
  let journal = new FileJournal({ path })
  for (let n = 0; n < count; n++) {
    const id = idAt(n)
    journal.named({ ...named(n), id })
    if (n % 10 === 3) journal.checkpoint({ ...checkpoint(n), id })
    if (n % 10 === 4) journal.failed({ ...failed(n), id })
    if (n % 10 < 4) continue
    journal.intent({ ...intent(n), id })
    journal.done(id)
    if (n % 256 === 0) journal.flush()
  }
  journal.close()
  journal = new FileJournal({ path })
  expect(journal.resumed).toBe(count)
  expect(journal.counts()).toEqual({ named: 30_000, partial: 10_000, staged: 0, done: 60_000, failed: 0 })
  const seen = new Set<string>()
  journal.eachName((name) => seen.add(name))
  expect(seen.size).toBe(count)
  for (let n = 0; n < count; n += 7) {
    const done = journal.doneFile(idAt(n))
    if (n % 10 >= 4) expect(done).toEqual({ path: nameOf(n), lengthBytes: 7_000_000_000 + n })
    else expect(done).toBeUndefined()
  }
  let last = -1
  let told = 0
  for await (const outcome of journal.outcomes()) {
    if (outcome.ordinal <= last || outcome.path !== nameOf(outcome.ordinal))
      expect.fail(`after ${last}: ${outcome.ordinal}`)
    last = outcome.ordinal
    told++
  }
  expect(told).toBe(60_000)
  journal.close()
})

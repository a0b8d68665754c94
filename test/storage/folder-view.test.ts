import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FileJournal, FolderView, OutputFolder, type FolderSummary } from '../../src/storage/index.ts'
import { applyStep, journalRecords, journalSteps, type JournalStep } from '../contract/journal.ts'
import { tempFolders } from './temp-folder.ts'

const newFolder = tempFolders()
const { idOf } = journalRecords

function folderOf(steps: readonly JournalStep[]): string {
  const dir = newFolder()
  mkdirSync(join(dir, '.trawl', 'parts'), { recursive: true })
  const journal = new FileJournal({ path: join(dir, '.trawl', 'journal') })
  for (const step of steps) applyStep(journal, step)
  journal.close()
  return dir
}

function summaryOf(dir: string): FolderSummary {
  const view = new FolderView(dir)
  try {
    return view.summary()
  } finally {
    view.close()
  }
}

describe('what is in a folder', () => {
  test('adds up to what the journal says, for any history, and changes nothing', () => {
    fc.assert(
      fc.property(journalSteps, (steps) => {
        const dir = folderOf(steps)
        const path = join(dir, '.trawl', 'journal')
        const bytes = readFileSync(path)
        const { finished, failed, unfinished } = summaryOf(dir)
        expect(readFileSync(path).equals(bytes)).toBe(true)
        const journal = new FileJournal({ path })
        const counts = journal.counts()
        journal.close()
        expect(finished.count).toBe(counts.done)
        expect(failed.count).toBe(counts.failed)
        expect(Object.values(failed.byCode).reduce((sum, count) => sum + count, 0)).toBe(counts.failed)
        expect(unfinished.count).toBe(counts.named + counts.partial + counts.staged)
      }),
      { numRuns: 60 },
    )
  })

  test('kept bytes are those that are really there; parts of nothing on record are told', () => {
    const dir = folderOf([
      ['named', 0, 0],
      ['checkpoint', 0, 3],
      ['named', 1, 0],
    ])
    // The checkpoint speaks of [0, 4) and of a range far behind, which is not there.
    writeFileSync(join(dir, '.trawl', 'parts', idOf(0)), Buffer.alloc(10))
    writeFileSync(join(dir, '.trawl', 'parts', idOf(7)), Buffer.alloc(10))
    const { unfinished, parts } = summaryOf(dir)
    expect(unfinished).toEqual({ count: 2, keptBytes: 4 })
    expect(parts).toMatchObject({ count: 2, orphans: 1 })
  })

  test('while another holds the lock it is read all the same, and the holder is told', () => {
    const dir = newFolder()
    const folder = new OutputFolder({ path: dir, durability: 'none' })
    try {
      applyStep(folder.journal, ['named', 0, 0])
      folder.journal.flush()
      const view = new FolderView(dir)
      applyStep(folder.journal, ['failed', 0, 1])
      folder.journal.flush()
      // The one that looks sees the moment in which it began.
      expect(view.summary()).toMatchObject({ unfinished: { count: 1 }, worker: { pid: process.pid } })
      view.close()
      expect(summaryOf(dir)).toMatchObject({ failed: { count: 1 }, unfinished: { count: 0 } })
    } finally {
      folder.close()
    }
    expect(summaryOf(dir).worker).toBeUndefined()
  })
})

test('a file that has its name is finished, also before that is on record', () => {
  const dir = folderOf([
    ['named', 0, 0],
    ['intent', 0, 0],
    ['named', 1, 0],
  ])
  const journal = new FileJournal({ path: join(dir, '.trawl', 'journal') })
  journal.intent({ ...journalRecords.intent(1, 'one.bin'), lengthBytes: 3 })
  journal.close()
  writeFileSync(join(dir, 'one.bin'), 'abc')
  expect(summaryOf(dir)).toMatchObject({ finished: { count: 1, bytes: 3 }, unfinished: { count: 1 } })
  // Where the part is there too, the next run has yet to look.
  writeFileSync(join(dir, '.trawl', 'parts', idOf(1)), 'abc')
  expect(summaryOf(dir)).toMatchObject({ finished: { count: 0 }, unfinished: { count: 2 } })
})

describe('damage', () => {
  const steps: JournalStep[] = [
    ['named', 0, 0],
    ['intent', 0, 0],
    ['done', 0, 0],
    ['named', 1, 0],
    ['named', 2, 0],
  ]

  test('a tail that was cut off is told and left as it is', () => {
    const dir = folderOf(steps)
    const path = join(dir, '.trawl', 'journal')
    const { length } = readFileSync(path)
    truncateSync(path, length - 7)
    const { finished, unfinished, journal } = summaryOf(dir)
    expect([finished.count, unfinished.count]).toEqual([1, 1])
    expect(journal.tornBytes).toBeGreaterThan(0)
    expect(journal.damage).toEqual([])
    expect(readFileSync(path)).toHaveLength(length - 7)
  })

  test('at any byte: never a throw, never a change, and the rest is counted', () => {
    const dir = folderOf(steps)
    const path = join(dir, '.trawl', 'journal')
    const bytes = readFileSync(path)
    for (let at = 16; at < bytes.length; at += 3) {
      const broken = Buffer.from(bytes)
      broken[at] = (broken[at] ?? 0) ^ 0x55
      writeFileSync(path, broken)
      const { finished, unfinished, journal } = summaryOf(dir)
      expect(finished.count + unfinished.count).toBeGreaterThan(0)
      expect(journal.damage.length + journal.tornBytes).toBeGreaterThan(0)
      expect(readFileSync(path).equals(broken)).toBe(true)
    }
  })

  test('a damaged head, an empty journal, none at all', () => {
    const dir = folderOf(steps)
    const path = join(dir, '.trawl', 'journal')
    const bytes = readFileSync(path)
    bytes.fill(0, 0, 16)
    writeFileSync(path, bytes)
    expect(summaryOf(dir)).toMatchObject({ finished: { count: 1 }, unfinished: { count: 2 } })
    expect(readFileSync(path).equals(bytes)).toBe(true)
    writeFileSync(path, '')
    expect(summaryOf(dir)).toMatchObject({ finished: { count: 0 }, journal: { bytes: 0, damage: [] } })
    expect(readFileSync(path)).toHaveLength(0)
  })
})

describe('what is no folder of trawl', () => {
  const codeOf = (path: string): { code: string; message: string } => {
    try {
      new FolderView(path).close()
    } catch (error) {
      return error as { code: string; message: string }
    }
    throw new Error('it was taken')
  }

  test('not there, a file, a folder without records, a journal of something else', () => {
    const dir = newFolder()
    writeFileSync(join(dir, 'file'), 'x')
    expect(codeOf(join(dir, 'gone'))).toMatchObject({
      code: 'ERR_INPUT_UNREADABLE',
      message: expect.stringContaining('no such folder'),
    })
    expect(codeOf(join(dir, 'file'))).toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
    expect(codeOf(dir)).toMatchObject({ code: 'ERR_INPUT_UNREADABLE' })
    mkdirSync(join(dir, '.trawl'))
    writeFileSync(join(dir, '.trawl', 'journal'), 'this is the diary of somebody else')
    expect(codeOf(dir)).toMatchObject({ code: 'ERR_JOURNAL_CORRUPT' })
  })

  test('a link to a folder is that folder', () => {
    const dir = folderOf([['named', 0, 0]])
    const link = join(newFolder(), 'link')
    symlinkSync(dir, link)
    expect(summaryOf(link).unfinished.count).toBe(1)
  })
})

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JournalEntry } from '../../../src/storage/index.ts'
import { compactJournal, FileJournal } from '../../../src/storage/index.ts'
import { applyStep, journalRecords, journalSteps, type JournalStep } from '../../contract/journal.ts'
import { tempFolders } from '../temp-folder.ts'

const newFolder = tempFolders()
const { idOf } = journalRecords
const ids = Array.from({ length: 8 }, (_, n) => idOf(n))

function writeLog(steps: readonly JournalStep[]): string {
  const path = join(newFolder(), 'journal')
  const journal = new FileJournal({ path })
  for (const step of steps) applyStep(journal, step)
  journal.close()
  return path
}

function entriesOf(path: string): (JournalEntry | undefined)[] {
  const journal = new FileJournal({ path, readOnly: true })
  try {
    return ids.map((id) => journal.find(id))
  } finally {
    journal.close()
  }
}

/** What compaction keeps of an entry: not the bytes that a failed file once had staged. */
function keptOf(entry: JournalEntry | undefined, withoutParts: boolean): unknown {
  if (!entry) return undefined
  const { intent, checkpoint, state, ...rest } = entry
  const isPartial = state === 'partial'
  return {
    ...rest,
    state: isPartial && withoutParts ? (entry.named ? 'named' : undefined) : state,
    ...(intent && state !== 'failed' ? { intent } : {}),
    ...(checkpoint && !withoutParts ? { checkpoint } : {}),
  }
}

describe('a compacted journal', () => {
  test.each([true, false])('says the same of every task (without parts: %s)', (withoutParts) => {
    fc.assert(
      fc.property(journalSteps, (steps) => {
        const path = writeLog(steps)
        const before = entriesOf(path)
        const { beforeBytes, afterBytes } = compactJournal(path, { withoutParts })
        expect(afterBytes).toBeLessThanOrEqual(beforeBytes)
        const wanted = before
          .map((entry) => keptOf(entry, withoutParts))
          .map((entry) =>
            (entry as { state?: string } | undefined)?.state === undefined ? undefined : entry,
          )
        expect(entriesOf(path)).toEqual(wanted)
        expect(existsSync(`${path}.new`)).toBe(false)
        // Once more changes nothing.
        const bytes = readFileSync(path)
        compactJournal(path, { withoutParts })
        expect(readFileSync(path).equals(bytes)).toBe(true)
      }),
      { numRuns: 100 },
    )
  })

  test('a history of many changes becomes short; what a killed compaction left is no hindrance', () => {
    const steps: JournalStep[] = [['named', 0, 0]]
    for (let n = 0; n < 500; n++) steps.push(['checkpoint', 0, n % 4])
    steps.push(['intent', 0, 0], ['done', 0, 0], ['named', 1, 0], ['forget', 1, 0])
    const path = writeLog(steps)
    writeFileSync(`${path}.new`, 'half of a journal')
    const { beforeBytes, afterBytes } = compactJournal(path, { withoutParts: false })
    expect(afterBytes).toBeLessThan(beforeBytes / 50)
    expect(entriesOf(path)[0]?.state).toBe('done')
    const journal = new FileJournal({ path })
    applyStep(journal, ['named', 3, 0])
    journal.close()
    expect(entriesOf(path)[3]?.state).toBe('named')
  })

  test('a damaged stretch is left out', () => {
    const path = writeLog([
      ['named', 0, 0],
      ['intent', 0, 0],
      ['done', 0, 0],
      ['named', 1, 0],
      ['named', 2, 0],
    ])
    const bytes = readFileSync(path)
    bytes[bytes.length - 90] = (bytes[bytes.length - 90] ?? 0) ^ 0xff
    writeFileSync(path, bytes)
    compactJournal(path, { withoutParts: true })
    const damage: unknown[] = []
    new FileJournal({ path, onDamage: (found) => damage.push(...found) }).close()
    expect(damage).toEqual([])
    expect(entriesOf(path)[0]?.state).toBe('done')
  })
})

import { join } from 'node:path'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { FileJournal, MemoryJournal, type Journal } from '../../../src/storage/index.ts'
import { applyStep, describeJournalContract, journalSteps, journalView } from '../../contract/journal.ts'
import { tempFolders } from '../temp-folder.ts'

const newFolder = tempFolders()

describeJournalContract('file', () => {
  const path = join(newFolder(), 'journal')
  let journal: Journal = new FileJournal({ path })
  return {
    journal,
    reopen() {
      journal.close()
      journal = new FileJournal({ path })
      return journal
    },
    close: () => journal.close(),
  }
})

describeJournalContract('memory', () => ({ journal: new MemoryJournal(), close: () => {} }))

test('the two tell the same of every history', async () => {
  await fc.assert(
    fc.asyncProperty(journalSteps, async (steps) => {
      const file = new FileJournal({ path: join(newFolder(), 'journal') })
      const memory = new MemoryJournal()
      try {
        for (const step of steps) {
          applyStep(file, step)
          applyStep(memory, step)
        }
        expect(await journalView(file)).toEqual(await journalView(memory))
      } finally {
        file.close()
      }
    }),
    { numRuns: 100 },
  )
})

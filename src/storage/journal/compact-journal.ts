import { renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { storageError } from '../storage-error.ts'
import { syncPath } from '../sync-path.ts'
import { FileJournal } from './file-journal.ts'
import type { JournalEntry } from './journal.ts'

/** Records are handed to the system in groups of so many tasks. */
const groupTasks = 1000

/** What a journal was made of, in bytes. */
export interface CompactedJournal {
  readonly beforeBytes: number
  readonly afterBytes: number
}

/**
 * Writes a journal anew with nothing but the last word on each task, in the same order, and puts it in the place of
 * the old one: at any moment one of the two stands there whole. The caller holds the lock of the folder and has no
 * journal of it open. With `withoutParts` what was kept of unfinished files is forgotten; their names and addresses
 * stay. Throws storage errors; the old journal is as it was then.
 */
export function compactJournal(path: string, options: { readonly withoutParts: boolean }): CompactedJournal {
  const draft = `${path}.new`
  rmSync(draft, { force: true })
  const old = new FileJournal({ path, readOnly: true })
  try {
    const beforeBytes = old.lengthBytes
    const afterBytes = copyRecords(old, draft, options.withoutParts)
    renameSync(draft, path)
    syncPath(dirname(path))
    return { beforeBytes, afterBytes }
  } catch (error) {
    rmSync(draft, { force: true })
    throw storageError(error, { path, doing: 'write anew' })
  } finally {
    old.close()
  }
}

function copyRecords(old: FileJournal, draft: string, withoutParts: boolean): number {
  const made = new FileJournal({ path: draft })
  try {
    let inGroup = 0
    for (const entry of old.entries(['named', 'partial', 'staged', 'done', 'failed'])) {
      copyEntry(made, entry, withoutParts)
      if (++inGroup % groupTasks === 0) made.flush()
    }
    made.sync()
    return made.lengthBytes
  } finally {
    made.close()
  }
}

function copyEntry(journal: FileJournal, entry: JournalEntry, withoutParts: boolean): void {
  const { state, named, checkpoint, intent, failed } = entry
  if (named) journal.named(named)
  if (state === 'done' || state === 'staged') {
    if (intent) journal.intent(intent)
    if (state === 'done') journal.done(entry.id)
    return
  }
  if (checkpoint && !withoutParts) journal.checkpoint(checkpoint)
  if (state === 'failed' && failed) journal.failed(failed)
}

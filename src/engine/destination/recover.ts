import { lstatSync, readFileSync, realpathSync, type Stats } from 'node:fs'
import { dirname, sep } from 'node:path'
import { crc32 } from 'node:zlib'
import { recheckFiles } from './recheck-files.ts'
import { publish, type IntentRecord, type OutputFolder } from '../../storage/index.ts'

/** What was looked at when a folder was opened. */
export interface Recovery {
  /** Renames that were finished or confirmed. */
  readonly recovered: number
  /** Files that were compared with their records because the power may have gone while they were written. */
  readonly checked: number
  /** Of them, those that were not whole; they come anew. */
  readonly broken: number
}

/** Larger files are recognised by their length alone: reading them all would hold up the start. */
const rereadBytes = 64 * 1024 * 1024

/** Folders of this process whose renames have been looked at: those of a running job are not for another to finish. */
const lookedAt = new WeakSet<OutputFolder>()

/**
 * Finishes or confirms the renames that a former run announced and whose done record is missing. What can be
 * neither is forgotten, its name is free again, and it will be fetched anew. After a loss of power the files that may
 * not have reached the disk are compared with their records. Throws storage errors of the journal only.
 */
export function recoverCommits(folder: OutputFolder): Recovery {
  if (lookedAt.has(folder)) return { recovered: 0, checked: 0, broken: 0 }
  lookedAt.add(folder)
  const { journal } = folder
  let recovered = 0
  for (const intent of journal.staged()) {
    if (isRecovered(folder, intent)) {
      journal.done(intent.id)
      recovered++
    } else {
      dropIntent(folder, intent)
    }
  }
  journal.flush()
  return { recovered, ...recheckFiles(folder) }
}

/** The file is fetched anew; one of ours that it was to replace stays known as that. */
function dropIntent({ journal, names }: OutputFolder, intent: IntentRecord): void {
  const named = journal.find(intent.id)?.named
  if (named?.replaces) {
    journal.named(named)
    return
  }
  journal.forget(intent.id)
  names.release(intent.path)
}

function isRecovered(folder: OutputFolder, intent: IntentRecord): boolean {
  try {
    return recoverOne(folder, intent)
  } catch {
    // What cannot be looked at, read or renamed cannot be called done.
    return false
  }
}

function recoverOne(folder: OutputFolder, intent: IntentRecord): boolean {
  const part = folder.partPath(intent.id)
  const final = `${folder.path}/${intent.path}`
  if (!isBelow(folder.path, final)) return false
  const staged = lstatSync(part, { throwIfNoEntry: false })
  const named = lstatSync(final, { throwIfNoEntry: false })
  // The file has its name and the part is a second one of it.
  if (staged && named && staged.ino === named.ino && staged.dev === named.dev) {
    folder.removePart(intent.id)
    return true
  }
  if (!staged) return named !== undefined && isIntended(final, named, intent)
  if (!isIntended(part, staged, intent)) return false
  const replace = named !== undefined
  if (replace && !mayReplace(final, named, intent)) return false
  publish(part, final, { replace, durability: folder.volume.durability })
  return true
}

/** True where what stands under the name is what the file was to replace. */
function mayReplace(path: string, stats: Stats, { facts: { replaces } }: IntentRecord): boolean {
  if (replaces === undefined || !stats.isFile()) return false
  if (replaces === 'any') return true
  return stats.size === replaces.lengthBytes && crc32(readFileSync(path)) === replaces.crc32
}

/** False when a folder on the way has become a link that leads out. */
function isBelow(root: string, path: string): boolean {
  const base = realpathSync(root)
  const folder = realpathSync(dirname(path))
  return folder === base || folder.startsWith(base.endsWith(sep) ? base : base + sep)
}

function isIntended(path: string, stats: Stats, intent: IntentRecord): boolean {
  if (!stats.isFile() || stats.size !== intent.lengthBytes) return false
  return stats.size > rereadBytes || crc32(readFileSync(path)) === intent.crc32
}

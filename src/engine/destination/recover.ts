import { lstatSync, readFileSync, unlinkSync, type Stats } from 'node:fs'
import { crc32 } from 'node:zlib'
import { isTrawlError } from '../../core/index.ts'
import { publish, type IntentRecord, type Journal, type Volume } from '../../storage/index.ts'

export interface RecoverOptions {
  readonly journal: Journal
  readonly volume: Volume
  /** Absolute path of a relative final path. */
  readonly finalPath: (path: string) => string
  /** Absolute path of the part file of a task. */
  readonly partPath: (id: string) => string
}

/** Larger files are recognised by their length alone: reading them all would hold up the start. */
const rereadBytes = 64 * 1024 * 1024

/**
 * Finishes or confirms the renames that a former run announced and whose done record is missing. What can be
 * neither is forgotten and will be fetched again. Returns how many were finished or confirmed.
 */
export function recoverCommits(options: RecoverOptions): number {
  let recovered = 0
  for (const intent of options.journal.staged()) {
    if (recoverOne(options, intent)) {
      options.journal.done(intent.id)
      recovered++
    } else {
      options.journal.forget(intent.id)
    }
  }
  options.journal.flush()
  return recovered
}

function recoverOne(options: RecoverOptions, intent: IntentRecord): boolean {
  const part = options.partPath(intent.id)
  const final = options.finalPath(intent.path)
  const staged = lstatSync(part, { throwIfNoEntry: false })
  const named = lstatSync(final, { throwIfNoEntry: false })
  if (staged && named && staged.ino === named.ino && staged.dev === named.dev) {
    unlinkSync(part)
    return true
  }
  if (staged) return finishRename(options, { part, final, staged, named, intent })
  return named !== undefined && isIntended(final, named, intent)
}

function finishRename(
  options: RecoverOptions,
  found: {
    readonly part: string
    readonly final: string
    readonly staged: Stats
    readonly named: Stats | undefined
    readonly intent: IntentRecord
  },
): boolean {
  if (found.named || !isIntended(found.part, found.staged, found.intent)) return false
  try {
    publish(found.part, found.final, { replace: false, durability: options.volume.durability })
    return true
  } catch (error) {
    if (isTrawlError(error)) return false
    throw error
  }
}

function isIntended(path: string, stats: Stats, intent: IntentRecord): boolean {
  if (!stats.isFile() || stats.size !== intent.lengthBytes) return false
  return stats.size > rereadBytes || crc32(readFileSync(path)) === intent.crc32
}

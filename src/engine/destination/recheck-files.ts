import { closeSync, lstatSync, openSync, readSync, unlinkSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import type { IntentRecord, OutputFolder } from '../../storage/index.ts'

const blockBytes = 1024 * 1024
/** Clocks of file systems are coarse, and the last note may be a little older than the last file. */
const changeToleranceMs = 30_000

/**
 * After a loss of power, compares the files that may have been in memory only with their records: those that are not
 * what they were are forgotten, and will be fetched anew under their names. A file that somebody changed since is theirs
 * and stays. Returns how many were compared and how many were not whole. Throws storage errors of the journal only.
 */
export function recheckFiles(folder: OutputFolder): { readonly checked: number; readonly broken: number } {
  const { loss } = folder.safePoints
  if (!loss) return { checked: 0, broken: 0 }
  let checked = 0
  let broken = 0
  for (const intent of folder.journal.doneSince(loss.journalBytes)) {
    checked++
    if (isWhole(folder, intent)) continue
    broken++
    folder.journal.forget(intent.id)
    if (removeOurs(`${folder.path}/${intent.path}`, loss.lastAtMs)) folder.names.release(intent.path)
  }
  folder.journal.flush()
  return { checked, broken }
}

function isWhole(folder: OutputFolder, intent: IntentRecord): boolean {
  const path = `${folder.path}/${intent.path}`
  try {
    const stats = lstatSync(path)
    return stats.isFile() && stats.size === intent.lengthBytes && crcOf(path, stats.size) === intent.crc32
  } catch {
    return false
  }
}

/** Removes what stands there unless somebody changed it since; true when nothing does any more. */
function removeOurs(path: string, lastAtMs: number): boolean {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false })
    if (!stats) return true
    if (!stats.isFile() || stats.ctimeMs > lastAtMs + changeToleranceMs) return false
    unlinkSync(path)
    return true
  } catch {
    return false
  }
}

function crcOf(path: string, sizeBytes: number): number {
  const fd = openSync(path, 'r')
  try {
    const block = Buffer.allocUnsafe(Math.min(blockBytes, Math.max(1, sizeBytes)))
    let sum = 0
    for (let at = 0; at < sizeBytes;) {
      const got = readSync(fd, block, 0, block.length, at)
      if (got === 0) break
      sum = crc32(block.subarray(0, got), sum)
      at += got
    }
    return sum
  } finally {
    closeSync(fd)
  }
}

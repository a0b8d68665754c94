import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { storageError } from '../storage-error.ts'
import { syncPath } from '../sync-path.ts'
import type { Durability } from './volume.ts'

/**
 * Gives a complete part file its final name, atomically. Without `replace` a file that stands there is never
 * touched: ERR_EXISTS (a link fails where a rename would replace). File systems without links fall back to a
 * check before the rename.
 */
export function publish(
  partPath: string,
  finalPath: string,
  options: { readonly replace: boolean; readonly durability: Durability },
): void {
  try {
    if (options.replace) renameSync(partPath, finalPath)
    else publishNew(partPath, finalPath)
    if (options.durability === 'strict') syncPath(dirname(finalPath))
  } catch (error) {
    throw storageError(error, { path: finalPath, doing: 'name' })
  }
}

function publishNew(partPath: string, finalPath: string): void {
  try {
    linkSync(partPath, finalPath)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === undefined || !withoutLinks.has(code)) throw error
    if (lstatSync(finalPath, { throwIfNoEntry: false })) {
      throw new TrawlError('ERR_EXISTS', `${finalPath} exists and is not ours`, {
        context: { path: finalPath },
      })
    }
    renameSync(partPath, finalPath)
    return
  }
  try {
    unlinkSync(partPath)
  } catch {
    // The file has its name; the second one is in nobody's way, since parts are never written into one that is there.
  }
}

/** What file systems without hard links, or that refuse them, answer. */
export const withoutLinks: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EXDEV',
  'EINVAL',
])

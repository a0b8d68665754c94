import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { errnoOf } from './storage-error.ts'

/**
 * Makes a folder and its parents where they are missing; gives the topmost that was made. Throws what the system
 * says. Node's own recursive mkdir is not used: below /proc, where the parent exists and yet the answer is ENOENT, it
 * never comes back (seen in Node 20 to 24).
 */
export function makeFolders(path: string): string | undefined {
  let made = makeOne(path)
  if (made !== parentMissing) return made
  const parent = dirname(path)
  const topmost = parent === path ? undefined : makeFolders(parent)
  made = makeOne(path)
  if (made === parentMissing) {
    throw Object.assign(new Error(`ENOENT: no such file or directory, mkdir '${path}'`), { code: 'ENOENT' })
  }
  return topmost ?? made
}

/** No path looks like this, since it is not absolute. */
const parentMissing = 'parent missing'

function makeOne(path: string): string | undefined {
  try {
    mkdirSync(path)
    return path
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT') return parentMissing
    if (errno === 'EEXIST' && statSync(path).isDirectory()) return undefined
    throw error
  }
}

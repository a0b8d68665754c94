import { closeSync, linkSync, openSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { TrawlError } from '../core/index.ts'
import { withoutLinks } from './sink/publish.ts'
import { errnoOf, storageError } from './storage-error.ts'

/** Who works in a folder. */
export interface LockOwner {
  readonly pid: number
  /** Start of the process in clock ticks since boot (Linux), which tells a reused pid from the same process. */
  readonly startTicks?: string
  readonly host: string
}

/** Taking over a lock takes no time; a mark that is older was left by a process that died at it. */
const takeoverMs = 10_000

/**
 * One writer for an output folder: a file that names the process. A lock whose process is gone (kill -9, power
 * loss) is taken over. A lock from another machine is respected, since its processes cannot be seen.
 */
export class FolderLock {
  readonly #path: string
  #held = true

  private constructor(path: string) {
    this.#path = path
  }

  /** Who holds the lock now; undefined where nobody does. Throws storage errors. */
  static holder(path: string): LockOwner | undefined {
    const owner = readOwner(path)
    return owner === undefined || owner === 'gone' || isStale(owner) ? undefined : owner
  }

  /** Throws ERR_LOCKED, naming the process, and storage errors. */
  static acquire(path: string): FolderLock {
    const text = JSON.stringify(thisProcess())
    for (let tries = 0; tries < 5; tries++) {
      if (createWhole(path, text)) return new FolderLock(path)
      const owner = readOwner(path)
      if (owner !== 'gone' && !isStale(owner)) throw lockedBy(path, owner)
      if (owner !== 'gone' && takeOver(path, text)) return new FolderLock(path)
    }
    const owner = readOwner(path)
    throw lockedBy(path, owner === 'gone' ? undefined : owner)
  }

  release(): void {
    if (!this.#held) return
    this.#held = false
    try {
      unlinkSync(this.#path)
    } catch {
      // The folder may have been moved or removed; then there is nothing to free.
    }
  }
}

/** Makes the lock with its text in it, so that nobody ever reads half of one; false where one stands. */
function createWhole(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, text, { mode: 0o644 })
    try {
      linkSync(draft, path)
    } finally {
      unlinkSync(draft)
    }
    return true
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'EEXIST') return false
    if (errno === undefined || !withoutLinks.has(errno)) throw storageError(error, { path, doing: 'create' })
  }
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o644 })
    return true
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false
    throw storageError(error, { path, doing: 'create' })
  }
}

/** Whose the lock is; `gone` where it was freed meanwhile, undefined where it names nobody. */
function readOwner(path: string): LockOwner | 'gone' | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return isOwner(owner) ? owner : undefined
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === 'ENOENT') return 'gone'
    if (errno === undefined) return undefined
    throw storageError(error, { path, doing: 'read' })
  }
}

function isOwner(value: unknown): value is LockOwner {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'host' in value &&
    typeof value.host === 'string'
  )
}

function isStale(owner: LockOwner | undefined): boolean {
  return owner === undefined || (owner.host === hostname() && !isAlive(owner))
}

/**
 * Replaces a lock that nobody holds. One process at a time: else the second would take the lock that the first has
 * just made for the stale one it read before.
 */
function takeOver(path: string, text: string): boolean {
  const mark = `${path}.takeover`
  removeIfOld(mark)
  try {
    closeSync(openSync(mark, 'wx', 0o644))
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') throw lockedBy(path, undefined)
    throw storageError(error, { path: mark, doing: 'create' })
  }
  try {
    const owner = readOwner(path)
    if (owner === 'gone' || !isStale(owner)) return false
    unlinkSync(path)
    return createWhole(path, text)
  } finally {
    unlinkSync(mark)
  }
}

function removeIfOld(mark: string): void {
  const stats = statSync(mark, { throwIfNoEntry: false })
  if (stats && Date.now() - stats.mtimeMs > takeoverMs) unlinkSync(mark)
}

function lockedBy(path: string, owner: LockOwner | undefined): TrawlError {
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process'
  const isElsewhere = owner !== undefined && owner.host !== hostname()
  return new TrawlError('ERR_LOCKED', `${who} works in this folder (${path})`, {
    context: { path, ...(owner ? { pid: owner.pid } : {}) },
    ...(isElsewhere ? { hint: `If nothing works there any more, remove ${path}.` } : {}),
  })
}

function isAlive(owner: LockOwner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false
  }
  const stat = statFields(owner.pid)
  // Dead, but its parent has not looked yet.
  if (stat?.[0] === 'Z' || stat?.[0] === 'X') return false
  const ticks = stat?.[19]
  return ticks === undefined || owner.startTicks === undefined || ticks === owner.startTicks
}

function thisProcess(): LockOwner {
  const ticks = statFields(process.pid)?.[19]
  return { pid: process.pid, host: hostname(), ...(ticks === undefined ? {} : { startTicks: ticks }) }
}

/** The fields of /proc/PID/stat from the third on (proc(5)): state first; undefined where there is no such file. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name, in brackets, may hold blanks and brackets itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}

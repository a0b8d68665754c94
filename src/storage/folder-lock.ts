import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { TrawlError } from '../core/index.ts'
import { errnoOf, storageError } from './storage-error.ts'

/** Who works in a folder. */
interface LockOwner {
  readonly pid: number
  /** Start of the process in clock ticks since boot (Linux), which tells a reused pid from the same process. */
  readonly startTicks?: string
  readonly host: string
}

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

  /** Throws ERR_LOCKED, naming the process, and storage errors. */
  static acquire(path: string): FolderLock {
    const text = JSON.stringify(thisProcess())
    for (let tries = 0; tries < 3; tries++) {
      try {
        const fd = openSync(path, 'wx', 0o644)
        writeSync(fd, text)
        closeSync(fd)
        return new FolderLock(path)
      } catch (error) {
        if (errnoOf(error) !== 'EEXIST') throw storageError(error, { path, doing: 'create' })
        removeIfStale(path)
      }
    }
    throw lockedBy(path, undefined)
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

function removeIfStale(path: string): void {
  let owner: LockOwner | undefined
  try {
    owner = JSON.parse(readFileSync(path, 'utf8')) as LockOwner
  } catch (error) {
    // Freed meanwhile; or cut short by a crash between creating and writing, and then nobody's.
    if (errnoOf(error) === 'ENOENT') return
  }
  if (owner && (owner.host !== hostname() || isAlive(owner))) throw lockedBy(path, owner)
  try {
    unlinkSync(path)
  } catch {
    // Somebody else removed it first; the next try sees theirs.
  }
}

function lockedBy(path: string, owner: LockOwner | undefined): TrawlError {
  const who = owner ? `process ${owner.pid} on ${owner.host}` : 'another process'
  return new TrawlError('ERR_LOCKED', `${who} works in this folder (${path})`, {
    context: { path, ...(owner ? { pid: owner.pid } : {}) },
  })
}

function isAlive(owner: LockOwner): boolean {
  try {
    process.kill(owner.pid, 0)
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false
  }
  const ticks = startTicks(owner.pid)
  return ticks === undefined || owner.startTicks === undefined || ticks === owner.startTicks
}

function thisProcess(): LockOwner {
  const ticks = startTicks(process.pid)
  return { pid: process.pid, host: hostname(), ...(ticks === undefined ? {} : { startTicks: ticks }) }
}

/** Field 22 of /proc/PID/stat (proc(5)); undefined where there is no such file. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The program's name, in brackets, may hold blanks and brackets itself.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  } catch {
    return undefined
  }
}

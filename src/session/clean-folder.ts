import { existsSync, lstatSync, rmSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { recoverCommits } from '../engine/index.ts'
import { TrawlError } from '../core/index.ts'
import {
  compactJournal,
  FolderLock,
  FolderView,
  namesIn,
  OutputFolder,
  safePointsName,
  SafePoints,
  stateFolderName,
  storageError,
} from '../storage/index.ts'

/** What was, or would be, taken away from an output folder. Sizes in bytes. */
export interface CleanedFolder {
  /** Absolute. */
  readonly dir: string
  readonly dryRun: boolean
  /** Bytes of unfinished files. */
  readonly parts: { readonly count: number; readonly bytes: number }
  /** Pages of unfinished books, samples of unfinished shards. */
  readonly staging: { readonly count: number; readonly bytes: number }
  /** Files whose naming had been interrupted and is finished now. */
  readonly recovered: number
  /** Absent where there is no journal; `afterBytes` is not known in a dry run. */
  readonly journal?: { readonly beforeBytes: number; readonly afterBytes?: number }
  /** What lies among ours and is not ours: left alone. */
  readonly left: readonly string[]
}

const partName = /^[0-9a-f]{32}$/

/**
 * Takes away parts and staging of an output folder, and writes its journal anew, without what no longer counts.
 * Finished files and everything outside `.trawl` stay as they are; what failed or was unfinished stays on record,
 * without its bytes. Throws ERR_INPUT_UNREADABLE where trawl never worked, ERR_LOCKED while a job works there,
 * ERR_FORMAT_NEWER, ERR_JOURNAL_CORRUPT, storage errors.
 */
export function cleanFolder(path: string, options: { readonly dryRun: boolean }): CleanedFolder {
  const dir = resolve(path)
  const view = new FolderView(dir)
  const { hasJournal } = view
  let beforeBytes: number
  try {
    beforeBytes = view.summary().journal.bytes
  } finally {
    view.close()
  }
  const state = join(dir, stateFolderName)
  refuseLink(state)
  const cleaning = new Cleaning(state, options.dryRun)
  if (options.dryRun) {
    cleaning.checkIdle()
    cleaning.all()
    return { dir, ...cleaning.result(), ...(hasJournal ? { journal: { beforeBytes } } : {}) }
  }
  if (!hasJournal) {
    const lock = FolderLock.acquire(join(state, 'lock'))
    try {
      cleaning.checkIdle()
      cleaning.all()
    } finally {
      lock.release()
    }
    return { dir, ...cleaning.result() }
  }
  const folder = new OutputFolder({ path: dir, durability: 'batch' })
  try {
    cleaning.checkIdle()
    // First: a staged file that only lacks its name is a finished one.
    cleaning.recovered = recoverCommits(folder).recovered
    folder.journal.sync()
    cleaning.all()
    const { afterBytes } = compactJournal(folder.statePath('journal'), { withoutParts: true })
    SafePoints.forget(folder.statePath(safePointsName))
    return { dir, ...cleaning.result(), journal: { beforeBytes, afterBytes } }
  } finally {
    folder.close()
  }
}

class Cleaning {
  recovered = 0
  readonly #state: string
  readonly #dryRun: boolean
  readonly #parts = { count: 0, bytes: 0 }
  readonly #staging = { count: 0, bytes: 0 }
  readonly #left: string[] = []

  constructor(state: string, dryRun: boolean) {
    this.#state = state
    this.#dryRun = dryRun
  }

  result(): Omit<CleanedFolder, 'dir' | 'journal'> {
    return {
      dryRun: this.#dryRun,
      parts: this.#parts,
      staging: this.#staging,
      recovered: this.recovered,
      left: this.#left,
    }
  }

  /** Throws ERR_LOCKED while a book or a shard is being made here, or, in a dry run, files are being downloaded. */
  checkIdle(): void {
    const locks = [
      ...(this.#dryRun ? [join(this.#state, 'lock')] : []),
      ...namesIn(join(this.#state, 'staging')).map((name) => this.#stagingLock(name)),
      ...namesIn(join(this.#state, 'claims')).map((name) => join(this.#state, 'claims', name)),
    ]
    for (const path of locks) {
      const holder = existsSync(path) && !statSync(path).isDirectory() ? FolderLock.holder(path) : undefined
      if (!holder) continue
      throw new TrawlError('ERR_LOCKED', `process ${holder.pid} on ${holder.host} works in this folder`, {
        context: { path },
        hint: 'Wait until it has ended, or stop it; then clean.',
      })
    }
  }

  all(): void {
    this.#each('parts', (name, path) => {
      if (partName.test(name) && lstatSync(path).isFile()) this.#remove(path, this.#parts)
      else this.#left.push(path)
    })
    this.#each('staging', (name, path) => {
      // Held while it is removed, so that no book begins in it meanwhile.
      const lock =
        this.#dryRun || !existsSync(join(path, stateFolderName)) ? undefined : this.#stagingLock(name)
      const held = lock === undefined ? undefined : FolderLock.acquire(lock)
      try {
        this.#remove(path, this.#staging)
      } finally {
        held?.release()
      }
    })
    this.#each('spool', (_name, path) => this.#remove(path, this.#staging))
    for (const name of ['report.tmp', 'journal.new']) {
      const path = join(this.#state, name)
      if (existsSync(path)) this.#remove(path, this.#staging)
    }
  }

  #each(folder: string, visit: (name: string, path: string) => void): void {
    const path = join(this.#state, folder)
    if (!existsSync(path)) return
    if (lstatSync(path).isSymbolicLink()) return void this.#left.push(path)
    for (const name of namesIn(path)) visit(name, join(path, name))
  }

  #remove(path: string, sum: { count: number; bytes: number }): void {
    sum.count++
    sum.bytes += bytesBelow(path)
    if (this.#dryRun) return
    try {
      rmSync(path, { recursive: true, force: true })
    } catch (error) {
      throw storageError(error, { path, doing: 'remove' })
    }
  }

  #stagingLock(name: string): string {
    return join(this.#state, 'staging', name, stateFolderName, 'lock')
  }
}

/** Our folder as a link leads to somebody else's. */
function refuseLink(path: string): void {
  if (!lstatSync(path).isSymbolicLink()) return
  throw new TrawlError('ERR_PATH_UNSAFE', `${path} is a symbolic link; nothing behind it is removed`, {
    context: { path },
    hint: 'Clean the folder that it leads to by its own name.',
  })
}

/** What a file or folder takes of the disk; links are not followed. */
function bytesBelow(path: string): number {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (!stats) return 0
  if (!stats.isDirectory()) return Math.min(stats.size, stats.blocks * 512)
  return namesIn(path).reduce((sum, name) => sum + bytesBelow(join(path, name)), 0)
}

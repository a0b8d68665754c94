import { lstatSync, readdirSync, rmSync, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Extent, TaskId } from '../core/index.ts'
import { freeBytes } from './free-bytes.ts'
import { FolderLock } from './folder-lock.ts'
import { FileJournal } from './journal/file-journal.ts'
import type { Journal } from './journal/journal.ts'
import type { LogDamage } from './journal/log-file.ts'
import { makeOutputFolder } from './make-output-folder.ts'
import { SafePoints } from './safe-points.ts'
import { KnownNames } from './known-names.ts'
import { ConfinedRoot, DirectoryCache, NameRegistry } from './naming/index.ts'
import { FileSink } from './sink/file-sink.ts'
import { OpenParts, type OpenPart } from './sink/open-parts.ts'
import { errnoOf, storageError } from './storage-error.ts'
import { Volume, type Durability } from './sink/volume.ts'

export interface OutputFolderOptions {
  readonly path: string
  readonly durability: Durability
  readonly onDamage?: (damage: readonly LogDamage[]) => void
}

/** The folder, below an output folder, that holds everything of ours that is not a result. */
export const stateFolderName = '.trawl'
/** Within it, what `SafePoints` notes. */
export const safePointsName = 'safe-points'

/**
 * An output folder with its state: journal, parts, names given, lock. Opening makes what is missing, refuses when
 * another process works there, and reads the journal.
 */
export class OutputFolder {
  readonly path: string
  readonly journal: Journal
  readonly names: NameRegistry
  readonly volume: Volume
  /** How far the finished files are surely on the disk. */
  readonly safePoints: SafePoints
  readonly directories = new DirectoryCache()
  readonly root: ConfinedRoot
  readonly #known = new KnownNames()
  #users = 0
  readonly #live = new OpenParts()
  /** Parts that others than the sinks of this folder write. */
  readonly #claims = new Map<TaskId, OpenPart>()
  readonly #lock: FolderLock
  readonly #state: string

  /** Throws ERR_LOCKED, ERR_NOT_DIRECTORY, ERR_PERMISSION, ERR_FORMAT_NEWER, ERR_JOURNAL_CORRUPT, storage errors. */
  constructor(options: OutputFolderOptions) {
    this.path = resolve(options.path)
    this.#state = join(this.path, stateFolderName)
    makeOutputFolder(this.path, join(stateFolderName, 'parts'))
    this.root = new ConfinedRoot(this.path)
    this.volume = new Volume({ durability: options.durability })
    this.names = new NameRegistry()
    // Nothing of ours may get the name of our own folder.
    this.names.add(stateFolderName)
    this.#lock = FolderLock.acquire(join(this.#state, 'lock'))
    let journal: FileJournal | undefined
    try {
      journal = new FileJournal({
        path: join(this.#state, 'journal'),
        ...(options.onDamage ? { onDamage: options.onDamage } : {}),
      })
      journal.eachName((path) => void this.names.add(path))
    } catch (error) {
      journal?.close()
      this.#lock.release()
      throw storageError(error, { path: this.path, doing: 'read the journal of' })
    }
    this.journal = journal
    this.safePoints = new SafePoints(join(this.#state, safePointsName))
  }

  /** Where the bytes of an unfinished task are. */
  partPath(id: TaskId): string {
    return `${this.partsFolder}/${id}`
  }

  /** True when the part file has all the bytes that a checkpoint speaks of. */
  holds(checkpoint: { readonly id: TaskId; readonly extents: readonly Extent[] }): boolean {
    const size = lstatSync(this.partPath(checkpoint.id), { throwIfNoEntry: false })?.size ?? 0
    return checkpoint.extents.every((extent) => extent.end <= size)
  }

  statePath(name: string): string {
    return join(this.#state, name)
  }

  sink(id: TaskId): FileSink {
    return new FileSink(this.partPath(id), this.volume, this.#live)
  }

  /** Keeps other jobs away from the part of a task while somebody outside of this thread writes it. */
  claimPart(id: TaskId): void {
    const claim: OpenPart = { partPath: this.partPath(id), seat: -1 }
    this.#claims.set(id, claim)
    this.#live.add(claim)
  }

  releasePart(id: TaskId): void {
    const claim = this.#claims.get(id)
    if (!claim) return
    this.#claims.delete(id)
    this.#live.remove(claim)
  }

  /** Folder of all parts. */
  get partsFolder(): string {
    return `${this.#state}/parts`
  }

  /** Removes the part file of a task, if there is one. */
  removePart(id: TaskId): void {
    rmSync(this.partPath(id), { force: true })
  }

  /** One more job of this process works here. */
  join(): void {
    this.#users++
  }

  /** True while a sink of this task is open: of another job, which writes the very same part. */
  isBusy(id: TaskId): boolean {
    // One job never has the same part twice.
    return this.#users > 1 && this.#live.has(this.partPath(id))
  }

  /** What stands under a relative path, links not followed; undefined for nothing. */
  look(path: string): Stats | undefined {
    const absolute = `${this.path}/${path}`
    try {
      return lstatSync(absolute, { throwIfNoEntry: false })
    } catch (error) {
      // A file where the path has a folder: nothing stands there, and making the folder will say so.
      if (errnoOf(error) === 'ENOTDIR') return undefined
      throw storageError(error, { path: join(this.path, path), doing: 'look at' })
    }
  }

  /** As `look`, for a name that this run has not given before: nothing is asked of folders known to be without it. */
  lookForStranger(path: string): Stats | undefined {
    const slash = path.lastIndexOf('/')
    const folder = slash < 0 ? this.path : `${this.path}/${path.slice(0, slash)}`
    return this.#known.mayHold(folder, path.slice(slash + 1)) ? this.look(path) : undefined
  }

  /** Absolute form of a relative path whose folders have been made; undefined until they are. */
  placed(path: string): string | undefined {
    return this.root.known(path)
  }

  /** Makes the folders above a relative path and gives its absolute form. Throws ERR_PATH_UNSAFE, storage errors. */
  async place(path: string): Promise<string> {
    const slash = path.lastIndexOf('/')
    const absolute = await this.root.resolve(path)
    if (slash >= 0) {
      await this.directories.ensure(join(this.path, path.slice(0, slash)))
      return this.root.resolve(path)
    }
    return absolute
  }

  /** Bytes that an ordinary user may still write on the volume. */
  freeBytes(): number | undefined {
    return freeBytes(this.path)
  }

  /** Part files that belong to no task that is known as unfinished are of no use any more. */
  removeOrphanParts(): number {
    let removed = 0
    for (const name of readdirSync(join(this.#state, 'parts'))) {
      const state = this.journal.state(name)
      if (state === 'partial' || state === 'failed' || state === 'staged') continue
      this.removePart(name)
      removed++
    }
    return removed
  }

  close(): void {
    try {
      this.journal.close()
      this.safePoints.close(this.journal.lengthBytes)
    } finally {
      this.#lock.release()
    }
  }
}

import { existsSync, lstatSync, readdirSync, statSync, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'
import { TrawlError, type ErrorData, type TaskId, type TaskRequest } from '../core/index.ts'
import { FolderLock, type LockOwner } from './folder-lock.ts'
import { FileJournal } from './journal/file-journal.ts'
import type { CheckpointRecord, JournalEntry, TaskState } from './journal/journal.ts'
import type { LogDamage } from './journal/log-file.ts'
import { stateFolderName } from './output-folder.ts'
import { errnoOf, storageError } from './storage-error.ts'

/** What is in an output folder by its journal. Sizes in bytes. */
export interface FolderSummary {
  /** Absolute. */
  readonly dir: string
  readonly finished: { readonly count: number; readonly bytes: number }
  readonly failed: { readonly count: number; readonly byCode: Readonly<Record<string, number>> }
  /** Begun and not finished; `keptBytes` are those of failed ones too, from which the next run goes on. */
  readonly unfinished: { readonly count: number; readonly keptBytes: number }
  /** Part files; `orphans` belong to nothing that is on record as unfinished. */
  readonly parts: { readonly count: number; readonly bytes: number; readonly orphans: number }
  readonly journal: {
    readonly bytes: number
    /** Stretches without a sound record. What stood there is forgotten. */
    readonly damage: readonly LogDamage[]
    /** A record at the end that was cut off, as a kill leaves it; the next run removes it. */
    readonly tornBytes: number
  }
  /** The process that works here now. */
  readonly worker?: LockOwner
}

/** A file that failed, or that was begun and not finished. */
export interface LeftItem {
  readonly id: TaskId
  readonly ordinal: number
  readonly status: 'failed' | 'unfinished'
  readonly input: string
  /** Relative to the folder. */
  readonly path?: string
  /** Bytes that are kept. */
  readonly bytes: number
  /** Length of the whole file, where it is known. */
  readonly sizeBytes?: number
  readonly attempts?: number
  readonly httpStatus?: number
  readonly error?: ErrorData
  readonly request?: TaskRequest
}

const leftStates: readonly TaskState[] = ['named', 'partial', 'staged', 'failed']

/**
 * An output folder, looked at without its lock: also while another process works in it, and where the journal is
 * damaged. Nothing is changed. Memory: tens of bytes for each file on record.
 */
export class FolderView {
  readonly path: string
  readonly #state: string
  readonly #journal: FileJournal | undefined
  readonly #damage: LogDamage[] = []

  /**
   * Throws ERR_INPUT_UNREADABLE where there is no such folder or nothing of trawl in it, ERR_FORMAT_NEWER,
   * ERR_JOURNAL_CORRUPT (not a journal at all), storage errors.
   */
  constructor(path: string) {
    this.path = resolve(path)
    this.#state = join(this.path, stateFolderName)
    checkFolder(this.path)
    const journal = join(this.#state, 'journal')
    if (!existsSync(journal)) return
    this.#journal = new FileJournal({
      path: journal,
      readOnly: true,
      onDamage: (damage) => void this.#damage.push(...damage),
    })
  }

  /** True where files were downloaded into this very folder, and not only books or a dataset made in it. */
  get hasJournal(): boolean {
    return this.#journal !== undefined
  }

  summary(): FolderSummary {
    const journal = this.#journal
    const counts = journal?.counts()
    const byCode: Record<string, number> = {}
    let keptBytes = 0
    let unfinished = 0
    for (const item of this.items()) {
      keptBytes += item.bytes
      if (!item.error) unfinished++
      else byCode[item.error.code] = (byCode[item.error.code] ?? 0) + 1
    }
    const { count, bytes } = this.#justNamed()
    const worker = FolderLock.holder(join(this.#state, 'lock'))
    return {
      dir: this.path,
      finished: { count: (counts?.done ?? 0) + count, bytes: (journal?.doneBytes() ?? 0) + bytes },
      failed: { count: counts?.failed ?? 0, byCode },
      unfinished: { count: unfinished, keptBytes },
      parts: this.#parts(),
      journal: {
        bytes: journal?.lengthBytes ?? 0,
        damage: this.#damage,
        // With somebody at work it is a record that is just being written.
        tornBytes: worker ? 0 : (journal?.tornBytes ?? 0),
      },
      ...(worker ? { worker } : {}),
    }
  }

  /** What failed and what is unfinished, in the order of the journal, lazily. */
  *items(): Generator<LeftItem, void, undefined> {
    if (!this.#journal) return
    for (const entry of this.#journal.entries(leftStates)) {
      if (!this.#isNamed(entry)) yield this.#itemOf(entry)
    }
  }

  /** Files that have their name while the record of it is still to be written. */
  #justNamed(): { readonly count: number; readonly bytes: number } {
    let count = 0
    let bytes = 0
    for (const entry of this.#journal?.entries(['staged']) ?? []) {
      if (!this.#isNamed(entry)) continue
      count++
      bytes += entry.intent?.lengthBytes ?? 0
    }
    return { count, bytes }
  }

  /** True where the last step of a commit has been made, as far as a look can tell. */
  #isNamed({ id, state, intent }: JournalEntry): boolean {
    if (state !== 'staged' || !intent) return false
    const look = (path: string): Stats | undefined => lstatSync(path, { throwIfNoEntry: false })
    return (
      look(join(this.path, intent.path))?.size === intent.lengthBytes &&
      look(join(this.#state, 'parts', id)) === undefined
    )
  }

  /** The item on record under an id; undefined where there is none, or it is finished. */
  item(id: TaskId): LeftItem | undefined {
    const entry = this.#journal?.find(id)
    return entry && entry.state !== 'done' ? this.#itemOf(entry) : undefined
  }

  close(): void {
    this.#journal?.close()
  }

  #itemOf(entry: JournalEntry): LeftItem {
    const { id, state, named, failed, checkpoint, intent } = entry
    const path = named?.path ?? failed?.path
    const request = named?.request ?? failed?.request
    const sizeBytes = state === 'staged' ? intent?.lengthBytes : checkpoint?.lengthBytes
    return {
      id,
      ordinal: named?.ordinal ?? failed?.ordinal ?? 0,
      status: state === 'failed' ? 'failed' : 'unfinished',
      input: named?.input ?? failed?.input ?? '',
      bytes: state === 'staged' ? (intent?.lengthBytes ?? 0) : this.#kept(checkpoint),
      ...(path === undefined ? {} : { path }),
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      ...(state === 'failed' && failed ? failureOf(failed) : {}),
      ...(request ? { request } : {}),
    }
  }

  /** Bytes of a checkpoint that are really there. */
  #kept(checkpoint: CheckpointRecord | undefined): number {
    if (!checkpoint) return 0
    const part = lstatSync(join(this.#state, 'parts', checkpoint.id), { throwIfNoEntry: false })
    const size = part?.size ?? 0
    return checkpoint.extents.reduce(
      (sum, { start, end }) => sum + Math.max(0, Math.min(end, size) - start),
      0,
    )
  }

  #parts(): FolderSummary['parts'] {
    const folder = join(this.#state, 'parts')
    let count = 0
    let bytes = 0
    let orphans = 0
    for (const name of namesIn(folder)) {
      const stats = lstatSync(join(folder, name), { throwIfNoEntry: false })
      if (!stats) continue
      count++
      // A part has holes: what counts is what it takes of the disk, where the system tells.
      bytes += stats.blocks === undefined ? stats.size : Math.min(stats.size, stats.blocks * 512)
      const state = this.#journal?.state(name)
      if (state === undefined || state === 'done') orphans++
    }
    return { count, bytes, orphans }
  }
}

function failureOf({
  error,
  attempts,
  httpStatus,
}: NonNullable<JournalEntry['failed']>): Pick<LeftItem, 'error' | 'attempts' | 'httpStatus'> {
  return { error, attempts, ...(httpStatus === undefined ? {} : { httpStatus }) }
}

/** Entries of a folder; none where there is no folder. Throws storage errors. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return []
    throw storageError(error, { path: folder, doing: 'read' })
  }
}

function checkFolder(path: string): void {
  const refuse = (why: string, hint: string): TrawlError =>
    new TrawlError('ERR_INPUT_UNREADABLE', `${path}: ${why}`, { context: { path }, hint })
  const stats = lookAt(path)
  if (!stats) throw refuse('no such folder', 'Give the folder that trawl was told to write to (--dir).')
  if (!stats.isDirectory()) {
    throw refuse('not a folder', 'Give the folder that trawl was told to write to (--dir).')
  }
  if (existsSync(join(path, stateFolderName))) return
  throw refuse(
    'trawl keeps no records here',
    `Give the folder that trawl was told to write to (--dir): it has a folder ${stateFolderName} in it.`,
  )
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw storageError(error, { path, doing: 'look at' })
  }
}

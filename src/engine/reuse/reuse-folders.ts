import { existsSync, lstatSync, opendirSync, type Dir, type Stats } from 'node:fs'
import { join, resolve } from 'node:path'
import { describeLocator, murmur128, TrawlError, type DownloadTask } from '../../core/index.ts'
import {
  FileJournal,
  stateFolderName,
  storageError,
  TaskIndex,
  type JournalEntry,
} from '../../storage/index.ts'

/** A downloaded file of another folder, or of another task of the same one, that is still there. */
export interface RecordedFile {
  /** Absolute. */
  readonly path: string
  /** As its folder has it. */
  readonly name: string
  readonly entry: JournalEntry & { readonly intent: NonNullable<JournalEntry['intent']> }
}

/** A file about which nothing is on record. */
export interface PlainFile {
  /** Absolute. */
  readonly path: string
  readonly sizeBytes: number
  readonly modifiedS: number
}

/** More files of a folder are not looked at. */
const mostFiles = 1_000_000

/**
 * Folders in which files may be found that need not be fetched again. Their journals are read as they were when they
 * were first asked; nothing in them is changed. Memory: tens of bytes for each file on record, about two hundred for
 * each other file, and those only where they are asked for.
 */
export class ReuseFolders {
  readonly #folders: readonly ReuseFolder[]

  /** Throws ERR_INPUT_UNREADABLE for what is no folder, ERR_FORMAT_NEWER, storage errors. */
  constructor(paths: readonly string[]) {
    this.#folders = paths.map((path) => new ReuseFolder(resolve(path)))
  }

  /** The file that was downloaded for the same task, or from the same address; undefined where there is none. */
  recorded(task: DownloadTask): RecordedFile | undefined {
    for (const folder of this.#folders) {
      const found = folder.recorded(task)
      if (found) return found
    }
    return undefined
  }

  /** Files of this length, whatever they are called. */
  ofSize(sizeBytes: number): readonly PlainFile[] {
    return this.#folders.flatMap((folder) => folder.plain.bySize.get(sizeBytes) ?? [])
  }

  /** Files of this name, in whatever folder below. */
  ofName(name: string): readonly PlainFile[] {
    return this.#folders.flatMap((folder) => folder.plain.byName.get(name) ?? [])
  }

  close(): void {
    for (const folder of this.#folders) folder.close()
  }
}

class ReuseFolder {
  readonly #path: string
  readonly #journal: FileJournal | undefined
  #byUrl: TaskIndex | undefined
  /** Ids by the offsets in `#byUrl`. */
  readonly #ids: string[] = []
  #plain: PlainFiles | undefined

  constructor(path: string) {
    this.#path = path
    const stats = look(path)
    if (!stats?.isDirectory()) {
      throw new TrawlError(
        'ERR_INPUT_UNREADABLE',
        `--reuse: ${path} is ${stats ? 'not a folder' : 'not there'}`,
        {
          context: { path },
          hint: 'Give a folder with files that were downloaded before.',
        },
      )
    }
    const journal = join(path, stateFolderName, 'journal')
    if (existsSync(journal)) this.#journal = new FileJournal({ path: journal, readOnly: true })
  }

  recorded(task: DownloadTask): RecordedFile | undefined {
    const journal = this.#journal
    if (!journal) return undefined
    const own = journal.state(task.id) === 'done' ? this.#there(journal.find(task.id)) : undefined
    return own ?? this.#ofUrl(journal, describeLocator(task.locator))
  }

  get plain(): PlainFiles {
    return (this.#plain ??= scan(this.#path))
  }

  close(): void {
    this.#journal?.close()
  }

  #ofUrl(journal: FileJournal, url: string): RecordedFile | undefined {
    const index = (this.#byUrl ??= this.#indexUrls(journal))
    const at = index.offset(murmur128(url))
    const id = at < 0 ? undefined : this.#ids[at]
    return id === undefined ? undefined : this.#there(journal.find(id))
  }

  #indexUrls(journal: FileJournal): TaskIndex {
    const index = new TaskIndex()
    for (const { id, named } of journal.entries(['done'])) {
      if (named === undefined) continue
      index.set(murmur128(named.input), 1, this.#ids.length)
      this.#ids.push(id)
    }
    return index
  }

  /** The file of a record, where it is there with its length. */
  #there(entry: JournalEntry | undefined): RecordedFile | undefined {
    const intent = entry?.intent
    if (entry?.state !== 'done' || !intent) return undefined
    const path = join(this.#path, intent.path)
    const stats = look(path)
    if (!stats?.isFile() || stats.size !== intent.lengthBytes) return undefined
    return { path, name: intent.path, entry: { ...entry, intent } }
  }
}

interface PlainFiles {
  readonly bySize: ReadonlyMap<number, readonly PlainFile[]>
  readonly byName: ReadonlyMap<string, readonly PlainFile[]>
}

/** All files below a folder; links are not followed, and our own folders are left out. */
function scan(root: string): PlainFiles {
  const bySize = new Map<number, PlainFile[]>()
  const byName = new Map<string, PlainFile[]>()
  let count = 0
  const folders = [root]
  for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
    const dir = open(path)
    if (!dir) continue
    try {
      for (let entry = dir.readSync(); entry; entry = dir.readSync()) {
        const below = `${path}/${entry.name}`
        if (entry.isDirectory()) {
          if (entry.name !== stateFolderName) folders.push(below)
          continue
        }
        const stats = entry.isFile() ? look(below) : undefined
        if (!stats || stats.size === 0) continue
        if (++count > mostFiles) return { bySize, byName }
        const file = { path: below, sizeBytes: stats.size, modifiedS: Math.floor(stats.mtimeMs / 1000) }
        append(bySize, stats.size, file)
        append(byName, entry.name, file)
      }
    } finally {
      dir.closeSync()
    }
  }
  return { bySize, byName }
}

function append<K>(map: Map<K, PlainFile[]>, key: K, file: PlainFile): void {
  const list = map.get(key)
  if (list) list.push(file)
  else map.set(key, [file])
}

/** Undefined for a folder that may not be read: its files are as good as not there. */
function open(path: string): Dir | undefined {
  try {
    return opendirSync(path)
  } catch {
    return undefined
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false })
  } catch (error) {
    throw storageError(error, { path, doing: 'look at' })
  }
}

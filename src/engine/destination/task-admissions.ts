import type { DownloadTask } from '../../core/index.ts'
import type { OutputFolder } from '../../storage/index.ts'
import type { FoundFiles } from '../reuse/found-files.ts'
import { askAboutOwn } from './ask-about-own.ts'
import type { Admission } from './destination.ts'
import { passesFilter } from './entity-filter.ts'
import { existsError, type FileNamer } from './file-namer.ts'
import type { FolderDestinationOptions } from './folder-destination-options.ts'

const fetch: Admission = { admit: 'fetch' }

/** Decides before anything is asked what becomes of a task: fetched, gone on with, or not needed. */
export class TaskAdmissions {
  readonly #options: FolderDestinationOptions
  readonly #folder: OutputFolder
  readonly #namer: FileNamer
  readonly #found: FoundFiles | undefined

  constructor(
    options: FolderDestinationOptions,
    parts: { readonly namer: FileNamer; readonly found: FoundFiles | undefined },
  ) {
    this.#options = options
    this.#folder = options.folder
    this.#namer = parts.namer
    this.#found = parts.found
  }

  /** Throws ERR_EXISTS where a file of ours stands that may not be touched. */
  admit(task: DownloadTask): Admission {
    const { journal } = this.#folder
    const done = journal.doneFile(task.id)
    if (done) return this.#admitDone(task, done)
    if (journal.state(task.id) !== undefined) {
      const entry = journal.find(task.id)
      const path = entry?.named?.path
      const replaces = entry?.named?.replaces
      const kept = entry?.checkpoint && this.#folder.holds(entry.checkpoint) ? entry.checkpoint : undefined
      return {
        admit: 'fetch',
        ...(path === undefined ? {} : { path }),
        ...(kept ? { kept } : {}),
        ...(replaces ? { replaces } : {}),
      }
    }
    const { filterOf } = this.#options
    if (filterOf && task.expectedSizeBytes !== undefined) {
      const told = { lengthBytes: task.expectedSizeBytes, validators: {} }
      if (!passesFilter(filterOf(task), told)) return { admit: 'skip', reason: 'filtered', sizeBytes: 0 }
    }
    if (this.#options.onExists === 'skip') {
      const path = this.#options.nameOf(task, undefined)
      const found = path === undefined ? undefined : this.#folder.look(path)
      if (path !== undefined && found?.isFile()) {
        return { admit: 'skip', reason: 'exists', path, sizeBytes: found.size }
      }
    }
    return this.#found ? { admit: 'fetch', lookedFor: true, ...this.#found.beforehand(task) } : fetch
  }

  /** True where the answer to a task may be refused for what is known only here. */
  mayRefuse(task: DownloadTask): boolean {
    const { onExists, maxSizeBytes, filterOf, update, nameOf } = this.#options
    if (maxSizeBytes !== undefined || filterOf || update || this.#found) return true
    if (onExists === 'overwrite' || onExists === 'rename') return false
    if (this.#folder.journal.state(task.id) !== undefined) return false
    try {
      const path = nameOf(task, undefined)
      // Where only the answer tells the name, a file of a stranger is found after the bytes have come.
      return path !== undefined && this.#folder.lookForStranger(path) !== undefined
    } catch {
      return false
    }
  }

  #admitDone(task: DownloadTask, done: { readonly path: string; readonly lengthBytes: number }): Admission {
    const { onExists } = this.#options
    if (onExists === 'overwrite') {
      this.#namer.note(task, done.path, this.#folder.journal.find(task.id)?.intent)
      return { admit: 'fetch', path: done.path, replace: true }
    }
    if (onExists === 'rename') {
      this.#folder.journal.forget(task.id)
      return { admit: 'fetch' }
    }
    const found = this.#folder.look(done.path)
    if (found?.isFile() && found.size === done.lengthBytes) {
      const intent = this.#options.update ? this.#folder.journal.find(task.id)?.intent : undefined
      if (intent && onExists === 'resume' && task.locator.kind !== 'source')
        return askAboutOwn(task, task.locator.places, intent)
      return { admit: 'skip', reason: 'finished-before', path: done.path, sizeBytes: done.lengthBytes }
    }
    if (found && onExists === 'skip') {
      return { admit: 'skip', reason: 'exists', path: done.path, sizeBytes: found.size }
    }
    if (found && onExists === 'error') throw existsError(done.path)
    // Removed or changed by somebody: what they made of it stays, ours comes anew.
    this.#folder.journal.forget(task.id)
    if (!found) this.#folder.names.release(done.path)
    return { admit: 'fetch' }
  }
}

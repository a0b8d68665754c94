import {
  describeLocator,
  taskRequest,
  TrawlError,
  type DownloadTask,
  type TaskRequest,
} from '../../core/index.ts'
import type { OutputFolder, ReplacedFile } from '../../storage/index.ts'
import type { EntityFacts } from '../transfer/transfer.ts'
import { isSameFile } from './file-facts.ts'

/** What to do about a file that is there already. */
export type OnExists = 'resume' | 'skip' | 'overwrite' | 'rename' | 'error'

export interface NamingOptions {
  readonly folder: OutputFolder
  readonly onExists: OnExists
  /** The wanted relative path; collisions are settled afterwards. `facts` is absent before the answer is known. */
  readonly nameOf: (task: DownloadTask, facts: EntityFacts | undefined) => string | undefined
  /** The name template of the run, recorded with files that fail before they are named. */
  readonly template?: string
}

/** Names files of an output folder, each once, and records the names. */
export class FileNamer {
  readonly #options: NamingOptions
  readonly #folder: OutputFolder

  constructor(options: NamingOptions) {
    this.#options = options
    this.#folder = options.folder
  }

  /** Gives a task its name, or finds that the very file is there already. */
  name(task: DownloadTask, facts: EntityFacts): { readonly path: string; readonly skip?: boolean } {
    const wanted = this.#options.nameOf(task, facts)
    if (wanted === undefined)
      throw new TrawlError('ERR_INTERNAL', 'no name for a file whose headers are known')
    for (let path = this.#folder.names.claim(wanted); ; path = this.#folder.names.claim(wanted)) {
      const found = this.#folder.lookForStranger(path)
      if (!found) return { path }
      const { onExists } = this.#options
      if (found.isDirectory()) {
        throw new TrawlError('ERR_IS_DIRECTORY', `${path} is a folder`, { context: { path } })
      }
      if (onExists === 'overwrite') return { path }
      if (onExists === 'skip' || (onExists === 'resume' && isSameFile(found, facts)))
        return { path, skip: true }
      if (onExists === 'error') {
        throw existsError(path)
      }
    }
  }

  /** What is recorded of a task that failed before it had a name, so that it can be tried again under the same. */
  unnamedRequest(task: DownloadTask): TaskRequest | undefined {
    const { template } = this.#options
    const request = taskRequest(task)
    if (template === undefined || task.target.path !== undefined) return request
    return { ...request, target: { template, ...task.target } }
  }

  /** Records the name of a task; `stands` is the file of ours that it will take the place of. */
  note(task: DownloadTask, path: string, stands?: ReplacedFile): void {
    const request = taskRequest(task)
    const replaces = stands && { lengthBytes: stands.lengthBytes, crc32: stands.crc32 }
    this.#folder.journal.named({
      id: task.id,
      ordinal: task.ordinal,
      path,
      input: describeLocator(task.locator),
      ...(request ? { request } : {}),
      ...(replaces ? { replaces } : {}),
    })
  }
}

export function existsError(path: string): TrawlError {
  return new TrawlError('ERR_EXISTS', `${path} exists`, { context: { path } })
}

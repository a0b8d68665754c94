import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { makeFolders } from '../make-folders.ts'
import { errnoOf, storageError } from '../storage-error.ts'

const done: Promise<undefined> = Promise.resolve(undefined)

/**
 * Makes folders, each once: the first `ensure` of a folder costs a `mkdir -p`, those that come meanwhile share
 * it, and later ones cost a look into a map. Failures are not remembered.
 */
export class DirectoryCache {
  readonly #maxFolders: number
  readonly #made = new Set<string>()
  readonly #underWay = new Map<string, Promise<string | undefined>>()

  constructor(options: { readonly maxFolders?: number } = {}) {
    this.#maxFolders = options.maxFolders ?? 10_000
  }

  /** True when `ensure` of this folder has succeeded before. */
  has(path: string): boolean {
    return this.#made.has(path)
  }

  /**
   * Makes the folder and its parents where they are missing. Resolves to the topmost folder that was made, or
   * undefined where all were there, for callers that must make the new entry durable.
   *
   * @throws ERR_NOT_DIRECTORY where a file stands in the way (named in the message); ERR_PERMISSION,
   * ERR_READ_ONLY, ERR_NO_SPACE, ERR_NAME_TOO_LONG, ERR_IO.
   */
  ensure(path: string): Promise<string | undefined> {
    if (this.#made.has(path)) return done
    const shared = this.#underWay.get(path)
    if (shared !== undefined) return shared
    const making = makeFolder(path).then((topmost) => {
      this.#remember(path)
      return topmost
    })
    const settled = making.finally(() => this.#underWay.delete(path))
    this.#underWay.set(path, settled)
    return settled
  }

  /** Forgets a folder, or all, so that the next `ensure` looks again. For folders that vanished while at work. */
  forget(path?: string): void {
    if (path === undefined) this.#made.clear()
    else this.#made.delete(path)
  }

  #remember(path: string): void {
    const oldest = this.#made.size < this.#maxFolders ? undefined : this.#made.values().next().value
    if (oldest !== undefined) this.#made.delete(oldest)
    this.#made.add(path)
  }
}

async function makeFolder(path: string): Promise<string | undefined> {
  try {
    return makeFolders(path)
  } catch (error) {
    const errno = errnoOf(error)
    const inTheWay = errno === 'EEXIST' || errno === 'ENOTDIR' ? await fileInTheWay(path) : undefined
    if (inTheWay === undefined) throw storageError(error, { path, doing: 'create the folder' })
    throw new TrawlError(
      'ERR_NOT_DIRECTORY',
      `cannot create the folder ${path}: ${inTheWay} is not a folder`,
      {
        cause: error,
        context: { path: inTheWay },
      },
    )
  }
}

/** The nearest part of the path that exists and is no folder. */
async function fileInTheWay(path: string): Promise<string | undefined> {
  for (let part = path; ; part = dirname(part)) {
    try {
      return (await stat(part)).isDirectory() ? undefined : part
    } catch {
      if (dirname(part) === part) return undefined
    }
  }
}

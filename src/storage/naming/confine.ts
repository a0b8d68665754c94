import { lstat, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative as relativeTo, resolve, sep } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { errnoOf, storageError } from '../storage-error.ts'

/**
 * The absolute path of `relative` below `root`, with the symbolic links of its parents resolved. The last
 * component is not followed: whoever opens it must refuse links (O_NOFOLLOW, O_EXCL) or replace them by a rename.
 * `root` itself may be a link and need not exist.
 *
 * @throws ERR_PATH_UNSAFE where the path is absolute, climbs, or leaves the root through a link;
 * ERR_NOT_DIRECTORY, ERR_PERMISSION, ERR_IO where the system refuses.
 */
export async function confine(root: string, relative: string): Promise<string> {
  return (await look(resolve(root), relative)).path
}

async function look(root: string, relative: string): Promise<{ path: string; folderExists: boolean }> {
  const path = lexicalPath(root, relative)
  const base = await realPathOf(root)
  const folder = await realPathOf(dirname(path))
  if (!isWithin(base.path, folder.path)) throw leaves(relative, folder.path)
  return { path: join(folder.path, basename(path)), folderExists: folder.exists }
}

/**
 * A root whose folders are looked at once: a million files in one folder cost one `realpath`. A link that is put
 * in place of a folder after it was looked at is not seen; `forget` makes the next call look again.
 */
export class ConfinedRoot {
  readonly #root: string
  readonly #maxFolders: number
  /** Real path of a folder by its path relative to the root. */
  readonly #folders = new Map<string, string>()

  constructor(root: string, options: { readonly maxFolders?: number } = {}) {
    this.#root = resolve(root)
    this.#maxFolders = options.maxFolders ?? 10_000
  }

  /** The absolute path where the folder is known already, else undefined. No I/O, for hot paths. */
  known(relative: string): string | undefined {
    const slash = relative.lastIndexOf('/')
    const folder = this.#folders.get(slash < 0 ? '' : relative.slice(0, slash))
    const name = slash < 0 ? relative : relative.slice(slash + 1)
    return folder === undefined || !isPlainName(name) ? undefined : folder + sep + name
  }

  /** As `confine`, with the folder remembered. */
  async resolve(relative: string): Promise<string> {
    const known = this.known(relative)
    if (known !== undefined) return known
    const { path, folderExists } = await look(this.#root, relative)
    const slash = relative.lastIndexOf('/')
    // A folder that is not there yet may still become a link.
    if (folderExists && isPlainName(slash < 0 ? relative : relative.slice(slash + 1))) {
      this.#remember(slash < 0 ? '' : relative.slice(0, slash), dirname(path))
    }
    return path
  }

  /** Forgets what was seen, of one folder (relative to the root) or of all. */
  forget(folder?: string): void {
    if (folder === undefined) this.#folders.clear()
    else this.#folders.delete(folder)
  }

  #remember(folder: string, realPath: string): void {
    const oldest = this.#folders.size < this.#maxFolders ? undefined : this.#folders.keys().next().value
    if (oldest !== undefined) this.#folders.delete(oldest)
    this.#folders.set(folder, realPath)
  }
}

function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('\0') && !name.includes(sep)
}

function lexicalPath(root: string, relative: string): string {
  if (relative.includes('\0') || isAbsolute(relative)) throw leaves(relative, relative)
  const path = resolve(root, relative)
  if (path === root || !isWithin(root, path)) throw leaves(relative, path)
  return path
}

/** The real path of the nearest parent that exists, with the missing rest put behind it. */
async function realPathOf(path: string): Promise<{ path: string; exists: boolean }> {
  try {
    return { path: await realpath(path), exists: true }
  } catch (error) {
    const parent = dirname(path)
    if (errnoOf(error) !== 'ENOENT' || parent === path) throw storageError(error, { path, doing: 'open' })
    if (await isLink(path)) throw leaves(path, 'where a broken symbolic link points')
    return { path: join((await realPathOf(parent)).path, basename(path)), exists: false }
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink()
  } catch {
    return false
  }
}

function isWithin(root: string, path: string): boolean {
  const way = relativeTo(root, path)
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
}

function leaves(relative: string, target: string): TrawlError {
  return new TrawlError(
    'ERR_PATH_UNSAFE',
    `${JSON.stringify(relative)} leads out of the output folder, to ${target}`,
    {
      context: { path: relative, target },
    },
  )
}

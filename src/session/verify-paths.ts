import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { TrawlError, type ErrorData } from '../core/index.ts'
import { OutputFolder, stateFolderName, storageError } from '../storage/index.ts'

/** A file, a book or a shard that was checked. */
export interface Verified {
  /** Absolute. */
  readonly path: string
  /** What was compared, in a few words. */
  readonly what: string
  /** Empty where all is as recorded. */
  readonly faults: readonly ErrorData[]
}

/**
 * Checks what trawl has made: of a folder, every file, every book and every shard by its records; of a book, that book. Throws
 * ERR_LOCKED where a job works in the folder, ERR_FORMAT_NEWER, ERR_CANCELLED and storage errors.
 */
export async function* verifyPaths(
  paths: readonly string[],
  options: {
    /** Of encrypted books. */
    readonly password?: string | undefined
    /** A file whose first line is the password. */
    readonly passwordFile?: string | undefined
    readonly signal?: AbortSignal
  } = {},
): AsyncGenerator<Verified, void, undefined> {
  const [{ passwordOf, verifyBooks }, { verifyFiles }] = await Promise.all([
    import('../books/index.ts'),
    import('../files/index.ts'),
  ])
  const { signal } = options
  const password = passwordOf(options)
  for (const given of paths) {
    const path = resolve(given)
    const dir = outputFolderOf(path)
    const only = dir === path ? {} : { only: path }
    for await (const book of verifyBooks(dir, { password, ...only })) {
      yield {
        path: book.path,
        what: `${book.pages} pages, ${book.compared} of them by SHA-256`,
        faults: book.faults.map(({ error }) => error.toJSON()),
      }
    }
    if (dir === path && existsSync(join(dir, stateFolderName, 'plan'))) yield* verifiedShards(dir, signal)
    if (!existsSync(join(dir, stateFolderName, 'journal'))) continue
    const folder = new OutputFolder({ path: dir, durability: 'none' })
    try {
      for await (const file of verifyFiles(folder, signal ? { signal } : {})) {
        const absolute = join(dir, file.path)
        if (dir !== path && absolute !== path) continue
        const faults = file.error ? [file.error.toJSON()] : []
        yield { path: absolute, what: file.what, faults }
      }
    } finally {
      folder.close()
    }
  }
}

async function* verifiedShards(
  dir: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Verified, void, undefined> {
  const { verifyDataset } = await import('../datasets/index.ts')
  for await (const { path, rows, images, faults } of verifyDataset(dir, signal ? { signal } : {})) {
    const what = `${rows} rows, ${images} images by decoding them`
    yield { path, what, faults: faults.map((error) => error.toJSON()) }
  }
}

/** The folder with our state that a path is, or lies in. */
function outputFolderOf(path: string): string {
  try {
    statSync(path)
  } catch (error) {
    const { message } = storageError(error, { path, doing: 'read' })
    throw new TrawlError('ERR_INPUT_UNREADABLE', message, { cause: error, context: { path } })
  }
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(join(folder, stateFolderName))) return folder
    if (folder === dirname(folder)) break
  }
  throw new TrawlError('ERR_INPUT_UNREADABLE', `${path}: there are no records of trawl`, {
    context: { path },
    hint: 'Give the folder that trawl was told to write to.',
  })
}

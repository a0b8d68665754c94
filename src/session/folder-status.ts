import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { DatasetStatus } from '../datasets/index.ts'
import { FolderView, namesIn, stateFolderName, type FolderSummary, type LeftItem } from '../storage/index.ts'

/** Everything of trawl in one output folder: files, books and a dataset. */
export interface FolderStatus extends FolderSummary {
  readonly books?: BooksStatus
  readonly dataset?: DatasetStatus
}

export interface BooksStatus {
  /** Works with a record of a finished container. */
  readonly made: number
  /** Works whose pages are still in staging. */
  readonly unfinished: number
}

/** An output folder that is being looked at. */
export interface LookedAtFolder {
  readonly status: FolderStatus
  /** What failed and what is unfinished, lazily, until `close`. */
  readonly items: () => Iterable<LeftItem>
  readonly close: () => void
}

/**
 * Looks at an output folder, without its lock and without changing anything: also while a job works in it. Throws
 * ERR_INPUT_UNREADABLE where trawl never worked there, ERR_FORMAT_NEWER, ERR_JOURNAL_CORRUPT, storage errors.
 */
export async function lookAtFolder(path: string): Promise<LookedAtFolder> {
  const view = new FolderView(resolve(path))
  try {
    const books = booksIn(view.path)
    const dataset = await datasetIn(view.path)
    const status: FolderStatus = {
      ...view.summary(),
      ...(books.made + books.unfinished > 0 ? { books } : {}),
      ...(dataset ? { dataset } : {}),
    }
    return { status, items: () => view.items(), close: () => view.close() }
  } catch (error) {
    view.close()
    throw error
  }
}

function booksIn(dir: string): BooksStatus {
  const state = join(dir, stateFolderName)
  return {
    made: namesIn(join(state, 'books')).filter((name) => name.endsWith('.json')).length,
    unfinished: namesIn(join(state, 'staging')).length,
  }
}

async function datasetIn(dir: string): Promise<DatasetStatus | undefined> {
  if (!existsSync(join(dir, stateFolderName, 'plan'))) return undefined
  const { localFolder, plannedIn, readDatasetStatus } = await import('../datasets/index.ts')
  return readDatasetStatus(localFolder(dir), plannedIn(dir))
}

import { readdirSync, readFileSync, statSync, type Dirent } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Chapter } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { readComicInfo, type ComicInfo } from '../cbz/index.ts'
import { folderChapters } from '../folder-chapters.ts'
import { comparePageNames } from '../natural-order.ts'
import type { PackReader, ReadPage } from '../pack-writer.ts'
import { isPageName } from '../page-name.ts'

const maxDepth = 16

/**
 * Opens a folder of images: pages in natural order, folders inside it as chapters. Links to folders are not
 * followed. Throws storage errors.
 */
export function openFolder(path: string): PackReader {
  const names = attempt(path, () => [...imageNames(path, '', 0)].sort(comparePageNames))
  const info = comicInfoOf(path)
  const chapters = info.bookmarks.size > 0 ? info.bookmarks : folderChapters(names)
  return {
    format: 'folder',
    metadata: info.metadata,
    pages: () => folderPages(path, names, chapters),
    close: () => Promise.resolve(),
  }
}

// oxlint-disable-next-line require-await -- the interface of readers is asynchronous
async function* folderPages(
  root: string,
  names: readonly string[],
  chapters: ReadonlyMap<number, Chapter | readonly Chapter[]>,
): AsyncGenerator<ReadPage> {
  for (const [index, name] of names.entries()) {
    const path = join(root, name)
    const begin = chapters.get(index)
    yield {
      name,
      path,
      sizeBytes: attempt(path, () => statSync(path).size),
      ...(begin === undefined ? {} : { chapters: [begin].flat() }),
      read: () => readFile(path),
    }
  }
}

function* imageNames(root: string, inside: string, depth: number): IterableIterator<string> {
  for (const entry of readdirSync(join(root, inside), { withFileTypes: true })) {
    const name = inside === '' ? entry.name : `${inside}/${entry.name}`
    if (entry.isDirectory() && !entry.name.startsWith('.') && depth < maxDepth) {
      yield* imageNames(root, name, depth + 1)
    } else if (isFile(root, name, entry) && isPageName(name)) yield name
  }
}

function isFile(root: string, name: string, entry: Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isFile()
  return statSync(join(root, name), { throwIfNoEntry: false })?.isFile() === true
}

function comicInfoOf(path: string): ComicInfo {
  try {
    return readComicInfo(readFileSync(join(path, 'ComicInfo.xml'), 'utf8'))
  } catch {
    return { metadata: {}, bookmarks: new Map() }
  }
}

function attempt<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

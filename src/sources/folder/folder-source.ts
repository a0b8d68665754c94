import { statSync } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { storageReason } from '../../storage/index.ts'
import { chapterNumber } from '../chapter-number.ts'
import { isHttpUrl, localPath, requireLocalFiles } from '../document.ts'
import { looksLikeImage } from '../image-url.ts'
import { compareNaturally } from '../natural-order.ts'
import type { Source, SourceContext, SourceInput, SourceItem, SourceMatch } from '../source.ts'

const maxDepth = 20

/**
 * Folders of images on this machine, and single image files. Files in natural order are pages, a file called `cover`
 * first; folders below, in natural order after them, are chapters. Hidden files are left out.
 */
export const folderSource: Source = {
  name: 'folder',
  description: 'Folders of images on this machine',
  examples: ['./scans', '/home/me/comics/volume-1'],
  match,
  extract,
}

function match(input: SourceInput): SourceMatch | undefined {
  const text = input.text.trim()
  if (text === '' || text.includes('\n') || text.includes('\0') || isHttpUrl(text)) return undefined
  const found = statSync(pathOf(text), { throwIfNoEntry: false })
  if (found === undefined) return undefined
  if (found.isDirectory()) return { confidence: 1, kind: 'book' }
  return found.isFile() && looksLikeImage(text) ? { confidence: 0.9, kind: 'book' } : undefined
}

function pathOf(text: string): string {
  try {
    return resolve(localPath(text))
  } catch {
    // A file: URL of another machine.
    return resolve(text)
  }
}

async function* extract(
  input: SourceInput,
  context: SourceContext,
): AsyncGenerator<SourceItem, void, undefined> {
  requireLocalFiles(context, input.text.trim())
  const root = pathOf(input.text.trim())
  const found = await stat(root).catch((cause: unknown) => {
    throw unreadable(root, cause)
  })
  const title = basename(root)
  if (found.isFile()) {
    yield { type: 'book', book: { id: root, metadata: { title: title.replace(/\.\w+$/, '') }, pageCount: 1 } }
    yield { type: 'page', page: { localPath: root } }
    return
  }
  const walk: Walk = { context, visited: new Set(), others: 0 }
  let pages = 0
  for await (const item of folderItems(root, 0, walk)) {
    // The book is announced with its first page, so that an empty folder is an error and not an empty book.
    if (pages === 0) yield { type: 'book', book: { id: root, metadata: { title } } }
    pages++
    yield item
  }
  if (pages === 0) {
    throw new TrawlError('ERR_SOURCE_EMPTY', `${root} holds no images`, { context: { path: root } })
  }
  if (walk.others > 0) {
    context.notice(
      `${root}: ${walk.others} ${walk.others === 1 ? 'file is' : 'files are'} left out as no image`,
    )
  }
}

interface Walk {
  readonly context: SourceContext
  /** Real paths, so that links cannot lead round in circles. */
  readonly visited: Set<string>
  others: number
}

async function* folderItems(
  path: string,
  depth: number,
  walk: Walk,
): AsyncGenerator<SourceItem, void, undefined> {
  if (walk.context.signal.aborted) throw new TrawlError('ERR_CANCELLED', 'The folder was not read to its end')
  const real = await realpath(path)
  if (depth > maxDepth || walk.visited.has(real)) return
  walk.visited.add(real)
  const { images, folders } = await listFolder(path, walk)
  for (const name of images) yield { type: 'page', page: { localPath: join(path, name) } }
  for (const name of folders) {
    const inner = join(path, name)
    const number = chapterNumber(name)
    const heading: SourceItem = {
      type: 'chapter',
      chapter: { id: inner, title: name, depth, ...(number === undefined ? {} : { number }) },
    }
    let begun = false
    for await (const item of folderItems(inner, depth + 1, walk)) {
      if (!begun) yield heading
      begun = true
      yield item
    }
  }
}

async function listFolder(
  path: string,
  walk: Walk,
): Promise<{ readonly images: readonly string[]; readonly folders: readonly string[] }> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  const images: string[] = []
  const folders: string[] = []
  for (const entry of entries) {
    const { name } = entry
    if (name.startsWith('.') || name === '__MACOSX' || /^(?:thumbs\.db|desktop\.ini)$/i.test(name)) continue
    const target = entry.isSymbolicLink() ? await stat(join(path, name)).catch(() => undefined) : entry
    if (target?.isDirectory() === true) folders.push(name)
    else if (target?.isFile() === true && looksLikeImage(name)) images.push(name)
    else walk.others++
  }
  return { images: images.sort(comparePages), folders: folders.sort(compareNaturally) }
}

function comparePages(a: string, b: string): number {
  return Number(isCover(b)) - Number(isCover(a)) || compareNaturally(a, b)
}

function isCover(name: string): boolean {
  return /^(?:front[ _-]?)?cover\.\w+$/i.test(name)
}

function unreadable(path: string, cause: unknown): TrawlError {
  return new TrawlError('ERR_INPUT_UNREADABLE', `${path} cannot be read: ${storageReason(cause)}`, {
    cause,
    context: { path },
  })
}

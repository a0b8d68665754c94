import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32, inflateRawSync } from 'node:zlib'
import { TrawlError, type Chapter } from '../../../core/index.ts'
import { readComicInfo, type ComicInfo } from '../../cbz/index.ts'
import { folderChapters } from '../../folder-chapters.ts'
import { comparePageNames } from '../../natural-order.ts'
import type { PackReader, ReadPage } from '../../pack-writer.ts'
import { isPageName } from '../../page-name.ts'
import { storageError } from '../../../storage/index.ts'
import { decryptEntry } from '../winzip-aes.ts'
import { readDirectory, type DirectoryEntry } from './zip-directory.ts'

export interface ReadZipOptions {
  readonly path: string
  readonly password?: string
}

/** Pages larger than this are refused: no image of a book is. */
const maxPageBytes = 512 * 1024 * 1024
const maxInfoBytes = 8 * 1024 * 1024
/** Images hardly compress: an archive that claims more than this many times its size is a bomb. */
const maxRatio = 200
const smallTotalBytes = 256 * 1024 * 1024

/** The files of an open ZIP and how to get at their content. */
export interface ZipArchive {
  readonly path: string
  readonly entries: ReadonlyMap<string, DirectoryEntry>
  /** Content of a file, decrypted and unpacked, its checksum checked. */
  read(entry: DirectoryEntry): Buffer
  close(): void
}

/**
 * Opens a ZIP. Throws ERR_PACK_DAMAGED, also for bombs; ERR_PATH_UNSAFE, ERR_PACK_PASSWORD, ERR_PACK_UNSUPPORTED and
 * storage errors.
 */
export async function openZip(options: ReadZipOptions): Promise<ZipArchive> {
  const { path } = options
  const fd = attempt(path, () => openSync(path, 'r'))
  try {
    const entries = new Map<string, DirectoryEntry>()
    for await (const entry of readDirectory(fd, path)) entries.set(entry.name, entry)
    const total = [...entries.values()].reduce((sum, entry) => sum + entry.sizeBytes, 0)
    if (total > Math.max(smallTotalBytes, fstatSync(fd).size * maxRatio)) {
      throw damaged(path, `it claims to unpack to ${total} bytes`)
    }
    let open = true
    return {
      path,
      entries,
      read: (entry) => readEntry(fd, entry, options),
      close() {
        if (open) closeSync(fd)
        open = false
      },
    }
  } catch (error) {
    closeSync(fd)
    throw storageError(error, { path, doing: 'read' })
  }
}

/** Opens a ZIP or CBZ of images: pages in natural order of their names. Errors are those of `openZip`. */
export async function openZipPack(format: 'zip' | 'cbz', options: ReadZipOptions): Promise<PackReader> {
  const archive = await openZip(options)
  try {
    const names = [...archive.entries.keys()].filter((name) => isPageName(name)).sort(comparePageNames)
    const info = comicInfoOf(archive)
    const chapters = info.bookmarks.size > 0 ? info.bookmarks : folderChapters(names)
    return {
      format,
      metadata: info.metadata,
      pages: () => zipPages(archive, names, chapters),
      close() {
        archive.close()
        return Promise.resolve()
      },
    }
  } catch (error) {
    archive.close()
    throw error
  }
}

/** Pages of an archive by their names. */
// oxlint-disable-next-line require-await -- the interface of readers is asynchronous
async function* zipPages(
  archive: ZipArchive,
  names: readonly string[],
  chapters: ReadonlyMap<number, Chapter | readonly Chapter[]>,
): AsyncGenerator<ReadPage> {
  for (const [index, name] of names.entries()) {
    const entry = archive.entries.get(name)
    if (!entry) throw damaged(archive.path, `${name} is missing`)
    const begin = chapters.get(index)
    yield {
      name,
      sizeBytes: entry.sizeBytes,
      ...(begin === undefined ? {} : { chapters: [begin].flat() }),
      read: () => Promise.resolve(archive.read(entry)),
    }
  }
}

function comicInfoOf(archive: ZipArchive): ComicInfo {
  const entry = archive.entries.get('ComicInfo.xml')
  if (!entry || entry.sizeBytes > maxInfoBytes) return { metadata: {}, bookmarks: new Map() }
  return readComicInfo(archive.read(entry).toString('utf8'))
}

function readEntry(fd: number, entry: DirectoryEntry, options: ReadZipOptions): Buffer {
  const { path } = options
  if (entry.sizeBytes > maxPageBytes) throw damaged(path, `${entry.name} claims ${entry.sizeBytes} bytes`)
  const stored = Buffer.alloc(entry.storedBytes)
  let done = 0
  while (done < stored.length) {
    const count = attempt(path, () =>
      readSync(fd, stored, done, stored.length - done, entry.contentOffset + done),
    )
    if (count === 0) throw damaged(path, `${entry.name} is cut`)
    done += count
  }
  const content = unpack(entry, decrypted(entry, stored, options), path)
  // Entries with an authentication code have no checksum.
  if (!entry.encrypted && crc32(content) !== entry.crc) throw damaged(path, `${entry.name}: wrong checksum`)
  return content
}

function decrypted(entry: DirectoryEntry, stored: Buffer, { path, password }: ReadZipOptions): Buffer {
  if (!entry.encrypted) return stored
  const content = password === undefined ? 'wrong' : decryptEntry(stored, password)
  if (content === 'damaged') throw damaged(path, `${entry.name}: wrong authentication code`)
  if (content !== 'wrong') return content
  const reason = password === undefined ? 'it needs a password' : 'the password is wrong'
  throw new TrawlError('ERR_PACK_PASSWORD', `${path}: ${reason}`, { context: { path } })
}

function unpack(entry: DirectoryEntry, bytes: Buffer, path: string): Buffer {
  if (entry.method === 0) return bytes
  if (entry.method !== 8) {
    throw new TrawlError('ERR_PACK_UNSUPPORTED', `${path}: ${entry.name}: compression method ${entry.method}`)
  }
  try {
    const content = inflateRawSync(bytes, { maxOutputLength: Math.max(1, entry.sizeBytes) })
    if (content.length === entry.sizeBytes) return content
  } catch (error) {
    throw damaged(path, `${entry.name} cannot be unpacked`, error)
  }
  throw damaged(path, `${entry.name} has another size than it claims`)
}

function damaged(path: string, reason: string, cause?: unknown): TrawlError {
  return new TrawlError('ERR_PACK_DAMAGED', `${path}: ZIP: ${reason}`, { cause, context: { path } })
}

function attempt<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

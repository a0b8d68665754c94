import { posix } from 'node:path'
import { isTrawlError, TrawlError, type Chapter } from '../../../core/index.ts'
import type { PackReader, ReadPage } from '../../pack-writer.ts'
import { isPageName } from '../../page-name.ts'
import { openZip, type ReadZipOptions, type ZipArchive } from '../../zip/index.ts'
import { packagePath, readPackage, walkXml, type EpubPackage } from './epub-package-reader.ts'

const maxTextBytes = 16 * 1024 * 1024

/**
 * Opens an EPUB whose pages are images: in order of the spine, the images of each document. Throws what `openZip`
 * throws, and ERR_PACK_UNSUPPORTED for books of text.
 */
export async function openEpub(options: ReadZipOptions): Promise<PackReader> {
  const archive = await openZip(options)
  try {
    const opf = packagePath(textOf(archive, 'META-INF/container.xml'))
    if (opf === undefined) throw damaged(archive, 'no package document is named')
    const content = readPackage(textOf(archive, opf))
    const base = posix.dirname(opf)
    return {
      format: 'epub',
      metadata: content.metadata,
      pages: () => epubPages(archive, content, base),
      close() {
        archive.close()
        return Promise.resolve()
      },
    }
  } catch (error) {
    archive.close()
    throw isTrawlError(error)
      ? error
      : damaged(archive, error instanceof Error ? error.message : String(error))
  }
}

// oxlint-disable-next-line require-await -- the interface of readers is asynchronous
async function* epubPages(archive: ZipArchive, content: EpubPackage, base: string): AsyncGenerator<ReadPage> {
  const navigation = navigationOf(archive, content, base)
  for (const id of content.spine) {
    const item = content.manifest.get(id)
    if (!item) throw damaged(archive, `the spine names ${id}, which is nowhere`)
    if (item.properties.includes('nav')) continue
    const document = resolvePath(base, item.href)
    const chapters = navigation.chapters.get(document)
    const label = navigation.labels.get(document)
    let first = true
    for (const name of item.mediaType.startsWith('image/') ? [document] : imagesOf(archive, document)) {
      const entry = archive.entries.get(name)
      if (!entry) throw damaged(archive, `${document} shows ${name}, which is nowhere`)
      yield {
        name,
        sizeBytes: entry.sizeBytes,
        ...(first && chapters ? { chapters } : {}),
        ...(first && label !== undefined ? { label } : {}),
        read: () => Promise.resolve(archive.read(entry)),
      }
      first = false
    }
  }
}

/** The images that a document shows. Throws ERR_PACK_UNSUPPORTED where there is none. */
function imagesOf(archive: ZipArchive, document: string): string[] {
  const images: string[] = []
  parse(archive, document, {
    open({ name, attributes }) {
      const source = name === 'img' ? attributes['src'] : name === 'image' ? attributes['href'] : undefined
      if (source !== undefined) images.push(resolvePath(posix.dirname(document), source))
    },
  })
  const pages = images.filter((name) => isPageName(name))
  if (pages.length > 0) return pages
  throw new TrawlError('ERR_PACK_UNSUPPORTED', `${archive.path}: EPUB: ${document} has text, not an image`, {
    hint: 'Only EPUBs whose pages are images can be taken apart.',
  })
}

interface Navigation {
  readonly chapters: ReadonlyMap<string, Chapter[]>
  readonly labels: ReadonlyMap<string, string>
}

/** Chapters and labels by the document they lead to, from the navigation document. */
function navigationOf(archive: ZipArchive, content: EpubPackage, base: string): Navigation {
  const chapters = new Map<string, Chapter[]>()
  const labels = new Map<string, string>()
  const item = [...content.manifest.values()].find((candidate) => candidate.properties.includes('nav'))
  if (!item) return { chapters, labels }
  const document = resolvePath(base, item.href)
  let kind = ''
  let depth = -1
  let target: string | undefined
  let text = ''
  parse(archive, document, {
    open({ name, attributes }) {
      if (name === 'nav') kind = attributes['type'] ?? ''
      if (name === 'ol') depth++
      if (name !== 'a') return
      target = resolvePath(posix.dirname(document), attributes['href'] ?? '')
      text = ''
    },
    text(piece) {
      text += piece
    },
    close(name) {
      if (name === 'ol') depth--
      if (name !== 'a' || target === undefined) return
      const title = text.replaceAll(/\s+/g, ' ').trim()
      if (kind === 'page-list') labels.set(target, title)
      if (kind === 'toc') {
        const list = chapters.get(target) ?? []
        list.push({ id: `toc-${target}-${list.length}`, title, depth })
        chapters.set(target, list)
      }
    },
  })
  // A book without chapters has one entry all the same: itself.
  const [only] = chapters.size === 1 ? [...chapters.values()] : []
  if (only?.length === 1 && only[0]?.title === content.metadata.title) chapters.clear()
  return { chapters, labels }
}

const ignored = () => undefined

function parse(archive: ZipArchive, name: string, on: Partial<Parameters<typeof walkXml>[1]>): void {
  try {
    walkXml(textOf(archive, name), { open: ignored, text: ignored, close: ignored, ...on })
  } catch (error) {
    if (isTrawlError(error)) throw error
    throw damaged(archive, `${name}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function textOf(archive: ZipArchive, name: string): string {
  const entry = archive.entries.get(name)
  if (!entry) throw damaged(archive, `${name} is missing`)
  if (entry.sizeBytes > maxTextBytes) throw damaged(archive, `${name} is too long`)
  return archive
    .read(entry)
    .toString('utf8')
    .replace(/^\ufeff/, '')
}

/** Path of a reference in the archive, without its fragment. */
function resolvePath(base: string, reference: string): string {
  const path = reference.split(/[?#]/)[0] ?? ''
  try {
    return posix.normalize(posix.join(base, decodeURIComponent(path)))
  } catch {
    return posix.normalize(posix.join(base, path))
  }
}

function damaged(archive: ZipArchive, reason: string): TrawlError {
  return new TrawlError('ERR_PACK_DAMAGED', `${archive.path}: EPUB: ${reason}`, {
    context: { path: archive.path },
  })
}

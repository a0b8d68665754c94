import { createHash, type Hash } from 'node:crypto'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { TrawlError, type BookMetadata } from '../../core/index.ts'
import type { ImageFormat } from '../../images/index.ts'
import { parseBookDate } from '../book-date.ts'
import { isLosslessWebp, openImageFile, createWindow } from '../image-bytes/index.ts'
import type { PackOptions } from '../pack-options.ts'
import type { PackedFile, PackedPage, PackPage, PackProperties, PackWriter } from '../pack-writer.ts'
import { pageName } from '../page-name.ts'
import { PartFile } from '../part-file/index.ts'
import { recodeForWeb } from '../raster/index.ts'
import { storageError } from '../../storage/index.ts'
import { verifyZip, ZipFile } from '../zip/index.ts'
import { navigationXhtml, ncxXml } from './epub-navigation.ts'
import { packageXml } from './epub-package.ts'
import { pageStyle, pageXhtml, type EpubPage } from './epub-page.ts'
import { openEpub } from './read/epub-reader.ts'

/** Core media types that go in as they are. WebP is one since EPUB 3.3 only, and most readers do not know it. */
const mediaTypes: Partial<Record<ImageFormat, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  svg: 'image/svg+xml',
}

const properties: PackProperties = {
  format: 'epub',
  extension: '.epub',
  verbatim: ['jpeg', 'png', 'gif', 'svg'],
  encrypts: false,
  holdsPages: false,
}

const container =
  '<?xml version="1.0" encoding="UTF-8"?>\n' +
  '<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">\n' +
  '<rootfiles><rootfile full-path="OEBPS/package.opf" media-type="application/oebps-package+xml"/></rootfiles>\n' +
  '</container>\n'

/** Files besides those of the pages. */
const fixedEntries = 6
/** Language of what has no language (ISO 639-2). */
const undetermined = 'und'
/** Time of books whose date nobody told: the earliest a ZIP can hold. */
const noTimeMs = Date.UTC(1980, 0, 1)

interface Content {
  readonly format: ImageFormat
  /** Absent where the file itself is taken. */
  readonly image?: Buffer
}

/**
 * Writes an EPUB 3 of fixed layout, one page an image. Formats that EPUB does not know are converted: to PNG where
 * nothing was lost before, else to JPEG. Throws ERR_PACK_*, ERR_IMAGE_*, storage errors.
 */
export class EpubWriter implements PackWriter {
  readonly properties = properties
  readonly #options: PackOptions
  readonly #part: PartFile
  readonly #zip: ZipFile
  readonly #window = createWindow()
  readonly #pages: EpubPage[] = []
  readonly #identity: Hash = createHash('sha256')

  constructor(options: PackOptions) {
    this.#options = options
    this.#part = new PartFile(options)
    this.#zip = new ZipFile(this.#part, undefined)
  }

  async add(page: PackPage): Promise<PackedPage> {
    const content = await this.#contentOf(page)
    if (this.#part.position === 0) await this.#begin()
    const name = pageName(page.index, content.format, this.#options.pageCount)
    const packed = await this.#addImage(page.path, `OEBPS/images/${name}`, content.image)
    const turned = page.facts.orientation >= 5 && content.image === undefined
    const entry: EpubPage = {
      key: name.slice(0, name.indexOf('.')),
      imageName: name,
      mediaType: mediaTypes[content.format] ?? 'image/jpeg',
      label: page.label ?? String(page.index + 1),
      widthPx: turned ? page.facts.heightPx : page.facts.widthPx,
      heightPx: turned ? page.facts.widthPx : page.facts.heightPx,
      chapters: page.chapters ?? [],
    }
    await this.#zip.add(`OEBPS/pages/${entry.key}.xhtml`, Buffer.from(pageXhtml(entry)))
    this.#pages.push(entry)
    return { offset: packed.offset, length: packed.length, verbatim: content.image === undefined }
  }

  async finish(metadata: BookMetadata): Promise<PackedFile> {
    const language = metadata.language ?? undetermined
    const identifier = metadata.identifier ?? metadata.source ?? this.#uuid()
    const timeMs = this.#options.timeMs ?? dateMs(metadata.date)
    const pages = this.#pages
    await this.#text('OEBPS/nav.xhtml', navigationXhtml(pages, metadata.title, language))
    await this.#text('OEBPS/toc.ncx', ncxXml(pages, metadata.title, identifier))
    await this.#text('OEBPS/package.opf', packageXml({ metadata, pages, identifier, language, timeMs }))
    await this.#zip.end()
    const sizeBytes = await this.#part.flush()
    const path = this.#options.path
    await verifyZip(this.#part.fd, { path, sizeBytes, entries: pages.length * 2 + fixedEntries })
    await this.#verifyPages()
    await this.#part.commit()
    return { path, sizeBytes }
  }

  abort(): Promise<void> {
    return this.#part.abort()
  }

  /** `mimetype` comes first, as the container format asks (EPUB 3.3, 4.2.6.2). */
  async #begin(): Promise<void> {
    await this.#text('mimetype', 'application/epub+zip')
    await this.#text('META-INF/container.xml', container)
    await this.#text('OEBPS/style.css', pageStyle)
  }

  async #text(name: string, text: string): Promise<void> {
    await this.#zip.add(name, Buffer.from(text))
  }

  async #contentOf(page: PackPage): Promise<Content> {
    const { format } = page.facts
    if (mediaTypes[format] !== undefined) return { format }
    const lossy =
      format === 'avif' ||
      format === 'heic' ||
      format === 'jxl' ||
      (format === 'webp' && !this.#lossless(page.path))
    const to = lossy && this.#options.recode !== 'lossless' ? 'jpeg' : 'lossless'
    return await recodeForWeb(page.path, { to, quality: this.#options.jpegQuality ?? 92 })
  }

  #lossless(path: string): boolean {
    const file = openImageFile(path, this.#window)
    try {
      return isLosslessWebp(file)
    } finally {
      file.close()
    }
  }

  async #addImage(
    path: string,
    name: string,
    image: Buffer | undefined,
  ): Promise<{ offset: number; length: number }> {
    if (image) {
      this.#identity.update(`${crc32(image)} ${image.length}\n`)
      return await this.#zip.add(name, image)
    }
    const fd = openPage(path)
    try {
      const stored = await this.#zip.add(name, { fd, offset: 0, length: fstatSync(fd).size })
      this.#identity.update(`${stored.crc} ${stored.length}\n`)
      return stored
    } finally {
      closeSync(fd)
    }
  }

  /** Name of a book that has none: made from the content of its pages (RFC 9562, version 8). */
  #uuid(): string {
    const hex = this.#identity.digest('hex')
    const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16)
    const parts = [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `8${hex.slice(13, 16)}`,
      `${variant}${hex.slice(17, 20)}`,
      hex.slice(20, 32),
    ]
    return `urn:uuid:${parts.join('-')}`
  }

  /** Reads the package as a reader would: every page is found, in order. */
  async #verifyPages(): Promise<void> {
    const reader = await openEpub({ path: this.#part.partPath })
    const path = this.#options.path
    try {
      let index = 0
      for await (const page of reader.pages()) {
        if (page.name !== `OEBPS/images/${this.#pages[index]?.imageName ?? ''}`) break
        index++
      }
      if (index === this.#pages.length) return
      throw new TrawlError('ERR_PACK_READBACK', `${path}: read back: page ${index + 1} is not found`, {
        context: { path },
      })
    } finally {
      await reader.close()
    }
  }
}

function dateMs(date: string | undefined): number {
  const known = parseBookDate(date)
  if (!known || known.year < 1980) return noTimeMs
  return Date.UTC(known.year, (known.month ?? 1) - 1, known.day ?? 1)
}

function openPage(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

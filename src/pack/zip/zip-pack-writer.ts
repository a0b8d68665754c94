import { closeSync, fstatSync, openSync } from 'node:fs'
import type { BookMetadata } from '../../core/index.ts'
import { ComicPages, comicInfoXml } from '../cbz/index.ts'
import type { PackOptions } from '../pack-options.ts'
import type { PackedFile, PackedPage, PackPage, PackProperties, PackWriter } from '../pack-writer.ts'
import { anyImageFormat, pageName } from '../page-name.ts'
import { PartFile } from '../part-file/index.ts'
import { storageError } from '../../storage/index.ts'
import { verifyZip } from './verify-zip.ts'
import { ZipFile } from './zip-file.ts'

/**
 * Writes pages under numbers into a ZIP or CBZ; a CBZ, and a ZIP where asked, has `ComicInfo.xml` at its root.
 * Throws ERR_PACK_*, storage errors.
 */
export class ZipPackWriter implements PackWriter {
  readonly properties: PackProperties
  readonly #options: PackOptions
  readonly #part: PartFile
  readonly #zip: ZipFile
  readonly #comic: ComicPages | undefined
  #entries = 0

  constructor(format: 'zip' | 'cbz', options: PackOptions) {
    this.properties = {
      format,
      extension: `.${format}`,
      verbatim: anyImageFormat,
      encrypts: format === 'zip',
      holdsPages: false,
    }
    this.#options = options
    this.#comic = format === 'cbz' || options.comicInfo === true ? new ComicPages() : undefined
    this.#part = new PartFile(options)
    this.#zip = new ZipFile(this.#part, options.password)
  }

  async add(page: PackPage): Promise<PackedPage> {
    const fd = openPage(page.path)
    try {
      const range = { fd, offset: 0, length: fstatSync(fd).size }
      const name = pageName(page.index, page.facts.format, this.#options.pageCount)
      const { offset, length } = await this.#zip.add(name, range)
      this.#comic?.add(page, range.length)
      this.#entries++
      return { offset, length, verbatim: this.#options.password === undefined }
    } finally {
      closeSync(fd)
    }
  }

  async finish(metadata: BookMetadata): Promise<PackedFile> {
    const { path, password } = this.#options
    if (this.#comic) {
      await this.#zip.add('ComicInfo.xml', Buffer.from(comicInfoXml(metadata, this.#comic)))
      this.#entries++
    }
    await this.#zip.end()
    const sizeBytes = await this.#part.flush()
    const expected = { path, sizeBytes, entries: this.#entries }
    await verifyZip(this.#part.fd, password === undefined ? expected : { ...expected, password })
    await this.#part.commit()
    return { path, sizeBytes }
  }

  abort(): Promise<void> {
    return this.#part.abort()
  }
}

function openPage(path: string): number {
  try {
    return openSync(path, 'r')
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

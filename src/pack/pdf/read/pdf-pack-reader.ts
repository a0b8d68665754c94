import { closeSync, openSync } from 'node:fs'
import type { BookMetadata } from '../../../core/index.ts'
import type { PackReader, ReadPage } from '../../pack-writer.ts'
import { storageError } from '../../../storage/index.ts'
import { imageExtension, imageFile } from './page-image.ts'
import { PdfDocument } from './pdf-document.ts'
import { orientationOf, paintedImages, pdfPages } from './pdf-pages.ts'
import { documentMetadata, outlineChapters, pageLabels } from './pdf-structure.ts'

export interface ReadPdfOptions {
  readonly path: string
  readonly password?: string
}

/**
 * Opens a PDF whose pages are images, ours or another program's. Images come out as they were put in: JPEG and
 * JPEG 2000 byte by byte, Flate as PNG. Throws ERR_PACK_DAMAGED, ERR_PACK_PASSWORD, ERR_PACK_UNSUPPORTED.
 */
export function openPdf(options: ReadPdfOptions): PackReader {
  const fd = attempt(options.path, () => openSync(options.path, 'r'))
  try {
    const document = new PdfDocument(fd, options.path, options.password)
    return new PdfPackReader(fd, document)
  } catch (error) {
    closeSync(fd)
    throw storageError(error, { path: options.path, doing: 'read' })
  }
}

class PdfPackReader implements PackReader {
  readonly format = 'pdf'
  readonly metadata: Partial<BookMetadata>
  readonly #fd: number
  readonly #document: PdfDocument
  #open = true

  constructor(fd: number, document: PdfDocument) {
    this.#fd = fd
    this.#document = document
    this.metadata = documentMetadata(document)
  }

  // oxlint-disable-next-line require-await -- the interface of readers is asynchronous
  async *pages(): AsyncIterable<ReadPage> {
    const document = this.#document
    const chapters = outlineChapters(document)
    const labels = pageLabels(document)
    let number = 0
    let index = 0
    for (const page of pdfPages(document)) {
      const label = labels?.(index++)
      let first = true
      for (const { stream, matrix } of paintedImages(document, page)) {
        const begin = first ? chapters.get(page.id) : undefined
        first = false
        yield {
          name: `${String(++number).padStart(4, '0')}${imageExtension(document, stream)}`,
          sizeBytes: stream.length,
          ...(label === undefined ? {} : { label }),
          ...(begin ? { chapters: begin } : {}),
          read: () => imageFile(document, stream, orientationOf(matrix, page.rotate)),
        }
      }
    }
  }

  close(): Promise<void> {
    if (this.#open) closeSync(this.#fd)
    this.#open = false
    return Promise.resolve()
  }
}

function attempt<T>(path: string, body: () => T): T {
  try {
    return body()
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

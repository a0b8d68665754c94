import { openSync, closeSync } from 'node:fs'
import {
  createPackWriter,
  openPack,
  type PackOptions,
  type PackPage,
  type ReadPage,
} from '../../../src/pack/index.ts'
import { PdfDocument } from '../../../src/pack/pdf/read/pdf-document.ts'
import { nameOf, type PdfDict } from '../../../src/pack/pdf/read/pdf-object.ts'
import { pdfPages } from '../../../src/pack/pdf/read/pdf-pages.ts'
import type { BookMetadata } from '../../../src/core/index.ts'

/** Packs pages into a PDF; their indices are set by their place. */
export async function writePdf(
  path: string,
  pages: readonly PackPage[],
  options: Partial<PackOptions> & { readonly metadata?: BookMetadata } = {},
): Promise<void> {
  const { metadata = { title: 'A book' }, ...rest } = options
  const writer = createPackWriter('pdf', { path, replace: true, durability: 'none', ...rest })
  for (const [index, page] of pages.entries()) await writer.add({ ...page, index })
  await writer.finish(metadata)
}

/** All pages of a container with their bytes. */
export async function readPages(
  path: string,
  password?: string,
): Promise<(ReadPage & { readonly bytes: Buffer })[]> {
  const reader = await openPack(path, password === undefined ? {} : { password })
  try {
    const found = []
    for await (const page of reader.pages()) found.push({ ...page, bytes: await page.read() })
    return found
  } finally {
    await reader.close()
  }
}

/** Calls back with the open document. */
export function inspectPdf<T>(path: string, body: (document: PdfDocument) => T, password?: string): T {
  const fd = openSync(path, 'r')
  try {
    return body(new PdfDocument(fd, path, password))
  } finally {
    closeSync(fd)
  }
}

/** The image dictionary of a page. */
export function imageDict(document: PdfDocument, index: number): PdfDict {
  const page = [...pdfPages(document)][index]
  const image = document.stream(document.dict(page?.resources.get('XObject')).get('Im0'))
  if (!image || nameOf(image.dict.get('Subtype')) !== 'Image') throw new Error(`no image on page ${index}`)
  return image.dict
}

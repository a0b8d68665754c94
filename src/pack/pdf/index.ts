export type { PageSize } from './page-geometry.ts'
export type { PdfOptions } from './pdf-options.ts'
export { pageWidthPt, PdfWriter } from './pdf-writer.ts'
export { openPdf, type ReadPdfOptions } from './read/pdf-pack-reader.ts'

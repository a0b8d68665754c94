import type { PackOptions } from '../pack-options.ts'

/** Options of the PDF writer: those of all containers, and one for tests. */
export interface PdfOptions extends PackOptions {
  /** File size from which the cross-reference is a stream; 10 GB, the most that a classic table can tell. */
  readonly xrefStreamAboveBytes?: number
}

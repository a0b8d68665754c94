import type { BookMetadata, Chapter } from '../core/index.ts'
import type { ImageFacts } from '../images/index.ts'

/** A page as the packers get it: a staged, checked file; never bytes. */
export interface PackPage {
  /** Absolute path of the image file. */
  readonly path: string
  readonly facts: ImageFacts
  /** From 0; pages are added in this order, without holes. */
  readonly index: number
  readonly label?: string
  readonly dpi?: number
  /** Chapters that begin at this page, outermost first. */
  readonly chapters?: readonly Chapter[]
  /** Set for a page that stands in for a missing one. */
  readonly placeholder?: string
}

/** Where a page lies in the container; `verbatim` when these bytes are the original's. */
export interface PackedPage {
  readonly offset: number
  readonly length: number
  readonly verbatim: boolean
}

export interface PackProperties {
  readonly format: string
  readonly extension: string
  /** Image formats that go in untouched. */
  readonly verbatim: readonly string[]
  readonly encrypts: boolean
}

/**
 * Writes one container. Pages come in order, one call at a time; memory stays flat. Bytes go to a temporary
 * name beside the target; `finish` writes metadata, reads the container back and renames it. Nothing under
 * the final name is ever incomplete. Throws ERR_PACK_*, ERR_IMAGE_*, and storage errors.
 */
export interface PackWriter {
  readonly properties: PackProperties
  add(page: PackPage): Promise<PackedPage>
  finish(metadata: BookMetadata): Promise<{ readonly path: string; readonly sizeBytes: number }>
  /** Removes the temporary file. Safe after anything, also twice. */
  abort(): Promise<void>
}

/** Reads a container that trawl or another program wrote. */
export interface PackReader {
  readonly format: string
  readonly metadata: Partial<BookMetadata>
  /** Pages in order, lazily. */
  pages(): AsyncIterable<{ readonly name: string; readonly sizeBytes: number; read(): Promise<Buffer> }>
  close(): Promise<void>
}

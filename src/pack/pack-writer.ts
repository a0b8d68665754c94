import type { BookMetadata, Chapter, Digest } from '../core/index.ts'
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
  /** Digest of the file, where it is known: pages with the same one may share their bytes in the container. */
  readonly digest?: Digest
  /** Set for a page that stands in for a missing one: which it is, and why it is missing. */
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
  /** Files of pages must stay where they are until `finish`; else only until `add` is done. */
  readonly holdsPages: boolean
}

/** A finished container. */
export interface PackedFile {
  readonly path: string
  readonly sizeBytes: number
}

/**
 * Writes one container. Pages come in order, one call at a time; memory stays flat. Bytes go to a temporary
 * name beside the target; `finish` writes metadata, reads the container back and renames it. Nothing under
 * the final name is ever incomplete. Throws ERR_PACK_*, ERR_IMAGE_*, and storage errors. After ERR_IMAGE_* and
 * ERR_PACK_UNSUPPORTED of `add` another page may be added in place of that one; after any other error only `abort`
 * is left.
 */
export interface PackWriter {
  readonly properties: PackProperties
  add(page: PackPage): Promise<PackedPage>
  finish(metadata: BookMetadata): Promise<PackedFile>
  /** Removes the temporary file. Safe after anything, also twice. */
  abort(): Promise<void>
}

/** A page as a reader finds it. */
export interface ReadPage {
  /** File name with an extension; of an archive the path inside. */
  readonly name: string
  /** Of the page in the container; what `read` gives may be a little more. */
  readonly sizeBytes: number
  readonly label?: string
  /** Chapters that begin at this page, outermost first. */
  readonly chapters?: readonly Chapter[]
  /** Where the page is a file of its own. */
  readonly path?: string
  /** Throws ERR_PACK_DAMAGED, ERR_PACK_UNSUPPORTED. */
  read(): Promise<Buffer>
}

/** Reads a container that trawl or another program wrote. */
export interface PackReader {
  readonly format: string
  readonly metadata: Partial<BookMetadata>
  /** Pages in order, lazily. */
  pages(): AsyncIterable<ReadPage>
  close(): Promise<void>
}

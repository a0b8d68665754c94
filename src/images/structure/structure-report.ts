import { TrawlError } from '../../core/index.ts'
import type { ByteSource } from '../bytes/byte-source.ts'
import type { ImageFormat } from '../image-facts.ts'

/** What the structure of a file says, read to its end without decoding. */
export interface StructureReport {
  /** End of the image; bytes after it are `trailingBytes`. */
  readonly imageEndBytes: number
  readonly trailingBytes: number
  /** Oddities that do no harm by themselves. */
  readonly notes: readonly string[]
}

/** Checks one format. Throws ERR_IMAGE_TRUNCATED and ERR_IMAGE_DAMAGED. */
export type StructureCheck = (source: ByteSource, format: ImageFormat) => Promise<StructureReport>

/** A report for an image that ends at `end`. */
export function wholeUpTo(source: ByteSource, end: number, notes: readonly string[] = []): StructureReport {
  const imageEndBytes = Math.min(end, source.sizeBytes)
  return { imageEndBytes, trailingBytes: source.sizeBytes - imageEndBytes, notes }
}

/** The image ends before its end marker. */
export function truncated(source: ByteSource, what: string): TrawlError {
  return new TrawlError('ERR_IMAGE_TRUNCATED', `${source.name}: ${what} (${source.sizeBytes} bytes)`, {
    context: { path: source.name, sizeBytes: source.sizeBytes },
  })
}

/** The bytes of the image contradict its format. */
export function damaged(source: ByteSource, what: string): TrawlError {
  return new TrawlError('ERR_IMAGE_DAMAGED', `${source.name}: ${what}`, { context: { path: source.name } })
}

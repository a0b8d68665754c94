import type { Digest } from './digest.ts'

/** Bytes from `start` up to, not including, `end`. */
export interface Extent {
  readonly start: number
  readonly end: number
}

/** An entity tag (RFC 9110, 8.8.3); `value` without quotes. */
export interface EntityTag {
  readonly weak: boolean
  readonly value: string
}

/**
 * What a server says identifies one version of a file, as it stands in the headers; understood only where it is
 * needed. Never compared between different mirrors.
 */
export interface Validators {
  /** ETag, with quotes. */
  readonly etag?: string
  /** Last-Modified. */
  readonly lastModified?: string
}

/** One version of the bytes of a task. A new generation means: nothing of the former may be kept. */
export interface Entity {
  readonly generation: number
  /** Undefined while the server has not told the length. */
  readonly lengthBytes?: number
  /** By origin, since mirrors tag the same bytes differently. */
  readonly validators: Readonly<Record<string, Validators>>
  readonly digests: readonly Digest[]
  readonly contentType?: string
  readonly acceptsRanges: boolean
}

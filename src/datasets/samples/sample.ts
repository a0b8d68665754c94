import { isTrawlError, TrawlError, toTrawlError } from '../../core/index.ts'
import type { ShardRow } from '../plan/index.ts'
import { rowFailure, type RowCode, type SampleStatus } from './row-code.ts'

/** Encoded bytes, or the file that holds them. */
export type SampleImage = Uint8Array | { readonly path: string }

/** What is known about the image of a row. All of it is the same in every run against the same origin. */
export interface SampleFacts {
  readonly widthPx?: number
  readonly heightPx?: number
  readonly originalWidthPx?: number
  readonly originalHeightPx?: number
  /** JSON text. */
  readonly exif?: string
  /** Digest of the original bytes, lower-case hexadecimal. */
  readonly digest?: string
  readonly phash?: string
  readonly httpStatus?: number
  readonly finalUrl?: string
  readonly contentType?: string
  readonly originalFormat?: string
  readonly originalBytes?: number
}

/** One row of a finished shard: what goes to the container and the metadata. */
export interface Sample {
  readonly row: ShardRow
  readonly status: SampleStatus
  readonly errorCode: RowCode | null
  readonly errorMessage: string | null
  /** There for every success, and for nothing else. */
  readonly image?: SampleImage
  /** Length of the encoded image; null without one. */
  readonly imageBytes: number | null
  readonly facts: SampleFacts
}

/** What happened on the way, for the log: differs from run to run. */
export interface SampleRun {
  readonly attempts: number
  /** Wall clock, milliseconds since 1970. */
  readonly startedAtMs: number
  readonly durationMs: number
  /** Body bytes over the network, repeats included. */
  readonly fetchedBytes: number
  /** The full message of the last error. */
  readonly error?: string
}

/** A row whose image is there. */
export function goodSample(row: ShardRow, image: SampleImage, sizeBytes: number, facts: SampleFacts): Sample {
  return { row, status: 'success', errorCode: null, errorMessage: null, image, imageBytes: sizeBytes, facts }
}

/**
 * A row that failed. Throws the error again where it is not the row's (a full disk, a cancelled job): then the shard
 * must not be finished.
 */
export function failedSample(row: ShardRow, error: unknown, facts: SampleFacts = {}): Sample {
  const { status, code, message } = rowFailure(toTrawlError(error))
  const httpStatus = isTrawlError(error) ? error.context.status : undefined
  return {
    row,
    status,
    errorCode: code,
    errorMessage: message,
    imageBytes: null,
    facts: { ...(httpStatus === undefined ? {} : { httpStatus }), ...facts },
  }
}

/** A row that could not be read from its table; undefined for one that could. */
export function unreadableSample(row: ShardRow): Sample | undefined {
  if (row.inputError === undefined) return undefined
  return failedSample(row, new TrawlError('ERR_TABLE_ROW', row.inputError))
}

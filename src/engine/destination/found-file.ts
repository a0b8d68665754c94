import type { Digest, SkipReason, Validators } from '../../core/index.ts'
import type { KeptBytes } from '../transfer/transfer.ts'

/**
 * A file on disk that may be what a task wants, found before anything was sent or when the headers came. How it is
 * proven, from the strongest:
 *
 * - `digest`: the digest that the task must have; nothing is asked.
 * - `answer`: the server says that the version on record is the one it has: 304, or the same strong tag and length.
 * - `sample`: length and time are those that the server tells, and both ends are fetched and compared.
 */
export interface FoundFile {
  /** `own` stands under its final name already; `elsewhere` is to be copied. */
  readonly where: 'own' | 'elsewhere'
  readonly proof: 'digest' | 'answer' | 'sample'
  /** Absolute. */
  readonly path: string
  /** What a downloaded file was called. */
  readonly name?: string
  readonly lengthBytes: number
  /** As recorded when it was downloaded, or as counted when it was copied. */
  readonly crc32?: number
  /** Of a downloaded file. */
  readonly validators?: Validators
  /** Where it was downloaded from. */
  readonly url?: string
  readonly contentType?: string
  /** What the task must have. */
  readonly digests?: readonly Digest[]
}

/** What became of a file that was found. */
export type Settled =
  | {
      readonly settled: 'skip'
      readonly reason: SkipReason
      readonly path: string
      readonly sizeBytes: number
      /** Bytes that were not fetched. */
      readonly savedBytes?: number
      readonly digest?: Digest
    }
  /** It is fetched after all; with `found` and `kept`, only what those leave open. */
  | {
      readonly settled: 'fetch'
      readonly path?: string
      readonly found?: FoundFile
      readonly kept?: KeptBytes
    }

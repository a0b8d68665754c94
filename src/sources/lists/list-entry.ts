import type { Digest, PieceHashes, Place, TrawlError } from '../../core/index.ts'

/** What a list says about one file besides its addresses; the names are aria2's, in our units. */
export interface ListOptions {
  /** `out`: the name of the file, perhaps with folders. */
  readonly out?: string
  /** `dir`: the folder, as written. */
  readonly dir?: string
  /** `checksum`, repeatable. */
  readonly digests?: readonly Digest[]
  /** Those that a Metalink tells. */
  readonly pieces?: PieceHashes
  /** The length that a Metalink tells. */
  readonly sizeBytes?: number
  /** `header` (repeatable), `referer` and `user-agent`; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly split?: number
  /** `max-connection-per-server`. */
  readonly maxConnectionsPerServer?: number
  /** `max-download-limit`. */
  readonly limitRateBps?: number
}

/** One file that a list asks for. Several places are mirrors of the same bytes. */
export interface ListedFile {
  /** From 1, in the list. */
  readonly line: number
  readonly places: readonly Place[]
  readonly options?: ListOptions
}

/** A line that cannot be used; the others are not affected. */
export interface ListFault {
  readonly line: number
  /** The line as it stands, cut after 2,000 characters. */
  readonly text: string
  /** ERR_INPUT_INVALID, ERR_URL_INVALID or ERR_URL_SCHEME, naming list, line and column. */
  readonly error: TrawlError
}

export type ListEntry = ListedFile | ListFault

export function isListFault(entry: ListEntry): entry is ListFault {
  return 'error' in entry
}

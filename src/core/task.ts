import type { Digest, DigestAlgorithm } from './digest.ts'
import type { PieceHashes } from './piece-hashes.ts'

/** Hash of kind, source reference or URL, target rule and occurrence: 32 hexadecimal characters. */
export type TaskId = string

/** One address of some bytes, with headers that only it needs. */
export interface Place {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** Lower is tried first; equal places share the work. Default 0. */
  readonly rank?: number
}

/**
 * Where a thing may be had. `mirrors` hold the same bytes and may be used at once; `alternatives` are tried in
 * order and may differ (an image ladder); `source` is asked for places when they are needed, and again when
 * they expire.
 */
export type Locator =
  | { readonly kind: 'mirrors'; readonly places: readonly Place[] }
  | { readonly kind: 'alternatives'; readonly places: readonly Place[] }
  | { readonly kind: 'source'; readonly source: string; readonly ref: string }

/** Why a locator is resolved: for the first time, or again because the server answered 401, 403 or 410. */
export type ResolveReason = 'first' | 'expired'

/** Turns a locator into places. Asked lazily, once per attempt at most; may be slow and may fail. */
export interface Resolver {
  resolve(
    locator: Extract<Locator, { kind: 'source' }>,
    reason: ResolveReason,
    options: { readonly signal: AbortSignal },
  ): Promise<Exclude<Locator, { kind: 'source' }>>
}

/** What the file is to be called. All paths are relative to the output root and use `/`. */
export interface TargetRule {
  /** Exact relative path, sanitised but not derived. Wins over `template`. */
  readonly path?: string
  /** Name template; without one the name comes from the answer or the URL. */
  readonly template?: string
  /** Folder below the root. */
  readonly dir?: string
}

/** One thing wanted. Immutable, serialisable data. */
export interface DownloadTask {
  readonly id: TaskId
  readonly kind: 'file' | 'page' | 'sample'
  readonly locator: Locator
  /** Position in the input, from 0. */
  readonly ordinal: number
  readonly target: TargetRule
  readonly headers?: Readonly<Record<string, string>>
  readonly expectedSizeBytes?: number
  readonly digests?: readonly Digest[]
  /** Those of its pieces, by which only what is wrong has to come again. */
  readonly pieces?: PieceHashes
  /** Computed and recorded also where no digest is expected. */
  readonly digestAlgorithm?: DigestAlgorithm
  /** Higher goes first. Default 0. */
  readonly priority?: number
  /** At most this many bytes a second for this item. */
  readonly limitRateBps?: number
  /** Connections for this one file; default is the job's. */
  readonly split?: number
  /** Values for name templates and hooks, such as the columns of a row. */
  readonly fields?: Readonly<Record<string, string>>
}

/** The address that stands for the task in reports: its first place, or its source reference. */
export function describeLocator(locator: Locator): string {
  if (locator.kind === 'source') return `${locator.source}:${locator.ref}`
  return locator.places[0]?.url ?? ''
}

import type {
  Digest,
  DownloadTask,
  Extent,
  Place,
  SkipReason,
  TrawlError,
  Validators,
} from '../../core/index.ts'
import type { ResponseHeaders } from '../../http/index.ts'
import type { FileFacts, Sink } from '../../storage/index.ts'
import type { Lease } from '../governor/index.ts'

/** Bytes of an earlier attempt or run that may be gone on from. */
export interface KeptBytes {
  readonly generation: number
  readonly extents: readonly Extent[]
  readonly lengthBytes?: number
  /** By origin. */
  readonly validators: Readonly<Record<string, Validators>>
  readonly contentType?: string
}

/** One task as it is handed out for transfer: plain data, so that a worker may get it. */
export interface TransferOrder {
  readonly task: DownloadTask
  /** Resolved and in the order to be tried, the one that the lease is for first; at least one. */
  readonly places: readonly Place[]
  /** All places have the same bytes, so they may be used at once. */
  readonly mirrored: boolean
  readonly attempt: number
  readonly kept: KeptBytes | undefined
  /** Connections at once for the file; undefined lets the transfer choose. May change while it runs. */
  split: number | undefined
  /** Set by the executor while it works on the order: how the run stops this transfer alone. */
  transfer: StoppableTransfer | undefined
}

/** A transfer as the run that ordered it may stop it. */
export interface StoppableTransfer {
  /** Ends the transfer soon with this error, keeping what can be gone on from. No use once all bytes are there. */
  stop(error: TrawlError): void
}

/** What the headers of the first response say about the file. */
export interface EntityFacts {
  readonly url: string
  readonly httpStatus: number
  readonly lengthBytes?: number
  readonly contentType?: string
  readonly contentDisposition?: string
  readonly validators: Validators
  /** What the server says of the bytes of the whole file. */
  readonly digest?: Digest
  /** What Accept-Ranges says; undefined when it is missing. */
  readonly acceptsRanges?: boolean
  /** All fields, names in lower case, for name templates. */
  readonly headers?: ResponseHeaders
}

/** What the coordinator says to a file once its headers are known: where its bytes go, or that none are wanted. */
export type EntityVerdict =
  | { readonly verdict: 'go'; readonly sink: Sink }
  | { readonly verdict: 'skip'; readonly reason: SkipReason; readonly path?: string }

/** What a transfer asks of the run that it belongs to. */
export interface TransferCallbacks {
  /** Called once per attempt with the headers of the first good response. Throws TrawlError to refuse the file. */
  entity(order: TransferOrder, facts: EntityFacts): EntityVerdict
  /** More connections for the same file; undefined when there is no room now. */
  acquire(host: string): Lease | undefined
  /** Called whenever `acquire` might give a lease; the returned function ends that. */
  onCapacity(listen: () => void): () => void
  /** How many connections work on the file now. */
  connections(order: TransferOrder, count: number): void
  /** Body bytes arrived, for progress and limits; milliseconds to wait before reading on. */
  received(order: TransferOrder, host: string, count: number): number
  /** Bytes are safe on disk; to be journaled. */
  checkpoint(order: TransferOrder, kept: KeptBytes): void
  /** Something worth telling that is no failure, such as a changed file that is started again. */
  notice(order: TransferOrder, error: TrawlError): void
}

/** The same of one that may have to ask somebody else first, such as the coordinator of a worker. */
export interface PatientCallbacks extends Omit<TransferCallbacks, 'entity' | 'received'> {
  entity(order: TransferOrder, facts: EntityFacts): EntityVerdict | Promise<EntityVerdict>
  /** Milliseconds to wait before reading on, or a promise of the moment. */
  received(order: TransferOrder, host: string, count: number): number | Promise<void>
}

export type TransferResult =
  | StagedTransfer
  | {
      readonly result: 'skipped'
      readonly reason: SkipReason
      readonly path?: string
      readonly fetchedBytes: number
    }
  | {
      readonly result: 'failed'
      readonly error: TrawlError
      readonly fetchedBytes: number
      readonly httpStatus?: number
      /** What may be gone on from; absent when nothing is worth keeping. */
      readonly kept?: KeptBytes
      /** URLs of mirrors that are not to be asked again for the file. */
      readonly leftOut?: readonly string[]
      /** URLs of the mirrors whose bytes were taken, where there were several. */
      readonly givers?: readonly string[]
    }

/** All bytes are in the sink, checked, and not yet committed. */
export interface StagedTransfer {
  readonly result: 'staged'
  readonly sink: Sink
  readonly generation: number
  readonly lengthBytes: number
  readonly crc32: number
  readonly digests: readonly Digest[]
  readonly fetchedBytes: number
  readonly facts: FileFacts
  /** What the acceptor made of the bytes. */
  readonly value?: unknown
}

/**
 * Carries out transfers: the seam of the modes. `execute` never rejects: every end is a result. The first lease is
 * the order's own and is released by the executor. Aborting the signal ends all transfers soon, with ERR_CANCELLED,
 * and keeps what is on disk.
 */
export interface Executor {
  readonly properties: ExecutorProperties
  execute(order: TransferOrder, lease: Lease, callbacks: TransferCallbacks): Promise<TransferResult>
  close(): Promise<void>
}

export interface ExecutorProperties {
  readonly mode: 'async' | 'loop' | 'threads' | 'processes'
  /** Options that are functions (resolvers, hooks on bytes) work. */
  readonly functions: boolean
  /** Transfers at once that the mode can do; undefined when only the limits count. */
  readonly maxTransfers?: number
}

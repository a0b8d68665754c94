/**
 * The modes `threads` and `processes`: what crosses between the coordinator and its workers.
 *
 * **Who does what.** The coordinator keeps queue, names, cookies, limits, leases and the journal. A worker gets orders
 * and does what the local executor does for them: requests, segments, checks, digests, CRC-32, and all writing of the
 * part file, whose path follows from the order. It never sees a final name, the journal or the governor.
 *
 * **Batches.** Items of one turn of the event loop go as one message, each way, at most 256. Every order comes with
 * one lease, so a worker has nothing waiting that a pause of its host would have to stop: Retry-After and host pauses
 * act at once, by the coordinator handing out nothing. Further connections of a segmented file are asked for (`want`)
 * and granted when the governor has room (`grant`).
 *
 * **A small file costs one item each way.** The worker takes it whole, writes and closes the part, makes it durable by
 * the policy, and tells all that is known of it (`end`). Only then the coordinator decides: name, refusal or skip, from
 * the same facts that the local executor would have shown it; then the name is journaled, then the intent, then the
 * part is renamed. A part without a record is nobody's and is fetched anew. Files of a mebibyte or more, those that go
 * on from kept bytes, and those of which the destination may want none (`ask`) are decided before their first byte is
 * taken: `ask`, answered by `verdict`.
 *
 * **Commit** is the coordinator's alone: it opens the part that was staged, checks its length, and gives it its name.
 *
 * **Progress** is gathered in the worker and told every 50 ms (`progress`), for each lease: headers, bytes,
 * connections. Rates are charged in the coordinator, the one place that knows all limits. Where a limit holds, a worker
 * may take 64 KiB of a file, then charges them and reads on when it is told to (`charge`, `go`). What a small file took
 * is charged at its end, and its lease is kept as long as it would have had to wait.
 *
 * **Cookies** that a worker was sent go to the coordinator's jar and on to the other workers (`cookies`); a new worker
 * starts with all of them.
 *
 * **Ends.** Drain: the coordinator starts nothing, workers end what they have. Abort (`abort`): each transfer ends soon
 * with what is kept of it; a worker that does not answer for ten seconds is killed. A worker that crashes is replaced,
 * and its orders are given to others, with the bytes that its last checkpoints tell of: no attempt is spent. Orders
 * that two workers died with are tried one at a time; one whose third worker dies fails with ERR_WORKER_CRASHED. When
 * workers die in a row without finishing anything, the run ends with ERR_WORKERS_FAILED and all waiting items stay
 * unfinished. A worker whose coordinator is gone ends at once.
 *
 * Messages have the version `formats.workerMessages`; both sides are of one package, and say so when they meet.
 */
import type { Digest, DownloadTask, Place, SkipReason } from '../../core/index.ts'
import type { TransportOptions } from '../../http/index.ts'
import type { Durability } from '../../storage/index.ts'
import type { WireError } from '../../workers/index.ts'
import type { MinSpeed } from '../segments/speed-floor.ts'
import type { LeaseReport } from '../governor/index.ts'
import type { EntityFacts, KeptBytes, TransferResult } from '../transfer/transfer.ts'

export interface WireReport {
  readonly result: LeaseReport['result']
  readonly error?: WireError
}

/** What a worker is told first. */
export interface Greeting {
  readonly type: 'greeting'
  readonly version: number
  readonly transport: Omit<TransportOptions, 'cookies'>
  /** All cookies of the coordinator, as a Netscape file; absent where there is no jar. */
  readonly cookies?: string
  readonly partsFolder: string
  readonly durability: Durability
}

/** A task without what only the coordinator needs of it. */
export type WireTask = Pick<
  DownloadTask,
  'id' | 'headers' | 'expectedSizeBytes' | 'digests' | 'pieces' | 'digestAlgorithm'
>

/** An order and its lease, which has the same number. */
export interface WireOrder {
  readonly type: 'order'
  readonly id: number
  /** Of the lease. */
  readonly host: string
  readonly task: WireTask
  readonly places: readonly Place[]
  readonly mirrored: boolean
  readonly attempt: number
  readonly split?: number
  /** The least speed of a connection to the host. */
  readonly minSpeed?: MinSpeed
  readonly kept?: KeptBytes
  /** The coordinator is to be asked before the first byte is taken. */
  readonly ask: boolean
  /** A rate limit holds. */
  readonly limited: boolean
}

export type WireVerdict =
  | { readonly verdict: 'go' }
  | { readonly verdict: 'skip'; readonly reason: SkipReason; readonly path?: string }
  | { readonly verdict: 'refuse'; readonly error: WireError }

/** Items from the coordinator. */
export type ToWorker =
  | Greeting
  | WireOrder
  | { readonly type: 'verdict'; readonly id: number; readonly verdict: WireVerdict }
  | { readonly type: 'grant'; readonly id: number; readonly lease: number; readonly host: string }
  | { readonly type: 'limited'; readonly id: number }
  | { readonly type: 'split'; readonly id: number; readonly split: number | undefined }
  /** Ends one transfer, with what is kept of it. */
  | { readonly type: 'stop'; readonly id: number; readonly error: WireError }
  | { readonly type: 'go'; readonly id: number }
  | { readonly type: 'cookies'; readonly url: string; readonly set: readonly string[] }
  | { readonly type: 'abort' }

/** How an order ended in the worker. */
export type WireResult =
  | {
      readonly result: 'staged'
      readonly generation: number
      readonly lengthBytes: number
      readonly crc32: number
      readonly digests?: readonly Digest[]
    }
  | Omit<Extract<TransferResult, { result: 'skipped' }>, 'fetchedBytes'>
  | (Omit<Extract<TransferResult, { result: 'failed' }>, 'fetchedBytes' | 'error'> & {
      readonly error: WireError
    })

/** What happened under a lease since it was last told. */
export interface WireProgress {
  readonly lease: number
  readonly headers: boolean
  readonly bytes: number
}

/** Items from a worker. `id` is that of the order. */
export type FromWorker =
  | { readonly type: 'ready'; readonly version: number }
  /** The worker cannot work at all, such as with a certificate that is none. */
  | { readonly type: 'unfit'; readonly error: WireError }
  | { readonly type: 'ask'; readonly id: number; readonly facts: EntityFacts }
  | { readonly type: 'want'; readonly id: number; readonly host: string }
  | ({ readonly type: 'progress'; readonly id: number } & WireProgress)
  | { readonly type: 'connections'; readonly id: number; readonly count: number }
  | { readonly type: 'charge'; readonly id: number }
  | { readonly type: 'release'; readonly id: number; readonly lease: number; readonly report: WireReport }
  | { readonly type: 'checkpoint'; readonly id: number; readonly kept: KeptBytes }
  | { readonly type: 'notice'; readonly id: number; readonly error: WireError }
  | { readonly type: 'cookies'; readonly url: string; readonly set: readonly string[] }
  | {
      readonly type: 'end'
      readonly id: number
      readonly result: WireResult
      readonly fetchedBytes: number
      /** Of an answer that the coordinator was not asked about. */
      readonly facts?: EntityFacts
      /** The order's own lease, where it was not released before; a request that is still under way keeps it. */
      readonly lease?: Omit<WireProgress, 'lease'> & { readonly report: WireReport }
    }

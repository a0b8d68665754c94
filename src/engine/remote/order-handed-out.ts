import type { TrawlError } from '../../core/index.ts'
import type { MinSpeed } from '../segments/speed-floor.ts'
import type { PoolWorker } from '../../workers/index.ts'
import type { Lease, LeaseReport } from '../governor/index.ts'
import type {
  EntityFacts,
  EntityVerdict,
  KeptBytes,
  StoppableTransfer,
  TransferCallbacks,
  TransferOrder,
  TransferResult,
} from '../transfer/transfer.ts'
import type { ToWorker, WireOrder } from './protocol.ts'

/** One order as the coordinator knows it while a worker has it. */
export class OrderHandedOut implements StoppableTransfer {
  readonly id: number
  readonly order: TransferOrder
  readonly lease: Lease
  readonly callbacks: TransferCallbacks
  readonly resolve: (result: TransferResult) => void
  readonly onStop: (handed: OrderHandedOut, error: TrawlError) => void
  worker: PoolWorker<ToWorker> | undefined
  /** What is known to be on disk. */
  kept: KeptBytes | undefined
  /** Of the attempt that goes on, where the worker asked. */
  verdict: Extract<EntityVerdict, { verdict: 'go' }> | undefined
  /** What the worker asked about. */
  facts: EntityFacts | undefined
  /** Its worker is done with it. */
  ending = false
  /** Workers that died with it. */
  crashes = 0
  /** Bytes that crashed workers had told of. */
  lostBytes = 0
  toldBytes = 0
  limited = false
  /** When what was charged so far has been waited for. */
  readyAtMs = 0
  /** Hosts of which the worker wants a further connection, the one that it likes best first. */
  wants: Set<string> | undefined
  /** Leases of further connections, by number. */
  extra: Map<number, Lease> | undefined
  /** The first lease is still held. */
  leased = true
  /** What the worker knows of it. */
  split: number | undefined
  /** Why it is to end. */
  stopped: TrawlError | undefined

  constructor(given: Pick<OrderHandedOut, 'id' | 'order' | 'lease' | 'callbacks' | 'resolve' | 'onStop'>) {
    this.id = given.id
    this.order = given.order
    this.lease = given.lease
    this.callbacks = given.callbacks
    this.resolve = given.resolve
    this.onStop = given.onStop
    this.kept = given.order.kept
    this.order.transfer = this
  }

  stop(error: TrawlError): void {
    if (this.stopped) return
    this.stopped = error
    this.onStop(this, error)
  }

  /** The order as the worker gets it: nothing that only the coordinator needs. */
  toWire({ ask, minSpeed }: { ask: boolean; minSpeed: MinSpeed | undefined }): WireOrder {
    const { task, places, mirrored, attempt } = this.order
    const { id, headers, expectedSizeBytes, digests, pieces, digestAlgorithm } = task
    const { split } = this.order
    this.split = split
    return {
      type: 'order',
      id: this.id,
      host: this.lease.host,
      task: {
        id,
        ...(headers === undefined ? {} : { headers }),
        ...(expectedSizeBytes === undefined ? {} : { expectedSizeBytes }),
        ...(digests === undefined ? {} : { digests }),
        ...(pieces === undefined ? {} : { pieces }),
        ...(digestAlgorithm === undefined ? {} : { digestAlgorithm }),
      },
      ...(split === undefined ? {} : { split }),
      ...(minSpeed === undefined ? {} : { minSpeed }),
      places,
      mirrored,
      attempt,
      ask,
      limited: this.limited,
      ...(this.kept === undefined ? {} : { kept: this.kept }),
    }
  }

  /** Its worker is gone: what was under way counts no more. */
  reset(): void {
    this.worker = undefined
    this.verdict = undefined
    this.wants = undefined
    this.crashes++
    this.lostBytes += this.toldBytes
    this.toldBytes = 0
    this.releaseExtra()
  }

  /** Gives the first lease back. */
  release(report: LeaseReport): void {
    if (!this.leased) return
    this.leased = false
    this.lease.release(report)
  }

  releaseExtra(): void {
    for (const lease of this.extra?.values() ?? []) lease.release({ result: 'cancelled' })
    this.extra = undefined
  }
}

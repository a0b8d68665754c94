import { toTrawlError, TrawlError, type Extent } from '../../core/index.ts'
import { FileSink, type Volume } from '../../storage/index.ts'
import { fromWireError, toWireError } from '../../workers/index.ts'
import type { Lease } from '../governor/index.ts'
import type {
  EntityFacts,
  EntityVerdict,
  KeptBytes,
  StagedTransfer,
  PatientCallbacks,
  TransferOrder,
  TransferResult,
} from '../transfer/transfer.ts'
import type { FromWorker, WireOrder, WireResult, WireVerdict } from './protocol.ts'
import { RemoteLease } from './remote-lease.ts'
import { toWireReport } from './wire-report.ts'

export interface OrderAtWorkOptions {
  readonly wire: WireOrder
  readonly partPath: string
  readonly volume: Volume
  readonly post: (item: FromWorker) => void
}

/** Files at least this long are asked about before their first byte is taken. */
const askBytes = 1024 * 1024
/** Where a rate limit holds, so much of a file is taken before it is charged. */
const chargeBytes = 64 * 1024

/** One order in a worker: what a transfer asks of its run, passed on to the coordinator. */
export class OrderAtWork implements PatientCallbacks {
  readonly order: TransferOrder
  readonly lease: RemoteLease
  readonly #options: OrderAtWorkOptions
  readonly #id: number
  /** Besides the first one. */
  readonly #leases = new Set<RemoteLease>()
  readonly #listeners = new Set<() => void>()
  #spare: RemoteLease | undefined
  /** Hosts of which a further connection was asked for; any one grant settles it. */
  #wanted: Set<string> | undefined
  #limited: boolean
  #unchargedBytes = 0
  #going: PromiseWithResolvers<void> | undefined
  #asking: PromiseWithResolvers<EntityVerdict> | undefined
  #asked = false
  #ended = false
  #facts: EntityFacts | undefined

  constructor(options: OrderAtWorkOptions) {
    const { wire } = options
    this.#options = options
    this.#id = wire.id
    this.#limited = wire.limited
    this.order = orderOf(wire)
    this.lease = new RemoteLease(wire.id, wire.host, (lease) => this.#released(lease))
  }

  entity(order: TransferOrder, facts: EntityFacts): EntityVerdict | Promise<EntityVerdict> {
    const small = facts.lengthBytes === undefined || facts.lengthBytes < askBytes
    if (small && !this.#options.wire.ask && order.kept === undefined) {
      this.#facts = facts
      return { verdict: 'go', sink: this.#sink() }
    }
    this.#asked = true
    this.#asking = Promise.withResolvers<EntityVerdict>()
    this.#options.post({ type: 'ask', id: this.#id, facts })
    return this.#asking.promise
  }

  acquire(host: string): Lease | undefined {
    const spare = this.#spare
    if (spare?.host === host) {
      this.#spare = undefined
      return spare
    }
    this.#wanted ??= new Set()
    if (!this.#wanted.has(host)) {
      this.#wanted.add(host)
      this.#options.post({ type: 'want', id: this.#id, host })
    }
    return undefined
  }

  onCapacity(listen: () => void): () => void {
    this.#listeners.add(listen)
    return () => void this.#listeners.delete(listen)
  }

  connections(_order: TransferOrder, count: number): void {
    this.#options.post({ type: 'connections', id: this.#id, count })
  }

  received(_order: TransferOrder, _host: string, count: number): number | Promise<void> {
    if (!this.#limited) return 0
    this.#unchargedBytes += count
    if (this.#going) return this.#going.promise
    if (this.#unchargedBytes < chargeBytes) return 0
    this.#unchargedBytes = 0
    this.#going = Promise.withResolvers<void>()
    this.tellProgress()
    this.#options.post({ type: 'charge', id: this.#id })
    return this.#going.promise
  }

  checkpoint(_order: TransferOrder, kept: KeptBytes): void {
    this.#options.post({ type: 'checkpoint', id: this.#id, kept })
  }

  notice(_order: TransferOrder, error: TrawlError): void {
    this.#options.post({ type: 'notice', id: this.#id, error: toWireError(error) })
  }

  /** The coordinator's answer to `ask`. */
  decided(verdict: WireVerdict): void {
    const asking = this.#asking
    this.#asking = undefined
    if (verdict.verdict === 'refuse') asking?.reject(fromWireError(verdict.error))
    else if (verdict.verdict === 'skip') asking?.resolve(verdict)
    else asking?.resolve({ verdict: 'go', sink: this.#sink() })
  }

  /** One more connection is allowed; given back where it is not wanted any more. */
  granted(leaseId: number, host: string): void {
    this.#wanted = undefined
    const lease = new RemoteLease(leaseId, host, (each) => this.#released(each))
    this.#leases.add(lease)
    this.#spare = lease
    for (const listen of this.#listeners) listen()
    if (this.#spare !== lease) return
    this.#spare = undefined
    lease.release({ result: 'cancelled' })
  }

  limit(): void {
    this.#limited = true
  }

  /** What was charged has been waited for. */
  go(): void {
    this.#going?.resolve()
    this.#going = undefined
  }

  stop(error: TrawlError): void {
    this.order.transfer?.stop(error)
    this.go()
  }

  /** Nothing is waited for any more. */
  abort(): void {
    this.go()
    this.#asking?.reject(new TrawlError('ERR_CANCELLED', 'the run was cancelled'))
    this.#asking = undefined
  }

  tellProgress(): void {
    this.#tell(this.lease)
    for (const lease of this.#leases) this.#tell(lease)
  }

  /** The transfer is over: makes its bytes safe, closes the part, and tells the coordinator. */
  async end(result: TransferResult): Promise<void> {
    let told: WireResult
    try {
      told = result.result === 'staged' ? await staged(result) : unstaged(result)
    } catch (error) {
      if (result.result === 'staged') result.sink.abort({ discard: true })
      told = { result: 'failed', error: toWireError(toTrawlError(error, 'ERR_IO')) }
    }
    if (this.#asked) this.tellProgress()
    this.#ended = true
    const { report } = this.lease
    this.#options.post({
      type: 'end',
      id: this.#id,
      result: told,
      fetchedBytes: result.fetchedBytes,
      ...(this.#facts === undefined || told.result !== 'staged' ? {} : { facts: this.#facts }),
      ...(this.#asked || report === undefined
        ? {}
        : {
            lease: {
              ...(this.lease.news() ?? { headers: false, bytes: 0 }),
              report: toWireReport(report),
            },
          }),
    })
  }

  #sink(): FileSink {
    return new FileSink(this.#options.partPath, this.#options.volume)
  }

  #tell(lease: RemoteLease): void {
    const news = lease.news()
    if (news) this.#options.post({ type: 'progress', id: this.#id, ...news })
  }

  /** The lease of a small file goes with its end; others are free for somebody else at once. */
  #released(lease: RemoteLease): void {
    if (!this.#asked && !this.#ended) return
    this.#tell(lease)
    this.#leases.delete(lease)
    if (lease.report) {
      const report = toWireReport(lease.report)
      this.#options.post({ type: 'release', id: this.#id, lease: lease.id, report })
    }
  }
}

function orderOf({ task, places, mirrored, attempt, kept, split }: WireOrder): TransferOrder {
  const locator = { kind: 'mirrors', places } as const
  return {
    task: { ...task, kind: 'file', locator, ordinal: 0, target: {} },
    places,
    mirrored,
    attempt,
    kept,
    split,
    transfer: undefined,
  }
}

async function staged(result: StagedTransfer): Promise<WireResult> {
  const { sink, generation, lengthBytes, crc32, digests } = result
  const extents = sink.checkpoint()
  checkWhole('then' in extents ? await extents : extents, lengthBytes)
  // Closes the part; the coordinator opens it again to give it its name.
  sink.abort()
  return {
    result: 'staged',
    generation,
    lengthBytes,
    crc32,
    ...(digests.length === 0 ? {} : { digests }),
  }
}

function checkWhole(extents: readonly Extent[], lengthBytes: number): void {
  const [only] = extents
  const isWhole =
    only === undefined
      ? lengthBytes === 0
      : extents.length === 1 && only.start === 0 && only.end === lengthBytes
  if (!isWhole) throw new TrawlError('ERR_INTERNAL', `a part has other bytes than its ${lengthBytes}`)
}

function unstaged(result: Exclude<TransferResult, StagedTransfer>): WireResult {
  const { fetchedBytes: _, ...rest } = result
  return rest.result === 'skipped' ? rest : { ...rest, error: toWireError(rest.error) }
}

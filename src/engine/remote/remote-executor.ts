import { formats, toTrawlError, TrawlError, type Clock } from '../../core/index.ts'
import type { CookieJar, TransportOptions } from '../../http/index.ts'
import {
  fromWireError,
  toWireError,
  WorkerPool,
  type PoolWorker,
  type WorkerKind,
} from '../../workers/index.ts'
import type { MinSpeed } from '../segments/speed-floor.ts'
import type { Lease } from '../governor/index.ts'
import type {
  EntityFacts,
  EntityVerdict,
  Executor,
  ExecutorProperties,
  KeptBytes,
  TransferCallbacks,
  TransferOrder,
  TransferResult,
} from '../transfer/transfer.ts'
import { waitForRate } from '../transfer/wait-for-rate.ts'
import { LateLeases } from './late-leases.ts'
import { OrderHandedOut } from './order-handed-out.ts'
import type { PartFiles } from './part-files.ts'
import type { FromWorker, Greeting, ToWorker, WireProgress, WireVerdict } from './protocol.ts'
import { adoptStaged } from './adopt-staged.ts'
import { fromWireReport } from './wire-report.ts'

export interface RemoteExecutorOptions {
  readonly kind: WorkerKind
  /** Most workers. */
  readonly workers: number
  /** How each worker makes its requests. */
  readonly transport: TransportOptions
  readonly parts: PartFiles
  readonly clock: Clock
  /** A rate limit holds for all items. */
  readonly isLimited: () => boolean
  readonly minSpeedOf?: (host: string) => MinSpeed | undefined
  /** Told of workers that died. */
  readonly onNotice?: (error: TrawlError) => void
  readonly signal: AbortSignal
}

type Worker = PoolWorker<ToWorker>
type End = Extract<FromWorker, { type: 'end' }>

/** An order that so many workers died with is tried once more, as the only one of its kind. */
const suspectAfter = 2
const abortGraceMs = 10_000
const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
/** Beside this module in the sources, and beside the bundle where it is built. */
const entry = new URL(`./transfer-worker.${extension}`, import.meta.url)

/**
 * Carries out transfers in threads or processes; `protocol.ts` says how. Workers are started when there is work for
 * them and end with `close`. Beside what transfers fail with, orders end with ERR_WORKER_CRASHED (workers died with
 * it, one after the other) and ERR_WORKERS_FAILED (no worker can be kept alive).
 */
export function createRemoteExecutor(options: RemoteExecutorOptions): RemoteExecutor {
  return new RemoteExecutor(options)
}

export class RemoteExecutor implements Executor {
  readonly properties: ExecutorProperties
  readonly #options: RemoteExecutorOptions
  readonly #pool: WorkerPool<ToWorker, FromWorker>
  readonly #orders = new Map<number, OrderHandedOut>()
  readonly #wanting = new Set<OrderHandedOut>()
  readonly #suspects: OrderHandedOut[] = []
  #tested: OrderHandedOut | undefined
  readonly #jar: CookieJar | undefined
  #lastId = 0
  #stopCapacity: (() => void) | undefined
  #stopKilling: (() => void) | undefined
  readonly #late = new LateLeases()

  constructor(options: RemoteExecutorOptions) {
    this.#options = options
    this.#jar = options.transport.cookies
    this.properties = { mode: options.kind, functions: false }
    this.#pool = new WorkerPool<ToWorker, FromWorker>({
      kind: options.kind,
      count: options.workers,
      entry,
      greeting: () => this.#greeting(),
      onItem: (item, worker) => this.#take(item, worker),
      onLost: (worker, reason) => this.#lost(worker, reason),
      onFailed: (error) => this.#failAll(error),
    })
    options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** The workers that run now; for reports and tests. */
  get workers(): readonly { readonly pid: number | undefined; readonly load: number }[] {
    return this.#pool.workers
  }

  execute(order: TransferOrder, lease: Lease, callbacks: TransferCallbacks): Promise<TransferResult> {
    return new Promise((resolve) => {
      this.#lastId++
      const handed = new OrderHandedOut({
        id: this.#lastId,
        order,
        lease,
        callbacks,
        resolve,
        onStop: (each, error) => this.#stop(each, error),
      })
      try {
        if (this.#options.signal.aborted) throw cancelled()
        this.#options.parts.claim(order.task)
      } catch (error) {
        handed.release({ result: 'cancelled' })
        resolve(failed(handed, toTrawlError(error)))
        return
      }
      this.#orders.set(handed.id, handed)
      this.#handOut(handed)
    })
  }

  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#stopCapacity?.()
    this.#stopKilling?.()
    await this.#pool.close()
    this.#late.close()
  }

  #greeting(): Greeting {
    const { transport, parts } = this.#options
    const { cookies, ...plain } = transport
    return {
      type: 'greeting',
      version: formats.workerMessages,
      transport: plain,
      partsFolder: parts.folder,
      durability: parts.durability,
      ...(cookies === undefined ? {} : { cookies: cookies.toText() }),
    }
  }

  #handOut(handed: OrderHandedOut): void {
    const { task } = handed.order
    let worker: Worker
    try {
      worker = this.#pool.pick(handed.lease.host)
    } catch (error) {
      this.#fail(handed, toTrawlError(error))
      return
    }
    worker.load++
    handed.worker = worker
    handed.limited ||= this.#options.isLimited() || task.limitRateBps !== undefined
    const minSpeed = this.#options.minSpeedOf?.(handed.lease.host)
    worker.post(handed.toWire({ ask: this.#options.parts.mayRefuse(task), minSpeed }))
  }

  #take(item: FromWorker, worker: Worker): void {
    switch (item.type) {
      case 'ready':
        return
      case 'unfit':
        return this.#pool.fail(unfit(fromWireError(item.error)))
      case 'cookies':
        this.#jar?.store(item.url, item.set)
        return this.#pool.postAll(item, worker)
      default: {
        const handed = this.#orders.get(item.id)
        if (handed?.worker === worker) this.#act(handed, item)
        else if (item.type === 'release') this.#late.release(item.lease, fromWireReport(item.report))
      }
    }
  }

  #act(handed: OrderHandedOut, item: Exclude<FromWorker, { type: 'ready' | 'unfit' | 'cookies' }>): void {
    const { order, callbacks } = handed
    switch (item.type) {
      case 'end':
        return this.#ended(handed, item)
      case 'progress':
        return this.#progress(handed, item)
      case 'ask':
        return handed.worker?.post({
          type: 'verdict',
          id: handed.id,
          verdict: this.#decide(handed, item.facts),
        })
      case 'release':
        return this.#release(handed, item)
      case 'want':
        handed.wants ??= new Set()
        handed.wants.add(item.host)
        this.#wanting.add(handed)
        this.#stopCapacity ??= callbacks.onCapacity(() => this.#offer())
        return this.#grant(handed)
      case 'connections':
        return callbacks.connections(order, item.count)
      case 'charge':
        return this.#afterWait(handed, () => handed.worker?.post({ type: 'go', id: handed.id }))
      case 'checkpoint':
        handed.kept = item.kept
        return this.#checkpoint(handed, item.kept)
      default:
        return callbacks.notice(order, fromWireError(item.error))
    }
  }

  #decide(handed: OrderHandedOut, facts: EntityFacts): WireVerdict {
    const { parts } = this.#options
    const { task } = handed.order
    handed.facts = facts
    // Our own claim must not look like another job's.
    parts.release(task)
    try {
      let verdict: EntityVerdict
      try {
        verdict = handed.callbacks.entity(handed.order, facts)
      } finally {
        // Also where it is refused: at its end the order gives back what it claimed, and nobody else's.
        parts.claim(task)
      }
      if (verdict.verdict === 'skip') return verdict
      handed.verdict = verdict
      return { verdict: 'go' }
    } catch (error) {
      return { verdict: 'refuse', error: toWireError(toTrawlError(error)) }
    }
  }

  #progress(handed: OrderHandedOut, { lease: id, headers, bytes }: WireProgress): void {
    const lease = id === handed.id ? handed.lease : handed.extra?.get(id)
    if (!lease) return
    if (headers) lease.headers()
    if (handed.split !== handed.order.split) {
      handed.split = handed.order.split
      handed.worker?.post({ type: 'split', id: handed.id, split: handed.split })
    }
    if (bytes === 0) return
    handed.toldBytes += bytes
    lease.bytes(bytes)
    const waitMs = handed.callbacks.received(handed.order, lease.host, bytes)
    if (waitMs <= 0) return
    handed.readyAtMs = Math.max(handed.readyAtMs, this.#options.clock.now() + waitMs)
    if (handed.limited) return
    handed.limited = true
    handed.worker?.post({ type: 'limited', id: handed.id })
  }

  #checkpoint({ callbacks, order }: OrderHandedOut, kept: KeptBytes): void {
    try {
      callbacks.checkpoint(order, kept)
    } catch {
      // The volume is full, which the worker sees too when it writes. The journal holds the record back.
    }
  }

  #afterWait(handed: OrderHandedOut, run: () => void): void {
    const { clock, signal } = this.#options
    const { callbacks, order, lease } = handed
    const waitMs = handed.readyAtMs === 0 ? 0 : handed.readyAtMs - clock.now()
    if (waitMs <= 0) return run()
    const leftMs = (): number =>
      signal.aborted || handed.stopped ? 0 : callbacks.received(order, lease.host, 0)
    void waitForRate(clock, waitMs, leftMs).then(run)
    return undefined
  }

  #release(handed: OrderHandedOut, item: Extract<FromWorker, { type: 'release' }>): void {
    const report = fromWireReport(item.report)
    if (item.lease === item.id) return handed.release(report)
    handed.extra?.get(item.lease)?.release(report)
    handed.extra?.delete(item.lease)
  }

  /** There may be room for further connections. */
  #offer(): void {
    for (const handed of this.#wanting) this.#grant(handed)
  }

  #grant(handed: OrderHandedOut): void {
    const { wants, worker } = handed
    if (!wants || !worker) {
      this.#wanting.delete(handed)
      return
    }
    let lease: Lease | undefined
    for (const host of wants) lease ??= handed.callbacks.acquire(host)
    if (!lease) return
    this.#wanting.delete(handed)
    handed.wants = undefined
    this.#lastId++
    handed.extra ??= new Map()
    handed.extra.set(this.#lastId, lease)
    worker.post({ type: 'grant', id: handed.id, lease: this.#lastId, host: lease.host })
  }

  #ended(handed: OrderHandedOut, item: End): void {
    this.#pool.worked()
    if (item.lease) this.#progress(handed, { ...item.lease, lease: handed.id })
    handed.ending = true
    const { worker } = handed
    this.#leaveWorker(handed)
    // The time that a small file would have had to wait under a rate limit holds its lease too.
    this.#afterWait(handed, () => this.#settle(handed, item, worker))
  }

  #settle(handed: OrderHandedOut, item: End, worker: Worker | undefined): void {
    const { parts } = this.#options
    const { task } = handed.order
    this.#orders.delete(handed.id)
    parts.release(task)
    handed.releaseExtra()
    // Its request is still under way where it was stopped before the answer came.
    if (handed.leased && !item.lease) this.#late.add(handed, worker)
    let result: TransferResult
    try {
      result = this.#resultOf(handed, item)
    } catch (error) {
      parts.remove(task)
      const httpStatus = (item.facts ?? handed.facts)?.httpStatus
      result = {
        result: 'failed',
        error: toTrawlError(error),
        fetchedBytes: item.fetchedBytes,
        ...(httpStatus === undefined ? {} : { httpStatus }),
      }
    }
    if (item.lease) handed.release(fromWireReport(item.lease.report))
    handed.resolve({ ...result, fetchedBytes: item.fetchedBytes + handed.lostBytes })
  }

  #resultOf(handed: OrderHandedOut, item: End): TransferResult {
    const { result: told, fetchedBytes } = item
    if (told.result === 'skipped') return { ...told, fetchedBytes }
    if (told.result === 'failed') return { ...told, error: fromWireError(told.error), fetchedBytes }
    const facts = item.facts ?? handed.facts
    if (!facts) throw new TrawlError('ERR_INTERNAL', 'a staged file without facts')
    const verdict = handed.verdict ?? handed.callbacks.entity(handed.order, facts)
    if (verdict.verdict === 'skip') {
      this.#options.parts.remove(handed.order.task)
      const { reason, path } = verdict
      return { result: 'skipped', reason, fetchedBytes, ...(path === undefined ? {} : { path }) }
    }
    return adoptStaged(verdict.sink, told, { facts, fetchedBytes })
  }

  #leaveWorker(handed: OrderHandedOut): void {
    if (handed.worker) handed.worker.load--
    handed.worker = undefined
    this.#wanting.delete(handed)
    if (handed !== this.#tested) return
    this.#tested = undefined
    this.#testNext()
  }

  /** A worker is gone; its orders go to others with what is kept of them. */
  #lost(worker: Worker, reason: string): void {
    this.#options.onNotice?.(died(reason))
    this.#late.releaseAll(worker)
    for (const handed of this.#orders.values()) {
      if (handed.worker !== worker) continue
      this.#wanting.delete(handed)
      handed.reset()
      if (handed.stopped) this.#fail(handed, handed.stopped)
      else if (this.#options.signal.aborted) this.#fail(handed, cancelled())
      else if (handed === this.#tested) this.#fail(handed, crashed(handed.crashes, reason))
      else if (!handed.leased) this.#fail(handed, died(reason))
      else if (handed.crashes < suspectAfter) this.#handOut(handed)
      else this.#suspects.push(handed)
    }
    this.#testNext()
  }

  /** Of the files that several workers died with, one at a time is tried again: then it is clear which it is. */
  #testNext(): void {
    if (this.#tested) return
    this.#tested = this.#suspects.shift()
    if (this.#tested) this.#handOut(this.#tested)
  }

  #failAll(error: TrawlError): void {
    this.#suspects.length = 0
    // One that waits for its rate has left its worker, and ends by itself.
    for (const handed of this.#orders.values()) if (!handed.ending) this.#fail(handed, error)
  }

  #stop(handed: OrderHandedOut, error: TrawlError): void {
    if (handed.ending) return
    if (handed.worker) {
      handed.worker.post({ type: 'stop', id: handed.id, error: toWireError(error) })
      return
    }
    this.#suspects.splice(this.#suspects.indexOf(handed), 1)
    this.#fail(handed, error)
  }

  /** Ends an order that no worker has any more. */
  #fail(handed: OrderHandedOut, error: TrawlError): void {
    this.#orders.delete(handed.id)
    this.#leaveWorker(handed)
    this.#options.parts.release(handed.order.task)
    handed.releaseExtra()
    handed.release({ result: 'cancelled' })
    handed.resolve(failed(handed, error))
  }

  readonly #onAbort = (): void => {
    this.#pool.postAll({ type: 'abort' })
    for (const handed of this.#suspects.splice(0)) this.#fail(handed, cancelled())
    this.#stopKilling = this.#options.clock.after(abortGraceMs, () => {
      for (const worker of this.#pool.workers) if (worker.load > 0) worker.kill()
    })
  }
}

/** The end of an order without a worker's word: what its checkpoints told of is kept. */
function failed({ kept, lostBytes, toldBytes }: OrderHandedOut, error: TrawlError): TransferResult {
  const fetchedBytes = lostBytes + toldBytes
  return { result: 'failed', error, fetchedBytes, ...(kept === undefined ? {} : { kept }) }
}

function unfit(cause: TrawlError): TrawlError {
  const { message, hint, context } = cause
  return new TrawlError('ERR_WORKERS_FAILED', `no worker can start: ${message}`, { cause, hint, context })
}

function cancelled(): TrawlError {
  return new TrawlError('ERR_CANCELLED', 'the run was cancelled')
}

function crashed(count: number, reason: string): TrawlError {
  return new TrawlError('ERR_WORKER_CRASHED', `${count} workers died with this file: ${reason}`)
}

function died(reason: string): TrawlError {
  return new TrawlError('ERR_WORKER_CRASHED', `a worker died: ${reason}`, {
    retry: 'backoff',
    hint: 'Nothing to do: what it had is given to another.',
  })
}

import { TrawlError } from '../core/index.ts'
import { Outbox } from './outbox.ts'
import { startWorker } from './start-worker.ts'
import type { WorkerChannel, WorkerKind } from './worker-channel.ts'

/** A worker of a pool. */
export interface PoolWorker<Out> {
  readonly pid: number | undefined
  /** What it has to do, as its user counts it: the pool gives work to the one with the least. */
  load: number
  /** Posts an item; those of one turn of the event loop go as one message. Lost where the worker has ended. */
  post(item: Out): void
  /** Ends it now, as a crash would. */
  kill(): void
}

export interface WorkerPoolOptions<Out, In> {
  readonly kind: WorkerKind
  /** Most workers at once. They are started when there is work for them. */
  readonly count: number
  readonly entry: URL
  /** The first item for each worker that is started. */
  readonly greeting: () => Out
  readonly onItem: (item: In, worker: PoolWorker<Out>) => void
  /** A worker crashed: what it had is to be given to another, which `pick` starts where there is none. */
  readonly onLost: (worker: PoolWorker<Out>, reason: string) => void
  /** Workers die as fast as they are started: ERR_WORKERS_FAILED. Called once, before the `onLost` of the last. */
  readonly onFailed: (error: TrawlError) => void
}

/** So many crashes without a piece of work done in between are not chance. */
const mostBarrenCrashes = 5
const closeGraceMs = 2000
/** A worker that has so many times as much to do as the one with the least still gets what suits it. */
const mostUneven = 1.25

/**
 * Workers of one kind that run the same module. Items are batched each way. A worker that crashes is told, and
 * replaced when there is work for another; when workers crash again and again without doing anything, the pool gives
 * up.
 */
export class WorkerPool<Out, In> {
  readonly #options: WorkerPoolOptions<Out, In>
  readonly #workers = new Set<Member<Out>>()
  #barrenCrashes = 0
  #failure: TrawlError | undefined
  #closed: Promise<void> | undefined

  constructor(options: WorkerPoolOptions<Out, In>) {
    this.#options = options
  }

  /** Workers that run, for reports and tests. */
  get workers(): readonly PoolWorker<Out>[] {
    return [...this.#workers]
  }

  /**
   * The worker to give the next piece of work to: one without work, a new one where there may be more, else the one
   * with the least. Pieces with the same key go to the same worker as long as it has hardly more to do than others, so
   * that it can use again what it has, such as connections. Throws ERR_WORKERS_FAILED where the pool has given up.
   */
  pick(key = ''): PoolWorker<Out> {
    if (this.#failure) throw this.#failure
    let least: Member<Out> | undefined
    for (const worker of this.#workers) if (!least || worker.load < least.load) least = worker
    const { count } = this.#options
    if (!least || (least.load > 0 && this.#workers.size < count)) return this.#start()
    const seat = hashOf(key) % count
    for (const worker of this.#workers) {
      if (worker.seat === seat && worker.load <= least.load * mostUneven) return worker
    }
    return least
  }

  /** A piece of work came to its end: whatever crashed before, the workers work. */
  worked(): void {
    this.#barrenCrashes = 0
  }

  /** Gives up for a reason that the workers themselves told. */
  fail(error: TrawlError): void {
    if (this.#failure) return
    this.#failure = error
    this.#options.onFailed(error)
  }

  /** Posts an item to all workers, but for one. */
  postAll(item: Out, except?: PoolWorker<Out>): void {
    for (const worker of this.#workers) if (worker !== except) worker.post(item)
  }

  /** Ends all workers; those that do not end by themselves soon are killed. */
  close(): Promise<void> {
    this.#failure ??= new TrawlError('ERR_CANCELLED', 'the workers were closed')
    this.#closed ??= Promise.all([...this.#workers].map((each) => each.close())).then(() => {})
    return this.#closed
  }

  #start(): Member<Out> {
    const { kind, entry, greeting, onItem } = this.#options
    const taken = new Set([...this.#workers].map((each) => each.seat))
    let seat = 0
    while (taken.has(seat)) seat++
    const worker: Member<Out> = new Member<Out>(seat, (member) =>
      startWorker(kind, {
        entry,
        onMessage: (items) => {
          for (const item of items as readonly In[]) onItem(item, member)
        },
        onExit: ({ expected, reason }) => this.#ended(member, expected, reason),
      }),
    )
    this.#workers.add(worker)
    worker.post(greeting())
    return worker
  }

  #ended(worker: Member<Out>, expected: boolean, reason: string): void {
    this.#workers.delete(worker)
    if (expected || this.#closed) return
    this.#barrenCrashes++
    if (this.#barrenCrashes >= mostBarrenCrashes) {
      const what = this.#options.kind === 'threads' ? 'threads' : 'processes'
      this.fail(
        new TrawlError(
          'ERR_WORKERS_FAILED',
          `${this.#barrenCrashes} worker ${what} died in a row without finishing anything; the last one: ${reason}`,
        ),
      )
    }
    this.#options.onLost(worker, reason)
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}

class Member<Out> implements PoolWorker<Out> {
  load = 0
  /** Place in the pool, from 0; that of one that died is taken by the next. */
  readonly seat: number
  readonly #channel: WorkerChannel
  readonly #outbox: Outbox<Out>

  constructor(seat: number, start: (member: Member<Out>) => WorkerChannel) {
    this.seat = seat
    this.#channel = start(this)
    this.#outbox = new Outbox((items) => this.#channel.post(items))
  }

  get pid(): number | undefined {
    return this.#channel.pid
  }

  post(item: Out): void {
    this.#outbox.add(item)
  }

  kill(): void {
    this.#channel.kill()
  }

  close(): Promise<void> {
    this.#outbox.flush()
    return this.#channel.close(closeGraceMs)
  }
}

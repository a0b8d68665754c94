import {
  describeLocator,
  toTrawlError,
  type TrawlError,
  type ActiveItem,
  type ItemSelector,
  type JobStats,
  type Outcome,
  type Progress,
} from '../../core/index.ts'
import type { Lease } from '../governor/index.ts'
import type {
  EntityFacts,
  EntityVerdict,
  KeptBytes,
  StagedTransfer,
  TransferCallbacks,
  TransferOrder,
  TransferResult,
} from '../transfer/transfer.ts'
import { OutcomeChannel } from './outcome-channel.ts'
import { decideRetry } from './retry-policy.ts'
import { RunCounters } from './run-counters.ts'
import { fillCommitted, nothing, outcomeBase, untried, type MutableOutcome } from './outcomes.ts'
import { activeItemsOf, hostProgress, retryEvent, startAnewEvent } from './run-view.ts'
import { RetryTimers } from './retry-timers.ts'
import { newRunningTask, placesOf, sizeOf } from './running-task.ts'
import { ActiveTasks } from './active-tasks.ts'
import { InputReader, maxBacklog } from './input-reader.ts'
import type { RunOptions, RunParts } from './run-options.ts'
import type { InputTask, TaskInput } from './task-input.ts'
import { TaskQueue, type RunningTask } from './task-queue.ts'
import { VolumeGuard } from './volume-guard.ts'

/**
 * One run over a stream of tasks: reads them lazily, starts them as leases allow, retries, and gives an outcome for
 * each. Owned by the engine.
 */
export class Run {
  readonly counters: RunCounters
  readonly #parts: RunParts
  readonly #options: RunOptions
  readonly #queue = new TaskQueue()
  readonly #active = new ActiveTasks()
  readonly #channel: OutcomeChannel
  readonly #callbacks: TransferCallbacks
  readonly #volume: VolumeGuard
  readonly #stopCapacity: () => void
  readonly #delays: RetryTimers
  readonly #reader: InputReader
  #stopping = false
  #over = false
  /** What ended the whole run, such as a volume that stayed full. */
  #fatal: TrawlError | undefined
  #paused = false
  readonly #pausedHosts = new Set<string>()
  readonly #capacityListeners = new Set<() => void>()
  #pumping = false

  constructor(parts: RunParts, options: RunOptions) {
    this.#parts = parts
    this.#options = options
    this.counters = new RunCounters(parts.clock)
    this.#channel = new OutcomeChannel(() => this.#pump())
    this.#delays = new RetryTimers(parts.clock, (item) => {
      this.#queue.add(item)
      this.#pump()
    })
    this.#reader = new InputReader({
      admit: (task) => this.#admit(task),
      waiting: () => this.#queue.size + this.#delays.size,
      isBlocked: () => this.#queue.allBlocked && this.#active.size === 0,
      backlog: () => this.#channel.backlog,
      isStopping: () => this.#stopping,
      onEnd: (whole) => {
        this.counters.plannedIsFinal = whole
        this.#maybeEnd()
      },
    })
    this.#callbacks = this.#transferCallbacks()
    this.#volume = new VolumeGuard({
      clock: parts.clock,
      waitMs: options.spaceWaitMs,
      freeBytes: () => options.destination.freeBytes(),
      onPause: (path, error) => options.onEvent?.({ type: 'volume.paused', path, error: error.toJSON() }),
      onResume: (path) => {
        options.onEvent?.({ type: 'volume.resumed', path })
        this.#pump()
      },
      onGiveUp: (error) => {
        this.#fatal = error
        this.#stop()
      },
    })
    this.#stopCapacity = parts.governor.onCapacity(() => {
      this.#queue.unblock()
      this.#pump()
    })
    if (options.signal.aborted) this.#stop()
    else options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Starts reading; outcomes come from `batches`. May be called once. */
  start(input: TaskInput): void {
    void this.#reader.read(input)
  }

  /** Outcomes as they come. Throws a job-wide error, such as ERR_NO_SPACE after the wait. */
  batches(): AsyncGenerator<readonly Outcome[], void, undefined> {
    return this.#channel.batches()
  }

  /** No further tasks are started; the active ones end first. */
  drain(): void {
    this.#stop()
  }

  /** Starts nothing new, at all or for one host. What is active goes on. */
  pause(which: ItemSelector = {}): void {
    if (which.host === undefined) this.#paused = true
    else this.#pausedHosts.add(which.host)
  }

  resume(which: ItemSelector = {}): void {
    if (which.host === undefined) {
      this.#paused = false
      this.#pausedHosts.clear()
    } else {
      this.#pausedHosts.delete(which.host)
    }
    this.#queue.unblock()
    this.#pump()
  }

  /** Ends waiting items as unfinished. */
  cancel(which: ItemSelector): void {
    const isMeant = (item: RunningTask): boolean =>
      (which.host === undefined || item.host === which.host) &&
      (which.id === undefined || item.task.id === which.id)
    const removed = [...this.#queue.remove(isMeant), ...this.#delays.remove(isMeant)]
    for (const item of removed) this.#unfinished(item)
    this.#pump()
    this.#maybeEnd()
  }

  progress(): Progress {
    this.counters.active = this.#active.size
    this.counters.waiting = this.#queue.size + this.#delays.size
    return this.counters.progress(hostProgress(this.#parts.governor))
  }

  activeItems(limit: number): ActiveItem[] {
    return activeItemsOf(this.#active.values(), limit)
  }

  stats(): JobStats {
    return this.counters.stats()
  }

  #admit(task: InputTask): void {
    this.counters.planned++
    if ('filtered' in task) {
      const { id, ordinal, input } = task
      this.#finish({ ...nothing, id, ordinal, input, status: 'skipped', skipReason: 'filtered' })
      return
    }
    if ('refused' in task) {
      const { refused, id, ordinal, input } = task
      this.#finish({ ...nothing, id, ordinal, input, status: 'failed', error: refused.toJSON() })
      return
    }
    try {
      const admission = this.#options.destination.admit(task)
      if (admission.admit === 'skip') {
        const { reason, path, sizeBytes } = admission
        this.#finish({ ...untried(task), status: 'skipped', skipReason: reason, path, sizeBytes })
        return
      }
      this.#queue.add(newRunningTask(task, admission))
    } catch (thrown) {
      const error = toTrawlError(thrown)
      this.#finish({ ...untried(task), status: 'failed', error: error.toJSON() })
      return
    }
    this.#pump()
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#mayStart()) {
        const host = this.#queue.nextHost()
        if (host === undefined) break
        const lease = this.#pausedHosts.has(host) ? undefined : this.#parts.governor.tryAcquire(host)
        if (!lease) {
          this.#queue.block(host)
          continue
        }
        const item = this.#queue.take()
        if (item) this.#attempt(item, lease)
        else lease.release({ result: 'cancelled' })
      }
      // Waiting files go first; what they leave is for further connections of active ones.
      for (const listen of this.#capacityListeners) listen()
    } finally {
      this.#pumping = false
    }
    this.#reader.wake()
  }

  #mayStart(): boolean {
    if (this.#stopping || this.#paused || this.#volume.paused) return false
    const most = this.#parts.executor.properties.maxTransfers
    return this.#channel.backlog <= maxBacklog && (most === undefined || this.#active.size < most)
  }

  #attempt(item: RunningTask, lease: Lease): void {
    const { task } = item
    item.attempt++
    item.connections = 1
    if (item.attempt === 1) this.#started(item)
    this.#active.add(item)
    if (task.limitRateBps !== undefined) {
      this.#parts.rateLimiter.limitItem({ host: item.host, itemId: task.id }, task.limitRateBps)
    }
    const order: RunOrder = {
      item,
      task,
      places: placesOf(item),
      mirrored: task.locator.kind === 'mirrors',
      attempt: item.attempt - 1,
      kept: item.kept,
    }
    void this.#parts.executor
      .execute(order, lease, this.#callbacks)
      .then((result) => this.#ended(item, result))
  }

  #started(item: RunningTask): void {
    item.startedMs = this.#parts.clock.now()
    if (!this.#options.itemEvents?.()) return
    const { id, ordinal, locator } = item.task
    this.#options.onEvent?.({ type: 'task.started', id, ordinal, input: describeLocator(locator) })
  }

  /** An attempt is over; its lease is free, so others start before this one is settled. */
  #ended(item: RunningTask, result: TransferResult): void {
    item.connections = 0
    item.fetchedBytes += result.fetchedBytes
    this.#queue.unblock(item.host)
    if (result.result === 'staged') {
      this.#pump()
      this.#commit(item, result)
      return
    }
    if (result.result === 'failed') {
      item.kept = result.kept
      const size = sizeOf(result.kept)
      // Progress starts the count of tries anew.
      if (size > item.keptBytes) item.attempt = Math.min(item.attempt, 1)
      item.keptBytes = size
      item.httpStatus = result.httpStatus ?? item.httpStatus
      this.#failed(item, result.error)
    } else {
      this.#leave(item)
      const path = result.path ?? item.path
      this.#finish({
        ...this.#outcomeBase(item),
        status: 'skipped',
        skipReason: result.reason,
        sizeBytes: item.sizeBytes ?? 0,
        ...(path === undefined ? {} : { path }),
      })
    }
    this.#pump()
    this.#maybeEnd()
  }

  #commit(item: RunningTask, staged: StagedTransfer): void {
    const base = this.#outcomeBase(item)
    const accepted = this.#options.acceptor?.(staged, item.task)
    const committed =
      accepted === undefined
        ? this.#options.destination.commit(item, staged, base)
        : accepted.then((value) => {
            base.value = value
            return this.#options.destination.commit(item, staged, base)
          })
    committed.then(
      (path) => this.#committed(item, staged, base, path),
      (error: unknown) => {
        staged.sink.abort({ discard: true })
        item.kept = undefined
        this.#failed(item, toTrawlError(error))
        this.#pump()
        this.#maybeEnd()
      },
    )
  }

  #committed(item: RunningTask, staged: StagedTransfer, outcome: MutableOutcome, path: string): void {
    this.#leave(item)
    fillCommitted(outcome, staged, path)
    this.#finish(outcome)
    this.#maybeEnd()
  }

  #failed(item: RunningTask, error: TrawlError): void {
    this.#leave(item)
    if (error.code === 'ERR_CANCELLED') return this.#unfinished(item)
    if (error.code === 'ERR_NO_SPACE') {
      if (this.#stopping) return this.#unfinished(item)
      item.attempt--
      this.#queue.add(item)
      this.#volume.pause(error)
      return
    }
    if (isOfThePlace(error) && item.places.length > 1 && !this.#stopping) return this.#leavePlace(item)
    if (startsAnew.has(error.code) && item.restarts < 2 && !this.#stopping)
      return this.#startAnew(item, error)
    const decision = decideRetry(
      error,
      { attempts: item.attempt, throttles: item.throttles },
      this.#options.retry,
    )
    if (!decision.retry || this.#stopping) {
      return decision.retry ? this.#unfinished(item) : this.#giveUp(item, error)
    }
    if (!decision.spends) {
      item.throttles++
      item.attempt--
    }
    this.counters.retries++
    if (this.#options.itemEvents?.()) {
      this.#options.onEvent?.(retryEvent(item, error, decision.pauseHostMs ?? decision.delayMs))
    }
    if (decision.pauseHostMs !== undefined) {
      this.#parts.governor.pauseHost(item.host, decision.pauseHostMs, error.message)
    }
    if (decision.delayMs === 0) this.#queue.add(item)
    else this.#delays.add(item, decision.delayMs)
  }

  /** This address does not have the file; the others may. */
  #leavePlace(item: RunningTask): void {
    const used = placesOf(item)[(item.attempt - 1) % item.places.length]
    item.places = item.places.filter((place) => place !== used)
    item.attempt--
    this.#queue.add(item)
  }

  /** What is there of the file is of no use; it comes anew, at once, and people are told. */
  #startAnew(item: RunningTask, error: TrawlError): void {
    item.restarts++
    item.attempt--
    item.kept = undefined
    this.#options.onEvent?.(startAnewEvent(item, error))
    this.#queue.add(item)
  }

  #giveUp(item: RunningTask, error: TrawlError): void {
    const facts = {
      attempts: item.attempt,
      ...(item.httpStatus === undefined ? {} : { httpStatus: item.httpStatus }),
    }
    this.#options.destination.failed(item, error, facts)
    this.#finish({
      ...this.#outcomeBase(item),
      status: 'failed',
      error: error.toJSON(),
      ...(item.path === undefined ? {} : { path: item.path }),
      ...(item.httpStatus === undefined ? {} : { httpStatus: item.httpStatus }),
    })
  }

  #unfinished(item: RunningTask): void {
    this.#finish({
      ...this.#outcomeBase(item),
      status: 'unfinished',
      ...(item.path === undefined ? {} : { path: item.path }),
    })
  }

  #outcomeBase(item: RunningTask): MutableOutcome {
    return outcomeBase(item, this.#parts.clock.now())
  }

  #leave(item: RunningTask): void {
    this.#active.remove(item)
    if (this.#parts.isLimited() || item.task.limitRateBps !== undefined) {
      this.#parts.rateLimiter.release({ host: item.host, itemId: item.task.id })
    }
    this.counters.activeBytes -= item.doneBytes
    item.doneBytes = 0
  }

  #finish(outcome: Outcome): void {
    this.counters.finished(outcome)
    this.#channel.push(outcome)
    if (outcome.status === 'failed' || this.#options.itemEvents?.()) {
      this.#options.onEvent?.({ type: 'task.finished', outcome })
    }
  }

  #transferCallbacks(): TransferCallbacks {
    const itemOf = (order: TransferOrder): RunningTask => (order as RunOrder).item
    return {
      entity: (order, facts) => this.#entity(itemOf(order), facts),
      // Also while the run drains: what is active is to end.
      acquire: (host) =>
        this.#volume.paused || this.#pausedHosts.has(host)
          ? undefined
          : this.#parts.governor.tryAcquire(host),
      onCapacity: (listen) => {
        this.#capacityListeners.add(listen)
        return () => void this.#capacityListeners.delete(listen)
      },
      connections: (order, count) => {
        itemOf(order).connections = count
      },
      received: (order, host, count) => {
        const item = itemOf(order)
        item.doneBytes += count
        this.counters.activeBytes += count
        this.counters.received(count)
        const limited = this.#parts.isLimited() || order.task.limitRateBps !== undefined
        return limited ? this.#parts.rateLimiter.take(count, { host, itemId: order.task.id }) : 0
      },
      checkpoint: (order, kept: KeptBytes) => this.#options.destination.checkpoint(itemOf(order), kept),
      notice: (order, error) =>
        this.#options.onEvent?.({
          type: 'job.notice',
          message: `${describeLocator(order.task.locator)}: ${error.message}`,
          error: error.toJSON(),
        }),
    }
  }

  #entity(item: RunningTask, facts: EntityFacts): EntityVerdict {
    const verdict = this.#options.destination.entity(item, facts)
    item.path = verdict.path
    if (item.sizeBytes === undefined && facts.lengthBytes !== undefined) {
      this.counters.knownBytes += facts.lengthBytes
    }
    item.sizeBytes = facts.lengthBytes
    return verdict
  }

  readonly #onAbort = (): void => {
    this.#stop()
    this.#maybeEnd()
  }

  #stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    for (const item of this.#delays.remove(() => true)) this.#unfinished(item)
    for (const item of this.#queue.drain()) this.#unfinished(item)
    this.#pump()
    this.#maybeEnd()
  }

  #maybeEnd(): void {
    if (!this.#reader.ended && !this.#stopping) return
    if (this.#active.size > 0 || this.#queue.size > 0 || this.#delays.size > 0) return
    this.#end(this.#fatal ?? this.#reader.error)
  }

  #end(error?: TrawlError): void {
    if (this.#over) return
    this.#over = true
    this.#parts.onEnd()
    this.#stopCapacity()
    this.#volume.close()
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    this.#options.destination.flush()
    this.counters.end()
    this.#channel.end(error)
  }
}

/** True where another mirror may well have what this one refused for good. */
function isOfThePlace(error: TrawlError): boolean {
  return error.retry === 'never' && (error.code.startsWith('ERR_HTTP_') || error.code.startsWith('ERR_NET_'))
}

/** The server's version of the file is another, or it does not do ranges: no fault that waiting would mend. */
const startsAnew: ReadonlySet<string> = new Set(['ERR_ENTITY_CHANGED', 'ERR_RANGE_IGNORED'])

/** An order of this run, which finds its task again without a table. */
interface RunOrder extends TransferOrder {
  readonly item: RunningTask
}

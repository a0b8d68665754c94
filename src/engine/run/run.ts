import {
  describeLocator,
  toTrawlError,
  TrawlError,
  type ActiveItem,
  type ItemSelector,
  type JobPatch,
  type JobStats,
  type Outcome,
  type PauseRequest,
  type Progress,
} from '../../core/index.ts'
import type { Lease } from '../governor/index.ts'
import type { TransferCallbacks } from '../transfer/transfer.ts'
import { ActiveTasks } from './active-tasks.ts'
import { AttemptEnd } from './attempt-end.ts'
import { Holds } from './holds.ts'
import { InputReader, maxBacklog } from './input-reader.ts'
import { MirrorChoice } from './mirror-choice.ts'
import { OutcomeChannel } from './outcome-channel.ts'
import { untried, unwanted } from './outcomes.ts'
import { PlaceResolver } from './place-resolver.ts'
import { RetryTimers } from './retry-timers.ts'
import { RunControl } from './run-control.ts'
import { RunCounters } from './run-counters.ts'
import type { RunOptions, RunParts } from './run-options.ts'
import type { RunState } from './run-state.ts'
import { activeItemsOf, hostProgress } from './run-view.ts'
import { newRunningTask, placesOf } from './running-task.ts'
import type { InputTask, TaskInput } from './task-input.ts'
import { TaskQueue, type RunningTask } from './task-queue.ts'
import { createTransferCallbacks, type RunOrder } from './transfer-callbacks.ts'
import { VolumeGuard } from './volume-guard.ts'

/** Tasks whose addresses were asked for and that have not begun: addresses that wait may expire. */
const maxResolvedAhead = 32

/** Files that are put in order at once, and how long the first of them wait for it. */
const smallFirstWindow = 16 * 1024
const gatherMs = 250

/**
 * One run over a stream of tasks: reads them lazily, starts them as leases allow, retries, and gives an outcome for
 * each. Owned by the engine.
 */
export class Run {
  readonly counters: RunCounters
  readonly #state: RunState
  readonly #end: AttemptEnd
  readonly #control: RunControl
  readonly #callbacks: TransferCallbacks
  readonly #reader: InputReader
  readonly #stopCapacity: () => void
  readonly #capacityListeners = new Set<() => void>()
  #over = false
  #pumping = false
  /** With `smallFirst`: the first look at what there is goes on, so that not just the first one starts. */
  #gathering = false

  constructor(parts: RunParts, options: RunOptions) {
    this.counters = new RunCounters(parts.clock)
    this.#state = this.#newState(parts, options)
    this.#end = new AttemptEnd(this.#state)
    this.#control = new RunControl(this.#state, this.#end)
    this.#reader = this.#newReader()
    this.#callbacks = createTransferCallbacks(this.#state, (listen) => {
      this.#capacityListeners.add(listen)
      return () => void this.#capacityListeners.delete(listen)
    })
    this.#stopCapacity = parts.governor.onCapacity(() => {
      this.#state.queue.unblock()
      this.#pump()
    })
    if (options.signal.aborted) this.#stop()
    else options.signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** Starts reading; outcomes come from `batches`. May be called once. */
  start(input: TaskInput): void {
    if (this.#state.options.smallFirst) this.#gather()
    void this.#reader.read(input)
  }

  /** Outcomes as they come. Throws a job-wide error, such as ERR_NO_SPACE after the wait. */
  batches(): AsyncGenerator<readonly Outcome[], void, undefined> {
    return this.#state.channel.batches()
  }

  /** No further tasks are started; the active ones end first. */
  drain(): void {
    this.#stop()
  }

  /** Holds all, a host or an item; what is active stops and keeps its bytes, or goes on with `drain`. */
  pause(which: PauseRequest = {}): void {
    this.#control.pause(which)
  }

  resume(which: ItemSelector = {}): void {
    this.#control.resume(which)
  }

  /** Ends items as unfinished: those that wait at once, active ones too or, with `drain`, when they are done. */
  cancel(which: PauseRequest): void {
    this.#control.cancel(which)
  }

  /** Changes priority, connections or rate of the items that are meant, or of all. */
  update(patch: JobPatch, which?: ItemSelector): void {
    this.#control.update(patch, which)
  }

  /** Takes further tasks, beside those that it still reads. Throws ERR_CANCELLED when the run is over. */
  add(input: TaskInput): void {
    if (this.#over || this.#state.stopping) throw new TrawlError('ERR_CANCELLED', 'this run has ended')
    this.counters.plannedIsFinal = false
    void this.#reader.read(input)
  }

  progress(): Progress {
    const { active, queue, delays, resolving, parts } = this.#state
    this.counters.active = active.size
    this.counters.waiting = queue.size + delays.size + resolving.size + this.#control.aside
    return this.counters.progress(hostProgress(parts.governor))
  }

  activeItems(limit: number): ActiveItem[] {
    return activeItemsOf(this.#state.active.values(), limit)
  }

  stats(): JobStats {
    return this.counters.stats()
  }

  #newState(parts: RunParts, options: RunOptions): RunState {
    const queue = new TaskQueue({ smallFirst: options.smallFirst ?? false })
    const resolving = new PlaceResolver({
      resolver: options.resolver,
      signal: options.signal,
      hasRoom: () => queue.size < maxResolvedAhead,
      onResolved: (item) => {
        queue.add(item)
        this.#pump()
      },
      onFailed: (item, error) => this.#end.unresolved(item, error),
    })
    return {
      parts,
      options,
      resolving,
      mirrors: new MirrorChoice(options),
      counters: this.counters,
      queue,
      delays: new RetryTimers(parts.clock, (item) => {
        if (item.unresolved > 0) resolving.add(item, item.places.length === 0 ? 'first' : 'expired')
        else queue.add(item)
        this.#pump()
      }),
      active: new ActiveTasks(),
      channel: new OutcomeChannel(() => this.#pump()),
      volume: this.#newVolumeGuard(parts, options),
      holds: new Holds(),
      stopping: false,
      fatal: undefined,
      split: undefined,
      pump: () => this.#pump(),
      maybeEnd: () => this.#maybeEnd(),
      endAll: (error) => this.#endAll(error),
    }
  }

  #newVolumeGuard(parts: RunParts, options: RunOptions): VolumeGuard {
    return new VolumeGuard({
      clock: parts.clock,
      waitMs: options.spaceWaitMs,
      freeBytes: () => options.destination.freeBytes(),
      onPause: (path, error) => options.onEvent?.({ type: 'volume.paused', path, error: error.toJSON() }),
      onResume: (path) => {
        options.onEvent?.({ type: 'volume.resumed', path })
        this.#pump()
      },
      onGiveUp: (error) => this.#endAll(error),
    })
  }

  #newReader(): InputReader {
    const { options, queue, delays, resolving, active, channel } = this.#state
    return new InputReader({
      admit: (task) => this.#admit(task),
      waiting: () => queue.size + delays.size + resolving.size,
      isBlocked: () => queue.allBlocked && active.size === 0,
      backlog: () => channel.backlog,
      isStopping: () => this.#state.stopping,
      ...(options.smallFirst ? { window: smallFirstWindow, onFull: () => this.#gathered() } : {}),
      onEnd: (whole) => {
        this.counters.plannedIsFinal = whole
        this.#gathered()
        this.#maybeEnd()
      },
    })
  }

  #admit(task: InputTask): void {
    this.counters.planned++
    if (!('locator' in task)) return this.#end.finish(unwanted(task))
    try {
      const admission = this.#state.options.destination.admit(task)
      if (admission.admit === 'skip') {
        const { reason, path, sizeBytes } = admission
        const named = path === undefined ? {} : { path }
        this.#end.finish({ ...untried(task), status: 'skipped', skipReason: reason, sizeBytes, ...named })
        return
      }
      if (admission.lookedFor) this.counters.reuseChecks++
      const item = newRunningTask(task, admission)
      if (admission.found?.proof === 'digest') this.#end.settle(item)
      else if (task.locator.kind === 'source') this.#state.resolving.add(item, 'first')
      else this.#state.queue.add(item)
    } catch (thrown) {
      const error = toTrawlError(thrown)
      this.#end.finish({ ...untried(task), status: 'failed', error: error.toJSON() })
      return
    }
    this.#pump()
  }

  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    const { queue, holds, parts, mirrors, resolving } = this.#state
    try {
      while (this.#mayStart()) {
        const host = queue.nextHost()
        if (host === undefined) break
        const lease = holds.holdsHost(host) ? undefined : parts.governor.tryAcquire(host)
        if (!lease) {
          queue.block(host)
          continue
        }
        const item = queue.take()
        if (item && this.#isHeld(item)) {
          lease.release({ result: 'cancelled' })
          continue
        }
        if (item && !(item.places.length > 1 && mirrors.reorder(item))) {
          this.#attempt(item, lease)
          continue
        }
        lease.release({ result: 'cancelled' })
        if (item) queue.add(item)
      }
      // Waiting files go first; what they leave is for further connections of active ones.
      for (const listen of this.#capacityListeners) listen()
    } finally {
      this.#pumping = false
    }
    if (resolving.size > 0) resolving.pump()
    this.#reader.wake()
  }

  /** Starts nothing until the input ends, the window is full, or its next piece lets wait. */
  #gather(): void {
    this.#gathering = true
    this.#state.parts.clock.after(gatherMs, () => this.#gathered())
  }

  #gathered(): void {
    if (!this.#gathering) return
    this.#gathering = false
    this.#pump()
  }

  #mayStart(): boolean {
    if (this.#gathering) return false
    const { stopping, holds, volume, parts, channel, active } = this.#state
    if (stopping || holds.all || volume.paused) return false
    const most = parts.executor.properties.maxTransfers
    return channel.backlog <= maxBacklog && (most === undefined || active.size < most)
  }

  #isHeld(item: RunningTask): boolean {
    return (this.#state.holds.selective || item.stop !== undefined) && this.#control.setAside(item)
  }

  #attempt(item: RunningTask, lease: Lease): void {
    const { task } = item
    const { parts, active, split } = this.#state
    item.attempt++
    item.connections = 1
    if (item.startedMs === 0) this.#started(item)
    if (item.places.length > 1) item.attemptStartedMs = parts.clock.now()
    active.add(item)
    item.doneBytes = item.keptBytes
    this.counters.activeBytes += item.keptBytes
    if (item.limitRateBps !== undefined) {
      parts.rateLimiter.limitItem({ host: item.host, itemId: task.id }, item.limitRateBps)
    }
    const order: RunOrder = {
      item,
      task,
      places: placesOf(item),
      mirrored: item.mirrored,
      attempt: item.attempt - 1,
      kept: item.kept,
      split: split === undefined ? item.split : split === 'auto' ? undefined : split,
      transfer: undefined,
    }
    item.order = order
    void parts.executor.execute(order, lease, this.#callbacks).then((result) => this.#end.ended(item, result))
  }

  #started(item: RunningTask): void {
    const { parts, options } = this.#state
    item.startedMs = parts.clock.now()
    if (!options.itemEvents?.()) return
    const { id, ordinal, locator } = item.task
    options.onEvent?.({ type: 'task.started', id, ordinal, input: describeLocator(locator) })
  }

  readonly #onAbort = (): void => {
    this.#stop()
    this.#maybeEnd()
  }

  #endAll(error: TrawlError): void {
    this.#state.fatal ??= error
    this.#stop()
  }

  #stop(): void {
    const state = this.#state
    if (state.stopping) return
    state.stopping = true
    for (const item of this.#control.takeWaiting()) this.#end.unfinished(item)
    this.#pump()
    this.#maybeEnd()
  }

  #maybeEnd(): void {
    const { stopping, active, queue, delays, resolving, fatal } = this.#state
    if (!this.#reader.ended && !stopping) return
    if (active.size > 0 || queue.size > 0 || delays.size > 0) return
    if (resolving.size > 0 || this.#control.aside > 0) return
    this.#close(fatal ?? this.#reader.error)
  }

  #close(error?: TrawlError): void {
    if (this.#over) return
    this.#over = true
    const { parts, options, volume, channel } = this.#state
    parts.onEnd()
    this.#stopCapacity()
    volume.close()
    options.signal.removeEventListener('abort', this.#onAbort)
    options.destination.flush()
    this.counters.end()
    channel.end(error)
  }
}

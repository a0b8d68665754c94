import {
  noProgress,
  noStats,
  toTrawlError,
  TrawlError,
  type ActiveItem,
  type Clock,
  type DownloadEvent,
  type ErrorData,
  type ItemFilter,
  type ItemSelector,
  type JobKind,
  type JobPatch,
  type JobStats,
  type JobStatus,
  type JobWork,
  type Outcome,
  type PauseRequest,
  type Progress,
} from '../core/index.ts'
import { EventLog } from './event-log.ts'
import { JobHolds } from './job-holds.ts'
import type { ScheduleRule } from './schedule.ts'

/** How a job ended. A job never rejects for single items; `error` is what ended all of it. */
export interface JobResult {
  readonly status: JobStatus
  readonly stats: JobStats
  readonly error?: ErrorData
}

/**
 * The handle of one job. Iterating gives its events; `result` settles once and never rejects; leaving an
 * `await using` block cancels what still runs and waits for it.
 */
export interface Job<Input = never> extends AsyncIterable<DownloadEvent>, AsyncDisposable {
  readonly id: string
  readonly kind: string
  readonly status: JobStatus
  readonly result: Promise<JobResult>
  progress(): Progress
  stats(): JobStats
  activeItems(limit: number): readonly ActiveItem[]
  /** Outcomes so far, lazily from the journal, also after the end. */
  items(filter?: ItemFilter): AsyncIterable<Outcome>
  /** With `items: false` only failures are told of single items. */
  onEvent(listen: (event: DownloadEvent) => void, options?: { readonly items: boolean }): () => void
  /**
   * Holds the job, a host or an item. What is active stops and keeps its bytes; with `drain` it goes on to its end.
   */
  pause(which?: PauseRequest): void
  /** Goes on where `pause` stopped; also takes back that a host or an item was cancelled. */
  resume(which?: ItemSelector): void
  /**
   * Changes limits while running: those of connections and rates hold for all jobs of the trawl. With `which`, priority,
   * split and rate of these items alone.
   */
  update(patch: JobPatch, which?: ItemSelector): void
  /** Takes further inputs. Throws ERR_CANCELLED when the job has ended, ERR_USAGE where its kind takes none. */
  add(inputs: Iterable<Input> | AsyncIterable<Input>): void
  /**
   * Ends the job, a host or an item: with `drain` after what is active, else now. State is kept. For the job, resolves
   * when it has ended.
   */
  cancel(options?: PauseRequest): Promise<void>
}

export interface StartJobOptions {
  readonly id: string
  /** Fires to cancel from outside. */
  readonly signal?: AbortSignal
  /** When it may work; always when absent. */
  readonly schedule?: ScheduleRule
  /** The clock of the schedule. */
  readonly clock?: Clock
}

/** Runs a job of any kind. Errors before the start are told by `result`, like later ones. */
export function startJob<Spec>(kind: JobKind<Spec>, spec: Spec, options: StartJobOptions): Job<unknown> {
  return new RunningJob(kind, spec, options)
}

class RunningJob<Spec> implements Job<unknown> {
  readonly id: string
  readonly kind: string
  readonly result: Promise<JobResult>
  readonly #events: EventLog
  readonly #abort = new AbortController()
  readonly #unlink: () => void
  readonly #holds: JobHolds
  #end: JobStatus | undefined
  #work: JobWork | undefined
  #cancelled = false
  /** Asked for before the work was there to be asked. */
  readonly #early: ((work: JobWork) => void)[] = []

  constructor(kind: JobKind<Spec>, spec: Spec, options: StartJobOptions) {
    this.id = options.id
    this.kind = kind.name
    this.#events = new EventLog(() => performance.now())
    const onAbort = (): void => void this.cancel()
    options.signal?.addEventListener('abort', onAbort, { once: true })
    this.#unlink = () => options.signal?.removeEventListener('abort', onAbort)
    this.#holds = new JobHolds({
      rule: options.schedule,
      clock: options.clock,
      emit: (event) => this.#events.emit(event),
      pause: (request) => this.#ask((work) => work.pause(request)),
      resume: () => this.#ask((work) => work.resume()),
    })
    this.result = this.#run(kind, spec)
    if (options.signal?.aborted) onAbort()
  }

  get status(): JobStatus {
    return this.#end ?? (this.#holds.held ? 'paused' : 'running')
  }

  progress(): Progress {
    return this.#work?.progress() ?? noProgress
  }

  stats(): JobStats {
    return this.#work?.stats() ?? noStats
  }

  activeItems(limit: number): readonly ActiveItem[] {
    return this.#work?.activeItems(limit) ?? []
  }

  async *items(filter?: ItemFilter): AsyncIterable<Outcome> {
    if (this.#work) yield* this.#work.items(filter)
  }

  onEvent(listen: (event: DownloadEvent) => void, options?: { readonly items: boolean }): () => void {
    return this.#events.listen(listen, options)
  }

  pause(which: PauseRequest = {}): void {
    if (which.host !== undefined || which.id !== undefined) this.#ask((work) => work.pause(which))
    else if (this.#end === undefined) this.#holds.pause(which)
  }

  resume(which: ItemSelector = {}): void {
    if (which.host !== undefined || which.id !== undefined) this.#ask((work) => work.resume(which))
    else if (this.#end === undefined) this.#holds.resume()
  }

  update(patch: JobPatch, which?: ItemSelector): void {
    this.#ask((work) => work.update(patch, which))
  }

  add(inputs: unknown): void {
    if (this.#cancelled || this.#end !== undefined) {
      throw new TrawlError('ERR_CANCELLED', 'the job has ended; nothing can be added to it')
    }
    if (this.#work && !this.#work.add) throw addsNothing(this.kind)
    this.#ask((work) => work.add?.(inputs))
  }

  async cancel(which: PauseRequest = {}): Promise<void> {
    if (which.host !== undefined || which.id !== undefined) {
      this.#ask((work) => work.cancel(which))
      return
    }
    this.#cancelled = true
    if (which.drain) this.#ask((work) => work.drain())
    else this.#abort.abort(new TrawlError('ERR_CANCELLED', 'the job was cancelled'))
    // Also where it waits for its hour.
    if (!this.#work) this.#holds.close()
    await this.result
  }

  [Symbol.asyncIterator](): AsyncIterator<DownloadEvent> {
    return this.#events.read()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end === undefined) await this.cancel()
    await this.result
  }

  /** Asks the work, or does so when it has started. */
  #ask(wish: (work: JobWork) => void): void {
    if (this.#work) wish(this.#work)
    else if (this.#end === undefined) this.#early.push(wish)
  }

  async #run(kind: JobKind<Spec>, spec: Spec): Promise<JobResult> {
    // Readers that subscribe in the same turn see the whole job.
    await Promise.resolve()
    this.#events.emit({ type: 'job.started', jobId: this.id, kind: this.kind })
    let error: TrawlError | undefined
    try {
      await this.#holds.start()
      // Cancelled before anything was opened: then nothing is.
      if (this.#cancelled) return this.#finish(undefined)
      const work = await kind.run(spec, {
        emit: (event) => this.#events.emit(event),
        wantsItemEvents: () => this.#events.itemsAreRead,
        signal: this.#abort.signal,
      })
      this.#work = work
      for (const wish of this.#early.splice(0)) wish(work)
      await work.done
    } catch (thrown) {
      error = toTrawlError(thrown)
    }
    return this.#finish(error)
  }

  #finish(error: TrawlError | undefined): JobResult {
    this.#unlink()
    const stats = this.stats()
    const status = this.#endStatus(stats, error)
    this.#end = status
    this.#holds.close()
    const data = error?.code === 'ERR_CANCELLED' ? undefined : error?.toJSON()
    const result: JobResult = { status, stats, ...(data ? { error: data } : {}) }
    this.#events.emit({ type: 'job.finished', ...result })
    return result
  }

  #endStatus(stats: JobStats, error: TrawlError | undefined): JobStatus {
    if (error && error.code !== 'ERR_CANCELLED') return 'failed'
    if (error || this.#cancelled) return 'cancelled'
    return stats.failed > 0 || stats.unfinished > 0 ? 'partial' : 'done'
  }
}

function addsNothing(kind: string): TrawlError {
  return new TrawlError('ERR_USAGE', `a job of the kind ${kind} takes no further inputs`, {
    hint: 'Start another job of the same trawl for them: limits hold for both.',
  })
}

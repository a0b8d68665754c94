import type { Clock, DownloadEvent, JobStats } from '../../core/index.ts'
import type { JobView, Output, Renderer } from './renderer.ts'
import { startTicker } from './ticker.ts'

const defaultPeriodMs = 1000
const mostItems = 20
const defaultKeptEvents = 10_000

export interface JsonRendererOptions {
  readonly output: Output
  readonly clock: Clock
  /** Shortest time between two lines of progress; default 1 s. */
  readonly periodMs?: number
  /** Events kept for a slow reader before item events are dropped; default 10,000. */
  readonly maxKeptEvents?: number
}

type ProgressEvent = Extract<DownloadEvent, { type: 'progress' }>

/**
 * Events as JSON lines. Progress is coalesced to one line a second, made from the counters where the job sends none;
 * such a line has the `seq` of the event before it. While the reader is slow, progress is left out and events wait;
 * beyond a bound those of items are dropped and told as a `gap`, those of the job never.
 */
export function createJsonRenderer(options: JsonRendererOptions): Renderer {
  const lines = new EventLines(options.output, options.maxKeptEvents ?? defaultKeptEvents)
  let undo: (() => void)[] = []
  let state: 'new' | 'running' | 'stopped' = 'new'
  let latest: ProgressEvent | undefined
  let seq = 0
  let atMs = 0

  const flushProgress = (): void => {
    if (latest !== undefined) lines.write(latest)
    latest = undefined
  }
  const onEvent = (event: DownloadEvent): void => {
    seq = event.seq
    atMs = event.atMs
    if (event.type === 'progress') {
      latest = event
      return
    }
    if (event.type === 'job.finished') flushProgress()
    lines.write(event)
  }

  return {
    start(view: JobView): void {
      if (state !== 'new') return
      state = 'running'
      const startedMs = options.clock.now()
      const tick = (): void => {
        latest ??= {
          type: 'progress',
          seq,
          atMs: Math.max(atMs, Math.round(options.clock.now() - startedMs)),
          progress: view.progress(),
          items: view.activeItems(mostItems),
        }
        flushProgress()
      }
      undo = [
        view.onEvent(onEvent),
        startTicker(options.clock, options.periodMs ?? defaultPeriodMs, tick),
        lines.listen(),
      ]
    },
    // Programs have the events of the job.
    say(): void {},
    stop(_stats?: JobStats): void {
      if (state === 'stopped') return
      state = 'stopped'
      for (const end of undo) end()
      flushProgress()
      lines.finish()
    },
  }
}

/** Lines to a reader that may be slow. */
class EventLines {
  readonly #output: Output
  readonly #maxKept: number
  #kept: DownloadEvent[] = []
  #isSlow = false
  #missed = 0
  #lastSeq = 0
  #lastAtMs = 0

  constructor(output: Output, maxKept: number) {
    this.#output = output
    this.#maxKept = maxKept
  }

  listen(): () => void {
    return this.#output.onDrain?.(() => this.#drain()) ?? (() => {})
  }

  write(event: DownloadEvent): void {
    // An output that tells no drain is one that never lags.
    if (!this.#isSlow || this.#output.onDrain === undefined) this.#send(event)
    else if (event.type === 'progress') return
    else if (!event.type.startsWith('task.') || this.#kept.length < this.#maxKept) this.#kept.push(event)
    else this.#missed++
  }

  /** Hands everything over: the output keeps what its reader has not taken. */
  finish(): void {
    for (const event of this.#kept) this.#send(event)
    this.#kept = []
    this.#tellGap()
  }

  #drain(): void {
    this.#isSlow = false
    let sent = 0
    for (const event of this.#kept) {
      if (this.#isSlow) break
      this.#send(event)
      sent++
    }
    this.#kept.splice(0, sent)
    if (this.#kept.length === 0) this.#tellGap()
  }

  #tellGap(): void {
    if (this.#missed === 0) return
    const missed = this.#missed
    this.#missed = 0
    this.#send({ type: 'gap', missed, seq: this.#lastSeq, atMs: this.#lastAtMs })
  }

  #send(event: DownloadEvent): void {
    this.#lastSeq = event.seq
    this.#lastAtMs = event.atMs
    this.#isSlow = !this.#output.write(`${JSON.stringify(event)}\n`)
  }
}

import type { DownloadEvent, DownloadEventBody } from '../core/index.ts'

/** Item events that a slow reader may have before it, beyond which they are dropped and a gap is told. */
const mostItemEvents = 1000

/**
 * Numbers the events of one job and hands them to its readers. Each reader has its own bounded queue: job, host
 * and phase events are never dropped, item events are when the reader lags. Nothing is kept for nobody.
 */
export class EventLog {
  readonly #now: () => number
  readonly #listeners = new Map<(event: DownloadEvent) => void, { readonly items: boolean }>()
  readonly #startedMs: number
  #seq = 0
  #ended: DownloadEvent | undefined

  constructor(now: () => number) {
    this.#now = now
    this.#startedMs = now()
  }

  /** True while somebody reads the events of single items. */
  get itemsAreRead(): boolean {
    for (const { items } of this.#listeners.values()) if (items) return true
    return false
  }

  emit(body: DownloadEventBody): void {
    this.#seq++
    const isEnd = body.type === 'job.finished'
    if (this.#listeners.size === 0 && !isEnd) return
    const event: DownloadEvent = { ...body, seq: this.#seq, atMs: Math.round(this.#now() - this.#startedMs) }
    if (isEnd) this.#ended = event
    for (const listen of this.#listeners.keys()) tell(listen, event)
  }

  /** With `items: false` only failures are told of single items: a job of millions then costs no events. */
  listen(
    listen: (event: DownloadEvent) => void,
    options: { readonly items: boolean } = { items: true },
  ): () => void {
    this.#listeners.set(listen, options)
    return () => void this.#listeners.delete(listen)
  }

  /** Events from now on until the job has finished. Leaving the loop ends the subscription. */
  async *read(): AsyncGenerator<DownloadEvent, void, undefined> {
    if (this.#ended) {
      yield this.#ended
      return
    }
    const queue: DownloadEvent[] = []
    let itemEvents = 0
    let missed = 0
    let wake: (() => void) | undefined
    const stop = this.listen((event) => {
      if (isItemEvent(event)) {
        if (itemEvents >= mostItemEvents) {
          missed++
          return
        }
        itemEvents++
      }
      queue.push(event)
      wake?.()
    })
    try {
      for (;;) {
        for (const event of queue.splice(0)) {
          if (isItemEvent(event)) itemEvents--
          if (event.type !== 'job.finished') {
            yield event
            continue
          }
          // Nobody reads on behind the end.
          if (missed > 0) yield this.#gap(missed)
          yield event
          return
        }
        if (missed > 0) {
          const gap = this.#gap(missed)
          missed = 0
          yield gap
        } else if (queue.length === 0) {
          await new Promise<void>((resolve) => (wake = resolve))
        }
      }
    } finally {
      stop()
    }
  }

  #gap(missed: number): DownloadEvent {
    return { type: 'gap', missed, seq: this.#seq, atMs: Math.round(this.#now() - this.#startedMs) }
  }
}

/** A listener that throws is a mistake of its program, told there; the job must not stumble over it. */
function tell(listen: (event: DownloadEvent) => void, event: DownloadEvent): void {
  try {
    listen(event)
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

function isItemEvent(event: DownloadEvent): boolean {
  return event.type.startsWith('task.') || event.type === 'progress'
}

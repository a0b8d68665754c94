import type {
  ActiveItem,
  Clock,
  DownloadEvent,
  DownloadEventBody,
  JobStats,
  Outcome,
  Progress,
} from '../../../src/core/index.ts'
import type { JobView, Output } from '../../../src/cli/render/index.ts'

/** A clock that goes on only when told. */
export class FakeClock implements Clock {
  #nowMs = 0
  #timers: { atMs: number; run: () => void }[] = []

  now(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, run }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  advance(byMs: number): void {
    const endMs = this.#nowMs + byMs
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0]
      if (next === undefined || next.atMs > endMs) break
      this.#timers = this.#timers.filter((other) => other !== next)
      this.#nowMs = next.atMs
      next.run()
    }
    this.#nowMs = endMs
  }
}

/** A job whose counters and events a test sets. */
export class FakeJob implements JobView {
  counters: Progress = progressOf({})
  items: ActiveItem[] = []
  readonly listeners = new Set<(event: DownloadEvent) => void>()
  #seq = 0

  progress(): Progress {
    return this.counters
  }

  activeItems(limit: number): readonly ActiveItem[] {
    return this.items.slice(0, limit)
  }

  onEvent(listen: (event: DownloadEvent) => void): () => void {
    this.listeners.add(listen)
    return () => this.listeners.delete(listen)
  }

  emit(body: DownloadEventBody): void {
    this.#seq++
    for (const listen of this.listeners) listen({ seq: this.#seq, atMs: this.#seq * 10, ...body })
  }

  fail(ordinal: number, message = 'the server answered 404'): void {
    this.emit({ type: 'task.finished', outcome: failure(ordinal, message) })
  }
}

/** An output that keeps what it got. */
export class FakeOutput implements Output {
  text = ''
  ready = true
  readonly #listeners = new Set<() => void>()

  write(text: string): boolean {
    this.text += text
    return this.ready
  }

  onDrain(listen: () => void): () => void {
    this.#listeners.add(listen)
    return () => this.#listeners.delete(listen)
  }

  drain(): void {
    this.ready = true
    for (const listen of this.#listeners) listen()
  }

  get lines(): string[] {
    return this.text.split('\n').slice(0, -1)
  }
}

export function failure(ordinal: number, message: string): Outcome {
  return {
    id: `id-${ordinal}`,
    ordinal,
    status: 'failed',
    input: `https://example.org/${ordinal}.bin`,
    sizeBytes: 0,
    fetchedBytes: 0,
    durationMs: 5,
    attempts: 1,
    error: { code: 'ERR_NO_SPACE', message, hint: 'try another address' },
  }
}

export function progressOf(given: Partial<Progress>): Progress {
  return {
    planned: 0,
    plannedIsFinal: true,
    ok: 0,
    skipped: 0,
    failed: 0,
    active: 0,
    waiting: 0,
    doneBytes: 0,
    fetchedBytes: 0,
    knownBytes: 0,
    speedBps: 0,
    elapsedMs: 0,
    hosts: [],
    ...given,
  }
}

export function statsOf(given: Partial<JobStats>): JobStats {
  return {
    planned: 0,
    ok: 0,
    skipped: 0,
    failed: 0,
    unfinished: 0,
    sizeBytes: 0,
    fetchedBytes: 0,
    durationMs: 0,
    meanSpeedBps: 0,
    retries: 0,
    failures: {},
    ...given,
  }
}

export function item(id: string, given: Partial<ActiveItem> = {}): ActiveItem {
  return { id, name: `${id}.bin`, doneBytes: 0, connections: 1, ...given }
}

import type { Clock } from '../../src/core/index.ts'

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #wallMs: number
  readonly #timers = new Set<{ readonly atMs: number; readonly run: () => void }>()

  /** `start` is local time, such as `2026-03-02T21:30`. */
  constructor(start: string) {
    this.#wallMs = new Date(start).getTime()
  }

  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#wallMs
  }

  wallMs(): number {
    return this.#wallMs
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#wallMs + delayMs, run }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** Moves on to a local time; what is due on the way runs at its time. */
  moveTo(time: string): void {
    const endMs = new Date(time).getTime()
    for (;;) {
      const due = [...this.#timers].filter(({ atMs }) => atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0]
      if (!due) break
      this.#timers.delete(due)
      this.#wallMs = Math.max(this.#wallMs, due.atMs)
      due.run()
    }
    this.#wallMs = endMs
  }
}

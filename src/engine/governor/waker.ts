import type { Clock } from '../../core/index.ts'

/** One timer for many waits: fires at the earliest moment asked for. */
export class Waker {
  readonly #clock: Clock
  readonly #fire: () => void
  #atMs = Infinity
  #cancel: (() => void) | undefined

  constructor(clock: Clock, fire: () => void) {
    this.#clock = clock
    this.#fire = fire
  }

  wakeAt(atMs: number, nowMs: number): void {
    if (atMs >= this.#atMs) return
    this.#cancel?.()
    this.#atMs = atMs
    this.#cancel = this.#clock.after(Math.max(0, Math.ceil(atMs - nowMs)), () => {
      this.clear()
      this.#fire()
    })
  }

  clear(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#atMs = Infinity
  }
}

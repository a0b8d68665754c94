import type { Outcome } from '../../core/index.ts'

/** Carries outcomes from the run to the one reader of it; the run stops starting work when the reader lags. */
export class OutcomeChannel {
  #items: Outcome[] = []
  #ended = false
  #error: unknown
  #wake: (() => void) | undefined
  readonly #onRead: () => void

  constructor(onRead: () => void) {
    this.#onRead = onRead
  }

  get backlog(): number {
    return this.#items.length
  }

  push(outcome: Outcome): void {
    this.#items.push(outcome)
    this.#signal()
  }

  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    this.#error = error
    this.#signal()
  }

  /** All outcomes, a batch at a time, until the end; throws what the run ended with. */
  async *batches(): AsyncGenerator<readonly Outcome[], void, undefined> {
    for (;;) {
      if (this.#items.length > 0) {
        const batch = this.#items
        this.#items = []
        this.#onRead()
        yield batch
      } else if (this.#ended) {
        if (this.#error !== undefined) throw this.#error
        return
      } else {
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    }
  }

  /** Wakes the reader once for all that comes in this turn of the event loop. */
  #signal(): void {
    const wake = this.#wake
    if (!wake) return
    this.#wake = undefined
    setImmediate(wake)
  }
}

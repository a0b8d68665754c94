/** What looks at itself from time to time. */
export interface Watched {
  /** `grace` is true when this process was held up, so that silence says nothing. */
  look(nowMs: number, grace: boolean): void
}

const everyMs = 250

/**
 * Looks at all connections four times a second: one timer for thousands of waits, where a timer for each would cost
 * as much as the request. Does not hold the process open.
 */
export class ConnectionWatch {
  readonly #watched = new Set<Watched>()
  #timer: NodeJS.Timeout | undefined
  #lastMs = 0

  add(watched: Watched): void {
    this.#watched.add(watched)
    if (this.#timer !== undefined) return
    this.#lastMs = performance.now()
    this.#timer = setInterval(() => this.#look(), everyMs)
    this.#timer.unref()
  }

  remove(watched: Watched): void {
    this.#watched.delete(watched)
    if (this.#watched.size > 0 || this.#timer === undefined) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #look(): void {
    const nowMs = performance.now()
    const grace = nowMs - this.#lastMs > 4 * everyMs
    this.#lastMs = nowMs
    for (const watched of this.#watched) watched.look(nowMs, grace)
  }
}

const shrinkForMs = 60_000

/** The ceiling over all hosts, and its halving while the process runs out of files or memory. */
export class TotalLimit {
  #wanted: number
  #shrunk = Infinity
  #shrunkUntilMs = 0

  constructor(total: number | 'auto') {
    this.#wanted = total === 'auto' ? Infinity : Math.max(1, total)
  }

  set(total: number | 'auto'): void {
    this.#wanted = total === 'auto' ? Infinity : Math.max(1, total)
  }

  now(nowMs: number): number {
    if (nowMs >= this.#shrunkUntilMs) return this.#wanted
    return Math.min(this.#wanted, this.#shrunk)
  }

  /** When a shrunken ceiling is lifted; 0 when it is not shrunken. */
  liftedAtMs(nowMs: number): number {
    return nowMs < this.#shrunkUntilMs ? this.#shrunkUntilMs : 0
  }

  /** Halves what is active now, for a minute. Reports that come together count once. */
  shrink(active: number, nowMs: number): number {
    const since = this.#shrunkUntilMs - shrinkForMs
    if (nowMs - since < 1000) return this.#shrunk
    this.#shrunk = Math.max(1, Math.floor(Math.min(active, this.now(nowMs)) / 2))
    this.#shrunkUntilMs = nowMs + shrinkForMs
    return this.#shrunk
  }
}

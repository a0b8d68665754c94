/** The least speed of a transfer, and over which time it is measured. */
export interface MinSpeed {
  readonly bytesPerSecond: number
  readonly windowMs: number
}

/** Watches whether a transfer stays above its least speed. Time comes with each call. */
export class SpeedFloor {
  readonly #floor: MinSpeed
  #sinceMs: number
  #bytes = 0

  constructor(floor: MinSpeed, nowMs: number) {
    this.#floor = floor
    this.#sinceMs = nowMs
  }

  received(bytes: number): void {
    this.#bytes += bytes
  }

  /** Something of our own held the transfer back: the window starts anew. */
  excuse(nowMs: number): void {
    this.#sinceMs = nowMs
    this.#bytes = 0
  }

  /** True when a whole window was too slow. */
  isTooSlow(nowMs: number): boolean {
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs < this.#floor.windowMs) return false
    const slow = this.#bytes * 1000 < this.#floor.bytesPerSecond * elapsedMs
    this.excuse(nowMs)
    return slow
  }
}

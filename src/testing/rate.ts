/** A flow of so many bytes a second that several writers may share. */
export class Rate {
  readonly bytesPerSecond: number
  #freeAtMs = 0

  constructor(bytesPerSecond: number) {
    this.bytesPerSecond = bytesPerSecond
  }

  /** The largest piece to write at once, so that the flow is even: a fiftieth of a second, at least one byte. */
  get pieceBytes(): number {
    return Math.max(1, Math.floor(this.bytesPerSecond / 50))
  }

  /** Waits until `bytes` may be written; undefined when they may at once. */
  take(bytes: number): Promise<void> | undefined {
    const now = performance.now()
    const start = Math.max(now, this.#freeAtMs)
    this.#freeAtMs = start + (bytes * 1000) / this.bytesPerSecond
    const waitMs = start - now
    return waitMs < 1 ? undefined : new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

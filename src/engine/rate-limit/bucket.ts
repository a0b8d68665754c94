const creditMs = 50
const creditBytes = 64 * 1024

/**
 * A token bucket kept as a moment: when all that was charged has been paid for (the virtual scheduling of GCRA,
 * ITU-T I.371). A moment in the future is a debt. An idle bucket saves up 50 ms or 64 KiB, whichever is more: what a
 * late timer or a level below lost is caught up with, and no more. A new one has nothing saved.
 */
export class Bucket {
  #bps: number
  #creditMs: number
  #paidAtMs: number

  /** `bps` is bytes per second; Infinity charges nothing. */
  constructor(bps: number, nowMs: number) {
    this.#bps = bps
    this.#creditMs = creditOf(bps)
    this.#paidAtMs = nowMs
  }

  /** Charges bytes that have arrived and gives how long it takes to pay for them and for all before. */
  charge(bytes: number, nowMs: number): number {
    if (this.#bps === Infinity) return 0
    this.#paidAtMs = Math.max(this.#paidAtMs, nowMs - this.#creditMs) + (bytes * 1000) / this.#bps
    return Math.max(0, this.#paidAtMs - nowMs)
  }

  debtMs(nowMs: number): number {
    return this.#bps === Infinity ? 0 : Math.max(0, this.#paidAtMs - nowMs)
  }

  /** Nothing is owed and no more can be saved: it may be forgotten. */
  full(nowMs: number): boolean {
    return this.#bps === Infinity || this.#paidAtMs <= nowMs - this.#creditMs
  }

  /** Changes the rate; debt and savings in bytes stay the same. Gives by how much waits for this bucket stretch. */
  setBps(bps: number, nowMs: number): number {
    if (bps === this.#bps) return 1
    const wasInfinite = this.#bps === Infinity
    const stretch = bps === Infinity ? 0 : wasInfinite ? 1 : this.#bps / bps
    this.#paidAtMs = nowMs + (wasInfinite ? 0 : (this.#paidAtMs - nowMs) * stretch)
    this.#bps = bps
    this.#creditMs = creditOf(bps)
    return stretch
  }
}

function creditOf(bps: number): number {
  return Math.max(creditMs, (creditBytes * 1000) / bps)
}

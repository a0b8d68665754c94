/** Bytes a second over the last seconds: a ring of short buckets, so that it neither jumps nor remembers for ever. */
export class SpeedMeter {
  readonly #buckets = new Float64Array(20)
  readonly #bucketMs = 250
  #current = 0
  #startedMs: number

  constructor(nowMs: number) {
    this.#startedMs = nowMs
  }

  add(count: number, nowMs: number): void {
    this.#advance(nowMs)
    const slot = this.#current % this.#buckets.length
    this.#buckets[slot] = (this.#buckets[slot] ?? 0) + count
  }

  bytesPerSecond(nowMs: number): number {
    this.#advance(nowMs)
    let sum = 0
    for (const bucket of this.#buckets) sum += bucket
    const spanMs = Math.min(nowMs - this.#startedMs, this.#buckets.length * this.#bucketMs)
    return spanMs <= 0 ? 0 : (sum * 1000) / spanMs
  }

  #advance(nowMs: number): void {
    const target = Math.floor((nowMs - this.#startedMs) / this.#bucketMs)
    const steps = Math.min(target - this.#current, this.#buckets.length)
    for (let step = 1; step <= steps; step++) {
      this.#buckets[(target - steps + step) % this.#buckets.length] = 0
    }
    if (target > this.#current) this.#current = target
  }
}

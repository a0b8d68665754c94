const unknownBytes = 64 * 1024
const leastBytes = 4 * 1024
const mostBytes = 4 * 1024 * 1024
const enoughSamples = 8
const decay = 63 / 64

/**
 * What a request is worth beside its bytes: the bytes that a connection could have carried in the time it waited
 * for the headers. With it, work is what a connection gets done in its time, whatever the sizes: lists of small
 * files count by the request, bulk by the byte, and a mix does not look faster when its smaller files come.
 */
export class RequestWorth {
  #waitMs = 0
  #bodyMs = 0
  #bytes = 0
  #samples = 0

  /** A request has finished. */
  add(waitMs: number, bodyMs: number, bytes: number): void {
    this.#waitMs = this.#waitMs * decay + waitMs
    this.#bodyMs = this.#bodyMs * decay + bodyMs
    this.#bytes = this.#bytes * decay + bytes
    this.#samples++
  }

  get bytes(): number {
    if (this.#samples < enoughSamples) return unknownBytes
    const worth =
      (this.#waitMs * this.#bytes) / (Math.max(this.#bodyMs, 1e-6) * Math.max(1, this.#samplesHeld))
    return Math.min(mostBytes, Math.max(leastBytes, worth))
  }

  /** Samples that the decayed sums stand for. */
  get #samplesHeld(): number {
    return (1 - decay ** this.#samples) / (1 - decay)
  }
}

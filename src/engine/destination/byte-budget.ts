/**
 * Bytes that may be in memory at once. Bodies ask before they are kept and give back when nobody needs them any more;
 * what asks while the budget is spent waits its turn.
 */
export class ByteBudget {
  readonly #limitBytes: number
  #usedBytes = 0
  readonly #waiting: { readonly sizeBytes: number; readonly resolve: () => void }[] = []
  readonly #listeners = new Set<() => void>()
  #wasFull = false

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** True while nothing new should be started. */
  get isFull(): boolean {
    const full = this.#waiting.length > 0 || this.#usedBytes >= this.#limitBytes
    this.#wasFull ||= full
    return full
  }

  /** Books the bytes, or gives a promise to wait for. Something larger than the whole budget gets it alone. */
  take(sizeBytes: number): void | Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(sizeBytes)) {
      this.#usedBytes += sizeBytes
      return undefined
    }
    return new Promise((resolve) => this.#waiting.push({ sizeBytes, resolve }))
  }

  /** Books the bytes in any case: for what grows and holds bytes already, which waiting could lock up for ever. */
  force(sizeBytes: number): void {
    this.#usedBytes += sizeBytes
  }

  giveBack(sizeBytes: number): void {
    this.#usedBytes -= sizeBytes
    for (let next = this.#waiting[0]; next && this.#fits(next.sizeBytes); next = this.#waiting[0]) {
      this.#waiting.shift()
      this.#usedBytes += next.sizeBytes
      next.resolve()
    }
    // Starting again only at half the limit: one wake-up for many bodies, not one for each.
    if (!this.#wasFull || this.#waiting.length > 0 || this.#usedBytes > this.#limitBytes / 2) return
    this.#wasFull = false
    for (const listen of this.#listeners) listen()
  }

  /** Called when there is room again after `isFull` was true; the returned function ends that. */
  onRoom(listen: () => void): () => void {
    this.#listeners.add(listen)
    return () => void this.#listeners.delete(listen)
  }

  #fits(sizeBytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + sizeBytes <= this.#limitBytes
  }
}

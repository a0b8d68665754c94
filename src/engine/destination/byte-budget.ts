/** Blocks that nobody uses are kept up to so many bytes. */
const freeBlockBytes = 24 * 1024 * 1024
const smallestBlockBytes = 16 * 1024
const largestBlockBytes = 2 * 1024 * 1024

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
  /** Blocks to be used again, by their length: new memory for each body would cost more than its bytes. */
  readonly #free = new Map<number, Buffer[]>()
  #freeBytes = 0

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

  /** A block of at least so many bytes, with anything in it. Booked by `take`, not here. */
  block(sizeBytes: number): Buffer {
    const length = blockLength(sizeBytes)
    const block = this.#free.get(length)?.pop()
    if (!block) return Buffer.allocUnsafeSlow(length)
    this.#freeBytes -= length
    return block
  }

  /** `block` must not be looked at any more. */
  giveBack(sizeBytes: number, block?: Buffer): void {
    if (block) this.#keep(block)
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

  #keep(block: Buffer): void {
    const { length } = block
    if (length > largestBlockBytes || this.#freeBytes + length > freeBlockBytes) return
    const free = this.#free.get(length)
    if (free) free.push(block)
    else this.#free.set(length, [block])
    this.#freeBytes += length
  }

  #fits(sizeBytes: number): boolean {
    return this.#usedBytes === 0 || this.#usedBytes + sizeBytes <= this.#limitBytes
  }
}

/** Lengths of blocks: powers of two and one and a half times those, so that few lengths serve all. */
function blockLength(sizeBytes: number): number {
  if (sizeBytes > largestBlockBytes) return sizeBytes
  let length = smallestBlockBytes
  while (length < sizeBytes) length *= 2
  const between = (length / 4) * 3
  return between >= sizeBytes && between >= smallestBlockBytes ? between : length
}

/** What one read of a socket may bring. */
const readBytes = 64 * 1024
const slabBytes = 1024 * 1024
/** And of a long body: more at once would be charged to a rate limit in lumps. */
const windowBytes = 128 * 1024

/**
 * The buffer that all plain sockets of the process read into: a read is over before the next begins. A buffer for each
 * read, as Node makes them, costs an allocation of 64 KiB for a file of a few.
 */
export const receiveBuffer: Buffer = Buffer.allocUnsafeSlow(readBytes)

/** A copy that stays, of just its length: one in a slab that many share would keep all of it alive. */
export function keepBytes(buffer: Buffer, start: number, end: number): Buffer {
  const kept = Buffer.allocUnsafeSlow(end - start)
  buffer.copy(kept, 0, start, end)
  return kept
}

/** Buffers for a long body, read into directly: what is received is handed out without a copy. */
export class ReceiveWindow {
  #slab: Buffer | undefined
  #used = 0

  /** Where the next read goes. */
  next(): Buffer {
    if (this.#slab === undefined || slabBytes - this.#used < readBytes) {
      this.#slab = Buffer.allocUnsafeSlow(slabBytes)
      this.#used = 0
    }
    return this.#slab.subarray(this.#used, this.#used + windowBytes)
  }

  /** So many bytes of the last buffer are taken. */
  take(count: number): void {
    this.#used = (this.#used + count + 7) & ~7
  }
}

import { closeSlab, takeSlab, type Slab } from '../../core/index.ts'

/** What one read of a socket may bring. */
const readBytes = 64 * 1024
/** And of a long body, */
const windowBytes = 128 * 1024
/** or of one that comes faster than it is taken. */
const mostWindowBytes = 256 * 1024
/** In so many full reads a consumer that is slower would have paused the connection. */
const readsToGrow = 4

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
  #slab: Slab | undefined
  #used = 0
  #bytes = windowBytes
  /** Reads that filled their buffer, since it became what it is. */
  #fullReads = 0

  /** Where the next read goes. */
  next(): Buffer {
    if (this.#slab === undefined || this.#slab.bytes.length - this.#used < readBytes) {
      this.close()
      this.#slab = takeSlab()
    }
    return this.#slab.bytes.subarray(this.#used, this.#used + this.#bytes)
  }

  /** So many bytes of the last buffer are taken. */
  take(count: number): void {
    this.#used = (this.#used + count + 7) & ~7
    if (count < this.#bytes || ++this.#fullReads < readsToGrow) return
    this.#fullReads = 0
    this.#bytes = Math.min(2 * this.#bytes, mostWindowBytes)
  }

  /** Reads small pieces again: those who wait for a rate limit would be charged in lumps. */
  shrink(): void {
    this.#bytes = windowBytes
    this.#fullReads = 0
  }

  /** So many of them were handed out, and may be given back. */
  lend(count: number): void {
    if (this.#slab) this.#slab.outBytes += count
  }

  /** No more reads. */
  close(): void {
    if (this.#slab) closeSlab(this.#slab)
    this.#slab = undefined
    this.#used = 0
  }
}

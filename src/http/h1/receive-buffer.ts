/** What one read of a socket may bring. */
const readBytes = 64 * 1024
const slabBytes = 1024 * 1024

/**
 * The buffer that all plain sockets of the process read into: a read is over before the next begins. A buffer for each
 * read, as Node makes them, costs an allocation of 64 KiB for a file of a few.
 */
export const receiveBuffer: Buffer = Buffer.allocUnsafeSlow(readBytes)

let slab = Buffer.allocUnsafeSlow(slabBytes)
let used = 0

/** A copy that stays, in a slab that many share. Keeping it keeps the slab: a mebibyte. */
export function keepBytes(buffer: Buffer, start: number, end: number): Buffer {
  const length = end - start
  if (used + length > slabBytes) {
    slab = Buffer.allocUnsafeSlow(slabBytes)
    used = 0
  }
  const from = used
  // Aligned, so that later copies are quick.
  used = (used + length + 7) & ~7
  buffer.copy(slab, from, start, end)
  return slab.subarray(from, from + length)
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
    return this.#slab.subarray(this.#used)
  }

  /** So many bytes of the last buffer are taken. */
  take(count: number): void {
    this.#used = (this.#used + count + 7) & ~7
  }
}

import { read, readSync } from 'node:fs'
import { promisify } from 'node:util'

const readAt = promisify(read)

/** A read in the event loop that takes longer shows a disk that does not answer at once. */
const slowMs = 4
/** So many reads go through threads after a slow one. */
const cautiousReads = 64

/**
 * Reads in the event loop as long as that is quick, which it is from the memory of the system, and through threads
 * for a while after a read that was slow. Going through a thread costs more than the read of a page in memory.
 */
export class QuickReader {
  #cautious = 0

  /** Up to `length` bytes at `position` into `into` from `offset` on; 0 at the end of the file. */
  async read(
    fd: number,
    into: Buffer,
    place: { readonly offset: number; readonly length: number; readonly position: number },
  ): Promise<number> {
    if (this.#cautious > 0) {
      this.#cautious--
      return (await readAt(fd, into, place.offset, place.length, place.position)).bytesRead
    }
    const started = performance.now()
    const count = readSync(fd, into, place.offset, place.length, place.position)
    if (performance.now() - started > slowMs) this.#cautious = cautiousReads
    return count
  }
}

import { readSync } from 'node:fs'

/**
 * Fills a buffer from a place of a file; gives how many bytes there are of it, fewer than its length at the end of the
 * file. Throws what the system says.
 */
export function readUpTo(fd: number, into: Uint8Array, position: number): number {
  let done = 0
  while (done < into.length) {
    const count = readSync(fd, into, done, into.length - done, position + done)
    if (count === 0) break
    done += count
  }
  return done
}

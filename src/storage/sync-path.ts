import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Forces the bytes of a file, or the names in a folder, to disk. Throws what the system says. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

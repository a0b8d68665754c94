import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Forces the names in a folder to disk. Throws what the system says. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

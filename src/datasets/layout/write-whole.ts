import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { publish, storageError, type Durability } from '../../storage/index.ts'

/** A name beside the final one, which no reader takes for a shard. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`)
}

/** Writes a small file under a temporary name and renames it: it is there whole or not at all. Throws storage errors. */
export function writeWhole(path: string, text: string, durability: Durability): void {
  const temporary = temporaryPath(path)
  try {
    const fd = openSync(temporary, 'w')
    try {
      writeSync(fd, text)
      if (durability !== 'none') fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    rmSync(temporary, { force: true })
    throw storageError(error, { path: temporary, doing: 'write' })
  }
  publish(temporary, path, { replace: true, durability })
}

import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { publish, storageError, type Durability } from '../../storage/index.ts'

/** A name beside the final one, which no reader takes for a shard. */
export function temporaryPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.tmp`)
}

/** Writes a small file and returns its length; with `sync` it is on the medium. Throws storage errors. */
export function writeTemporary(
  path: string,
  text: string,
  options: { readonly sync?: boolean } = {},
): number {
  const bytes = Buffer.from(text)
  try {
    const fd = openSync(path, 'w')
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
      if (options.sync === true) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    rmSync(path, { force: true })
    throw storageError(error, { path, doing: 'write' })
  }
  return bytes.length
}

/** Writes a small file under a temporary name and renames it: it is there whole or not at all. Throws storage errors. */
export function writeWhole(path: string, text: string, durability: Durability): void {
  const temporary = temporaryPath(path)
  writeTemporary(temporary, text, { sync: durability !== 'none' })
  publish(temporary, path, { replace: true, durability })
}

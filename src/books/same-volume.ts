import { cpSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { storageError, syncPath } from '../storage/index.ts'

/**
 * Hands `use` a path of what was made on the volume of its final place: the path itself where it lies there already, else
 * that of a copy beside the final place, which is gone afterwards. The folder of the final place must be there. Throws
 * storage errors, and what `use` throws.
 */
export function onSameVolume(made: string, final: string, use: (path: string) => void): void {
  const folder = dirname(final)
  if (statSync(made).dev === statSync(folder).dev) return use(made)
  const copy = join(folder, `.${basename(final)}.trawl`)
  try {
    try {
      rmSync(copy, { recursive: true, force: true })
      cpSync(made, copy, { recursive: true })
      if (statSync(copy).isFile()) syncPath(copy)
    } catch (error) {
      throw storageError(error, { path: final, doing: 'write' })
    }
    use(copy)
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  return undefined
}

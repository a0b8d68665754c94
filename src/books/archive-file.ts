import { appendFileSync, readFileSync } from 'node:fs'
import { requirePlace, storageError } from '../storage/index.ts'

/** A list of finished works, one identity a line: what stands in it is skipped. Shared by runs and folders. */
export class ArchiveFile {
  readonly #path: string
  readonly #known: Set<string>

  /** Throws storage errors, also where nothing could be added at the end. */
  constructor(path: string) {
    this.#path = path
    requirePlace(path, '--archive')
    this.#known = new Set(linesOf(path))
  }

  has(key: string): boolean {
    return this.#known.has(key)
  }

  /** Only for works whose containers stand. Throws storage errors. */
  add(key: string): void {
    if (this.#known.has(key)) return
    try {
      appendFileSync(this.#path, `${key}\n`, { flush: true })
    } catch (error) {
      throw storageError(error, { path: this.#path, doing: 'write' })
    }
    this.#known.add(key)
  }
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw storageError(error, { path, doing: 'read' })
  }
}

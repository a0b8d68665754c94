import { opendirSync, type Dir } from 'node:fs'
import { errnoOf } from './storage-error.ts'

/** A folder with more entries is not read: each name is looked for instead. */
const mostEntries = 20_000

/**
 * What stood in folders when they were first asked about, so that a fresh or small folder costs one reading and not
 * one look for each file. What strangers add later is not seen here; a commit that meets it does not replace it.
 */
export class KnownNames {
  readonly #folders = new Map<string, ReadonlySet<string> | 'large'>()

  /** False when the folder surely had no such entry; true when it had, or when it is too large to know. */
  mayHold(folder: string, name: string): boolean {
    let names = this.#folders.get(folder)
    if (names === undefined) {
      names = readNames(folder)
      if (this.#folders.size > 10_000) this.#folders.clear()
      this.#folders.set(folder, names)
    }
    // Other spellings of a name may be the same file on some systems; a match is looked at anyway.
    return names === 'large' || (names.size > 0 && (names.has(name) || names.has(name.toLowerCase())))
  }
}

function readNames(folder: string): ReadonlySet<string> | 'large' {
  let dir: Dir
  try {
    dir = opendirSync(folder)
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? new Set() : 'large'
  }
  try {
    const names = new Set<string>()
    for (let entry = dir.readSync(); entry; entry = dir.readSync()) {
      names.add(entry.name).add(entry.name.toLowerCase())
      if (names.size > mostEntries) return 'large'
    }
    return names
  } finally {
    dir.closeSync()
  }
}

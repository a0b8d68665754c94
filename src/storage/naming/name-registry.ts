import { HashSet64 } from './hash-set-64.ts'
import { nameKey } from './name-key.ts'
import { withNumber } from './numbered-name.ts'
import { TwinNumbers } from './twin-numbers.ts'

const fileSeed = 0x9e3779b9
const folderSeed = 0x7f4a7c15
/** So many numbers are tried one by one before the search begins to leap. */
const patience = 16

/**
 * The names given in one run, as relative paths with `/`. Two names are one when their `nameKey` is one. Kept are
 * hashes of 64 bits, not texts: 17 bytes a name on average; that two different names share a hash is as good as
 * impossible, and would cost one of them a number. A file never gets the name of a folder, nor the reverse.
 */
export class NameRegistry {
  readonly #names = new HashSet64()
  readonly #numbers = new TwinNumbers()
  #folders = 0
  /** The folder of the last claim with its slash: known to be free of files. */
  #knownFolder = ''

  /** How many files have a name. */
  get size(): number {
    return this.#names.size - this.#folders
  }

  /**
   * Gives the path itself, or `name (n).ext` with the first free number, and keeps it. Where a part of the folder
   * is the name of a file already, the folder gets a number instead.
   */
  claim(path: string): string {
    const wanted = this.#besideFiles(path)
    return this.#addFile(wanted) ? wanted : this.#addNumbered(wanted)
  }

  /** Keeps exactly this path; false where it was taken. For names that an earlier run gave. */
  add(path: string): boolean {
    return this.#besideFiles(path) === path && this.#addFile(path)
  }

  has(path: string): boolean {
    this.#hash(path, fileSeed)
    return this.#names.has()
  }

  /** Makes a name free again; true when it was taken. */
  release(path: string): boolean {
    this.#hash(path, fileSeed)
    return this.#names.delete()
  }

  #addFile(path: string): boolean {
    return !this.#isFolder(path) && this.#insert(path, fileSeed)
  }

  #insert(path: string, seed: number): boolean {
    this.#hash(path, seed)
    return this.#names.add()
  }

  #isFolder(path: string): boolean {
    if (this.#folders === 0) return false
    this.#hash(path, folderSeed)
    return this.#names.has()
  }

  #addNumbered(path: string): string {
    this.#hash(path, fileSeed)
    const slot = this.#numbers.slotOf(this.#names.high, this.#names.low)
    const isFree = (number: number): boolean => {
      const name = withNumber(path, number)
      return !this.has(name) && !this.#isFolder(name)
    }
    const number = firstFree(this.#numbers.last(slot) + 1, isFree)
    this.#numbers.remember(slot, number)
    const name = withNumber(path, number)
    this.#insert(name, fileSeed)
    return name
  }

  /** The path with every part of its folder being a folder, or free to become one. */
  #besideFiles(path: string): string {
    const end = path.lastIndexOf('/')
    if (end < 0) return path
    if (end === this.#knownFolder.length - 1 && path.startsWith(this.#knownFolder)) return path
    let result = path
    for (let slash = result.indexOf('/'); slash >= 0; slash = result.indexOf('/', slash + 1)) {
      let folder = result.slice(0, slash)
      if (this.has(folder)) {
        const other = this.#folderBeside(folder)
        result = other + result.slice(slash)
        slash = other.length
        folder = other
      }
      if (this.#insert(folder, folderSeed)) this.#folders++
    }
    if (result === path) this.#knownFolder = path.slice(0, end + 1)
    return result
  }

  #folderBeside(folder: string): string {
    this.#hash(folder, folderSeed)
    const slot = this.#numbers.slotOf(this.#names.high, this.#names.low)
    // Not the number after the last: the files of one folder stay together.
    const number = firstFree(Math.max(1, this.#numbers.last(slot)), (n) => !this.has(withNumber(folder, n)))
    this.#numbers.remember(slot, number)
    return withNumber(folder, number)
  }

  /** Sets the hash that the next question to `#names` is about. */
  #hash(path: string, seed: number): void {
    if (!this.#names.hashFolded(path, seed)) this.#names.hash(nameKey(path), seed)
  }
}

/** The first free number from `start` on; after some tries by leaps and halving, so a million twins cost little. */
function firstFree(start: number, isFree: (number: number) => boolean): number {
  for (let number = start; number < start + patience; number++) if (isFree(number)) return number
  let taken = start + patience - 1
  let step = patience
  while (!isFree(taken + step)) {
    taken += step
    step *= 2
  }
  let free = taken + step
  while (free - taken > 1) {
    const middle = taken + ((free - taken) >>> 1)
    if (isFree(middle)) free = middle
    else taken = middle
  }
  return free
}

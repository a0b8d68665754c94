import { mebibyte } from './plan-view.ts'

/** Writes a file, and can make sure of what it has. */
export interface Saving {
  /** Bytes that came since it last made sure. */
  unsavedBytes: number
  save(): void
}

/** What the death of the process may cost, over all files: it is fetched again. */
const mostUnsavedBytes = 2 * mebibyte

/**
 * Counts the bytes of all files under way that are in no checkpoint yet. When they are too many, those files that have
 * the larger part of them make sure of theirs; so one file has a checkpoint every few mebibytes, and of forty each has
 * them as often as all together need.
 */
export class UnsavedBytes {
  readonly #files = new Set<Saving>()
  #total = 0

  join(file: Saving): void {
    this.#files.add(file)
  }

  /** The file has ended, one way or another. */
  leave(file: Saving): void {
    if (this.#files.delete(file)) this.#total -= file.unsavedBytes
  }

  received(file: Saving, count: number): void {
    file.unsavedBytes += count
    this.#total += count
    if (this.#total >= mostUnsavedBytes) this.#save()
  }

  #save(): void {
    // Half of an equal share or more: together they have at least half of all.
    const least = this.#total / (2 * this.#files.size)
    for (const file of this.#files) {
      if (file.unsavedBytes < least) continue
      this.#total -= file.unsavedBytes
      file.unsavedBytes = 0
      file.save()
    }
  }
}

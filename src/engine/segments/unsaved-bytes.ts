import type { Clock } from '../../core/index.ts'
import { mebibyte } from './plan-view.ts'

/** Writes a file, and can make sure of what it has. */
export interface Saving {
  /** Bytes that came since it last made sure. */
  unsavedBytes: number
  save(): void
}

/** What the death of the process may cost, over all files: it is fetched again. */
const mostUnsavedBytes = 2 * mebibyte
/** And what is slower to come than that is made sure of after this time. */
const mostUnsavedMs = 2000

/**
 * Counts the bytes of all files under way that are in no checkpoint yet. When they are too many, those files that have
 * the larger part of them make sure of theirs; so one file has a checkpoint every few mebibytes, and of forty each has
 * them as often as all together need. Bytes that come slowly are made sure of every two seconds.
 */
export class UnsavedBytes {
  readonly #clock: Pick<Clock, 'now'>
  readonly #files = new Set<Saving>()
  #total = 0
  /** When the first of them came. */
  #sinceMs = 0

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  join(file: Saving): void {
    this.#files.add(file)
  }

  /** The file has ended, one way or another. */
  leave(file: Saving): void {
    if (this.#files.delete(file)) this.#total -= file.unsavedBytes
  }

  /** Throws where this very file cannot be saved. Another one that cannot tells so with its own next bytes. */
  received(file: Saving, count: number): void {
    const nowMs = this.#clock.now()
    if (this.#total === 0) this.#sinceMs = nowMs
    file.unsavedBytes += count
    this.#total += count
    // Half of an equal share or more: together they have at least half of all.
    if (this.#total >= mostUnsavedBytes) this.#save(file, this.#total / (2 * this.#files.size), nowMs)
    else if (nowMs - this.#sinceMs >= mostUnsavedMs) this.#save(file, 1, nowMs)
  }

  #save(own: Saving, least: number, nowMs: number): void {
    this.#sinceMs = nowMs
    let failure: { readonly thrown: unknown } | undefined
    for (const file of this.#files) {
      if (file.unsavedBytes < least) continue
      this.#total -= file.unsavedBytes
      file.unsavedBytes = 0
      try {
        file.save()
      } catch (thrown) {
        if (file === own) failure = { thrown }
      }
    }
    if (failure) throw failure.thrown
  }
}

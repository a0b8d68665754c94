/** What can be broken off. */
export interface Abortable {
  abort(reason: unknown): void
}

/**
 * The requests in flight by their signal. One listener per signal, not per request: thousands of requests share
 * the signal of their job, and adding and removing a listener costs more than a set entry.
 */
export class SignalGroups<T extends Abortable> {
  readonly #groups = new WeakMap<AbortSignal, Set<T>>()
  #lastSignal: AbortSignal | undefined
  #lastGroup: Set<T> | undefined

  /** The members that are broken off when the signal fires. The caller adds and deletes its own. */
  of(signal: AbortSignal): Set<T> {
    if (signal === this.#lastSignal && this.#lastGroup !== undefined) return this.#lastGroup
    let group = this.#groups.get(signal)
    if (group === undefined) {
      group = listen<T>(signal)
      this.#groups.set(signal, group)
    }
    this.#lastSignal = signal
    this.#lastGroup = group
    return group
  }
}

function listen<T extends Abortable>(signal: AbortSignal): Set<T> {
  const group = new Set<T>()
  signal.addEventListener(
    'abort',
    () => {
      for (const member of group) member.abort(signal.reason)
      group.clear()
    },
    { once: true },
  )
  return group
}

import { Roster, type Seated } from './roster.ts'

/** What can be broken off. */
export interface Abortable extends Seated {
  abort(reason: unknown): void
}

/**
 * The requests in flight by their signal. One listener per signal, not per request: thousands of requests share
 * the signal of their job, and adding and removing a listener costs more than a place in a roster.
 */
export class SignalGroups<T extends Abortable> {
  readonly #groups = new WeakMap<AbortSignal, Roster<T>>()
  #lastSignal: AbortSignal | undefined
  #lastGroup: Roster<T> | undefined

  /** The members that are broken off when the signal fires. The caller adds and removes its own. */
  of(signal: AbortSignal): Roster<T> {
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

function listen<T extends Abortable>(signal: AbortSignal): Roster<T> {
  const group = new Roster<T>('signalSeat')
  const breakOff = (): void => {
    for (const member of group.list()) member.abort(signal.reason)
  }
  signal.addEventListener('abort', breakOff, { once: true })
  return group
}

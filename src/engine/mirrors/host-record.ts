import type { Place } from '../../core/index.ts'
import { hostOf } from '../run/host-of.ts'

interface Record {
  failures: number
  rateBps: number
}

/** Hosts that are remembered; beyond them the one noted first is forgotten. */
const maxHosts = 1000
/** A host that failed so often in a row is asked after all others. */
const manyFailures = 2

/** How hosts did within a run, to choose among the mirrors of its further files. */
export class HostRecord {
  readonly #hosts = new Map<string, Record>()

  /**
   * Mirrors in the order in which they should be asked: hosts that keep failing last, then by rank, then, within a
   * rank, the faster host first where both were measured; else the order given.
   */
  order(places: readonly Place[]): readonly Place[] {
    if (this.#hosts.size === 0) return places
    const known = new Map(places.map((place) => [place, this.#hosts.get(hostOf(place.url))]))
    const isBad = (place: Place): number => ((known.get(place)?.failures ?? 0) >= manyFailures ? 1 : 0)
    const rateOf = (place: Place): number => known.get(place)?.rateBps ?? 0
    return places.toSorted((a, b) => {
      const apart = isBad(a) - isBad(b) || (a.rank ?? 0) - (b.rank ?? 0)
      if (apart !== 0 || rateOf(a) === 0 || rateOf(b) === 0) return apart
      // Small differences are chance.
      return rateOf(b) > 1.5 * rateOf(a) ? 1 : rateOf(a) > 1.5 * rateOf(b) ? -1 : 0
    })
  }

  succeeded(host: string, bytes: number, elapsedMs: number): void {
    const record = this.#of(host)
    record.failures = 0
    if (bytes === 0 || elapsedMs <= 0) return
    const rate = (bytes * 1000) / elapsedMs
    record.rateBps = record.rateBps === 0 ? rate : record.rateBps * 0.8 + rate * 0.2
  }

  failed(host: string): void {
    this.#of(host).failures++
  }

  #of(host: string): Record {
    const found = this.#hosts.get(host)
    if (found) return found
    const [oldest] = this.#hosts.keys()
    if (this.#hosts.size >= maxHosts && oldest !== undefined) this.#hosts.delete(oldest)
    const record = { failures: 0, rateBps: 0 }
    this.#hosts.set(host, record)
    return record
  }
}

/** How a request ended, for the tally. */
export type TallyEnd = 'served' | 'failed' | 'refused'

const ends: readonly TallyEnd[] = ['served', 'failed', 'refused']
const places: Readonly<Record<TallyEnd, number>> = { served: 0, failed: 1, refused: 2 }
const width = ends.length
const firstLevels = 16
const mostLevels = 1024
/** Then the counts of a level are halved: what is older counts less. */
const fullAt = 512
/** The share of failures of late is that of about so many requests. */
const lateRequests = 128
/** So few, and a share of them says nothing. */
const enough = 60
const enoughBad = 3
/** Failures among more requests at once that are so many times those among fewer may still be chance. */
const alike = 2
/** A host that serves nothing is not helped by being asked more. */
const dead = 0.9
/** Levels up to this part of a limit are compared with those above. */
const lowerPart = 0.75
/** One refusal among so many served with as many at once is none of the number's. */
const servedPerStray = 64
/** A larger share of refusals is a wish to be asked less, whatever the number. */
const bearableRefusals = 0.05
/** So few at once are not too many for a host that serves nearly all of them. */
const innocentLevel = 4

/**
 * Counts how requests ended by how many were in flight when they started. What comes of the number (overload, a
 * limit of connections) comes at high levels and not at low ones; what does not, at all.
 */
export class LevelTally {
  #counts = new Uint16Array(firstLevels * width)
  #lateShare = 0

  count(level: number, end: TallyEnd): void {
    const first = Math.min(level, mostLevels - 1) * width
    if (first >= this.#counts.length) this.#grow(first)
    const at = first + places[end]
    const count = (this.#counts[at] ?? 0) + 1
    this.#counts[at] = count
    if (count >= fullAt) this.#halve(first)
    this.#lateShare += ((end === 'failed' ? 1 : 0) - this.#lateShare) / lateRequests
  }

  /**
   * The number is not why a request was refused: nearly all others are served from this level on upwards, or about
   * as many are refused far below it. The one in question was counted.
   */
  isStray(level: number): boolean {
    const refused = this.#sum('refused', level, mostLevels)
    if (this.#sum('served', level, mostLevels) >= servedPerStray * refused) return true
    const all = this.#sum('refused', 0, mostLevels)
    const served = this.#sum('served', 0, mostLevels)
    if (all > bearableRefusals * served || served < enough) return false
    return level <= innocentLevel || this.#isAlike('refused', level)
  }

  /** Share of the requests of late that failed. */
  get failedShare(): number {
    return this.#lateShare
  }

  /**
   * Failures are about as frequent far below the limit as near to it, wherever one draws the line, also between what
   * is held now and what is above. False also while too little is known.
   */
  failsAlike(limit: number, held: number): boolean {
    if (!this.#isAlike('failed', limit) || this.#isWorseAbove('failed', held)) return false
    for (let part = limit / 2; part >= 4; part /= 2) {
      if (this.#isWorseAbove('failed', splitBelow(part))) return false
    }
    return true
  }

  /** At least as many failed with so many at once as were served. */
  mostlyFails(level: number): boolean {
    return this.#at('failed', level) >= this.#at('served', level)
  }

  #at(end: TallyEnd, level: number): number {
    return this.#counts[Math.min(level, mostLevels - 1) * width + places[end]] ?? 0
  }

  #isAlike(end: TallyEnd, limit: number): boolean {
    const split = splitBelow(limit)
    const lowBad = this.#sum(end, 0, split)
    const low = lowBad + this.#sum('served', 0, split)
    return low >= enough && lowBad >= enoughBad && lowBad < dead * low && !this.#isWorseAbove(end, split)
  }

  /** False also while too little is known of what is below. */
  #isWorseAbove(end: TallyEnd, split: number): boolean {
    const lowBad = this.#sum(end, 0, split)
    const low = lowBad + this.#sum('served', 0, split)
    if (low < enough) return false
    const highBad = this.#sum(end, split + 1, mostLevels)
    const high = highBad + this.#sum('served', split + 1, mostLevels)
    // Two more below may have been missed by chance, and above there may be two deviations more.
    const expected = (alike * (lowBad + 2) * high) / low
    return highBad > expected + 2 * Math.sqrt(expected) + 1
  }

  #sum(end: TallyEnd, from: number, to: number): number {
    const counts = this.#counts
    const last = Math.min(to * width + places[end], counts.length - 1)
    let sum = 0
    for (let at = Math.min(from, mostLevels - 1) * width + places[end]; at <= last; at += width) {
      sum += counts[at] ?? 0
    }
    return sum
  }

  #grow(at: number): void {
    let levels = this.#counts.length / width
    while (levels * width <= at) levels *= 2
    const counts = new Uint16Array(levels * width)
    counts.set(this.#counts)
    this.#counts = counts
  }

  #halve(first: number): void {
    const counts = this.#counts
    for (let at = first; at < first + width; at++) counts[at] = (counts[at] ?? 0) >> 1
  }
}

function splitBelow(limit: number): number {
  return Math.max(1, Math.floor(limit * lowerPart))
}

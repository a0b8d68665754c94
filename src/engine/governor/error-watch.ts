import type { HostLoad } from './host-load.ts'
import type { LevelTally } from './level-tally.ts'

const usualTolerance = 0.05
const minErrors = 4
/** A share is clearly above another by so many deviations; it is looked at so often that less would be chance. */
const clearly = 4
/** So few requests at once do not overload a host that still serves half of them. */
const innocentLimit = 4
/** Cuts further apart have nothing to do with each other. */
const relatedMs = 120_000
const forgetMs = 600_000

/** What to do about errors: nothing, fewer requests at once, or take the last cuts back since they did not help. */
export type ErrorVerdict = 'bear' | 'cut' | 'undo'

/**
 * Watches the share of requests that fail. When it is clearly above a twentieth, and failures are not known to be as
 * frequent among fewer requests at once, the limit is cut. As soon as the cut shows that they are, the number of
 * requests is not the cause: the cuts are taken back, and about that share is borne for ten minutes.
 */
export class ErrorWatch {
  /** Share of failures at the last verdict but 'bear'. */
  share = 0
  /** Fewest requests at once with which one failed, at that verdict. */
  level = Infinity
  /** The limit before the first of the cuts that belong together. */
  limitBefore = 1
  readonly #tally: LevelTally
  #errors = 0
  #ends = 0
  #sinceMs: number
  #sinceSeq = 0
  #lowestLevel = Infinity
  #cutAtMs = -Infinity
  #tolerance = usualTolerance
  #tolerantUntilMs = 0

  constructor(tally: LevelTally, nowMs: number) {
    this.#tally = tally
    this.#sinceMs = nowMs
  }

  ok(): void {
    this.#ends++
  }

  /** A request failed that is in the tally. */
  failed(level: number, load: HostLoad, nowMs: number): ErrorVerdict {
    if (nowMs - this.#sinceMs > Math.max(500, 3 * load.ttfbMs) && this.#ends >= 20) this.#restart(load, nowMs)
    this.#errors++
    this.#ends++
    // One among many that were served says nothing of the number.
    if (this.#tally.mostlyFails(level)) this.#lowestLevel = Math.min(this.#lowestLevel, level)
    if (this.#isCut(nowMs) && this.#tally.failsAlike(this.limitBefore, load.limit)) {
      return this.#tolerate(load, nowMs)
    }
    const requests = this.#requests(load)
    const tolerance = nowMs < this.#tolerantUntilMs ? this.#tolerance : usualTolerance
    const borne = tolerance * requests
    // A few early failures are no share, nor are those that end while no others are let start.
    if (this.#errors < Math.max(minErrors, borne + clearly * Math.sqrt(borne))) return 'bear'
    if (this.#tally.failedShare <= tolerance) return 'bear'
    return this.#decide(load, nowMs)
  }

  #isCut(nowMs: number): boolean {
    return nowMs - this.#cutAtMs < relatedMs
  }

  /** Failures come sooner than successes, so those on their way count too. */
  #requests(load: HostLoad): number {
    return Math.max(this.#ends, load.issued - this.#sinceSeq)
  }

  #decide(load: HostLoad, nowMs: number): ErrorVerdict {
    const { limit } = load
    this.share = this.#errors / this.#requests(load)
    this.level = Math.min(this.#lowestLevel, limit)
    if (!this.#isCut(nowMs)) {
      this.limitBefore = limit
      if (this.#tally.failsAlike(limit, limit)) {
        this.#tolerate(load, nowMs)
        return 'bear'
      }
    }
    if (limit <= innocentLimit && this.share < 0.5) return 'bear'
    this.#restart(load, nowMs)
    this.#cutAtMs = nowMs
    return 'cut'
  }

  #tolerate(load: HostLoad, nowMs: number): ErrorVerdict {
    this.share = this.#tally.failedShare
    this.#restart(load, nowMs)
    this.#tolerance = Math.min(0.9, Math.max(2 * this.share, 2 * usualTolerance))
    this.#tolerantUntilMs = nowMs + forgetMs
    this.#cutAtMs = -Infinity
    return 'undo'
  }

  #restart(load: HostLoad, nowMs: number): void {
    this.#sinceSeq = load.issued
    this.#errors = 0
    this.#ends = 0
    this.#lowestLevel = Infinity
    this.#sinceMs = nowMs
  }
}

import type { HostLoad } from './host-load.ts'

const usualTolerance = 0.05
const minErrors = 4
/** After a cut, a share of failures above this part of the old one was not helped by it. */
const unhelped = 0.5
const maxUnhelped = 2
/** So few requests at once do not overload a host that still serves half of them. */
const innocentLimit = 4
/** Cuts further apart have nothing to do with each other. */
const relatedMs = 120_000
const forgetMs = 600_000

/** What to do about errors: nothing, fewer requests at once, or take the last cuts back since they did not help. */
export type ErrorVerdict = 'bear' | 'cut' | 'undo'

/**
 * Watches the share of requests that fail. When it is clearly above a twentieth, the limit is cut. If the share
 * stays as it was through two cuts, the number of requests is not the cause: the cuts are taken back, and about
 * that share is borne for ten minutes.
 */
export class ErrorWatch {
  /** Share of failures at the last verdict but 'bear'. */
  share = 0
  /** Fewest requests at once with which one failed, at that verdict. */
  level = Infinity
  /** The limit before the first of the cuts that belong together. */
  limitBefore = 1
  #errors = 0
  #ends = 0
  #sinceMs: number
  #sinceSeq = 0
  #lowestLevel = Infinity
  #unhelped = 0
  #cutAtMs = -Infinity
  #tolerance = usualTolerance
  #tolerantUntilMs = 0

  constructor(nowMs: number) {
    this.#sinceMs = nowMs
  }

  ok(): void {
    this.#ends++
  }

  failed(level: number, load: HostLoad, nowMs: number): ErrorVerdict {
    if (nowMs - this.#sinceMs > Math.max(500, 3 * load.ttfbMs) && this.#ends >= 20) this.#restart(load, nowMs)
    this.#errors++
    this.#ends++
    this.#lowestLevel = Math.min(this.#lowestLevel, level)
    const requests = this.#requests(load)
    const borne = (nowMs < this.#tolerantUntilMs ? this.#tolerance : usualTolerance) * requests
    // Three deviations above what is borne; a few early failures are no share.
    if (this.#errors < Math.max(minErrors, borne + 3 * Math.sqrt(borne))) return 'bear'
    return this.#decide(load, nowMs)
  }

  /** Failures come sooner than successes, so those on their way count too. */
  #requests(load: HostLoad): number {
    return Math.max(this.#ends, load.issued - this.#sinceSeq)
  }

  #decide(load: HostLoad, nowMs: number): ErrorVerdict {
    const { limit } = load
    const related = nowMs - this.#cutAtMs < relatedMs
    const before = this.share
    this.share = this.#errors / this.#requests(load)
    this.level = this.#lowestLevel
    this.#restart(load, nowMs)
    if (!related) {
      this.limitBefore = limit
      this.#unhelped = 0
    } else if (this.share >= unhelped * before && this.share < 0.9) {
      this.#unhelped++
    }
    if (this.#unhelped >= maxUnhelped || (limit <= innocentLimit && this.share < 0.5)) {
      this.#tolerance = Math.min(0.9, 2 * this.share)
      this.#tolerantUntilMs = nowMs + forgetMs
      this.#cutAtMs = -Infinity
      return 'undo'
    }
    this.#cutAtMs = nowMs
    return 'cut'
  }

  #restart(load: HostLoad, nowMs: number): void {
    this.#sinceSeq = load.issued
    this.#errors = 0
    this.#ends = 0
    this.#lowestLevel = Infinity
    this.#sinceMs = nowMs
  }
}

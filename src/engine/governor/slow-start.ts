import type { HostLoad } from './host-load.ts'
import type { Phase } from './phase.ts'

/** What was seen at one limit: the true number of requests lay between `low` and `high`. */
export interface Level {
  readonly low: number
  readonly high: number
  /** Work per millisecond. */
  readonly rate: number
}

/** Where slow start ended. */
export interface SlowStartResult {
  readonly levels: readonly Level[]
  /** The limit at which goodput fell, when it did. */
  readonly collapsedAt: number | undefined
}

const minRoundMs = 25
/** Bulk gives no completions to count; rounds are longer, and longer still before growth is called useless. */
const bulkRoundMs = 250
const bulkStallMs = 600
const usefulGain = 1.25
const collapse = 0.8
const maxStalls = 2
const maxUnclearRounds = 4

/**
 * Doubles the limit once a round trip while that pays, as TCP does: every finished request (or chunk, for bulk)
 * adds one, up to twice the limit of the round's start. A round is judged when a lease issued in it has finished.
 * Ends when goodput rose by less than 25 % in two rounds, or fell. Rounds in which leases of a new connection
 * still wait for their first headers are not held against the host.
 */
export class SlowStart implements Phase {
  readonly name = 'slow-start'
  growTo: number
  readonly #load: HostLoad
  readonly #done: (result: SlowStartResult, nowMs: number) => Phase
  readonly #levels: Level[] = []
  #low: number
  #best = 0
  #stalls = 0
  #unclear = 0
  #first = true

  constructor(load: HostLoad, nowMs: number, done: (result: SlowStartResult, nowMs: number) => Phase) {
    this.#load = load
    this.#done = done
    this.growTo = load.limit
    this.#low = load.limit
    load.openWindow(nowMs)
  }

  progress(nowMs: number): Phase | undefined {
    const { window, limit } = this.#load
    const elapsedMs = nowMs - window.startedMs
    if (elapsedMs < minRoundMs) return undefined
    const turned =
      window.turned &&
      (this.#first || window.completions * 2 >= limit) &&
      elapsedMs >= this.#load.latencyMs * 0.8
    const long = window.answers > 0 && elapsedMs >= Math.max(bulkRoundMs, 3 * this.#load.ttfbMs)
    if (!turned && !long) return undefined
    if (!window.demanded || window.disturbed || this.#load.overloaded()) return this.#next(nowMs, limit)
    if (this.#first) return this.#judgeFirst(nowMs)
    return this.#judge(nowMs, turned || elapsedMs >= bulkStallMs)
  }

  /** One completion says nothing; a full turn of the starting limit is a first rate. */
  #judgeFirst(nowMs: number): undefined {
    const { window, limit } = this.#load
    this.#first = false
    if (window.completions >= limit || window.bytes > 0) this.#pass(window.rate(nowMs))
    return this.#next(nowMs, limit * 2)
  }

  #judge(nowMs: number, conclusive: boolean): Phase | undefined {
    const { window, limit } = this.#load
    const rate = window.rate(nowMs)
    if (rate >= usefulGain * this.#best) {
      this.#pass(rate)
      return this.#next(nowMs, limit * 2)
    }
    if (!conclusive) return undefined
    const settled = window.unansweredBefore * 10 <= limit
    if (!settled && this.#unclear++ < maxUnclearRounds) return this.#next(nowMs, limit)
    this.#record(rate)
    if (rate < collapse * this.#best) return this.#done({ levels: this.#levels, collapsedAt: limit }, nowMs)
    if (++this.#stalls < maxStalls) return this.#next(nowMs, limit)
    return this.#done({ levels: this.#levels, collapsedAt: undefined }, nowMs)
  }

  #pass(rate: number): void {
    this.#record(rate)
    this.#best = rate
    this.#stalls = 0
    this.#unclear = 0
  }

  #record(rate: number): void {
    const high = this.#load.limit
    const last = this.#levels.at(-1)
    // A level that was held is seen twice; the later sight has settled more.
    if (last?.low === this.#low && last.high === high) this.#levels.pop()
    this.#levels.push({ low: this.#low, high, rate })
  }

  #next(nowMs: number, growTo: number): undefined {
    this.#low = this.#load.limit
    this.growTo = Math.min(growTo, this.#load.top(nowMs))
    this.#load.openWindow(nowMs)
  }
}

/** The smallest limit whose rate came within 5 % of the best. */
export function smallestGoodLevel(levels: readonly Level[]): Level | undefined {
  let best = 0
  for (const level of levels) best = Math.max(best, level.rate)
  return levels.find((level) => level.rate >= 0.95 * best)
}

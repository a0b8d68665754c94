import type { HostLoad } from './host-load.ts'
import type { Phase } from './phase.ts'

/** What was seen at one limit. */
export interface Level {
  /** The limit that brought the rate: where a round is one round trip long, the one before it was doubled. */
  readonly limit: number
  /** The limit at the end of the round; surely enough for the rate. */
  readonly high: number
  /** Work per millisecond. */
  readonly rate: number
}

/** Where slow start ended. */
export interface SlowStartResult {
  readonly levels: readonly Level[]
  /** Goodput fell at the last level. */
  readonly collapsed: boolean
  /** The work is long transfers: few requests end while a round lasts. */
  readonly bulk: boolean
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
  /** Bulk is looked at only so often: who looks at every chunk sees a gain in noise. */
  #lookMs = bulkRoundMs

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
    if (this.#collapsing(elapsedMs, nowMs)) {
      this.#record(window.rate(nowMs), nowMs)
      return this.#done({ levels: this.#levels, collapsed: true, bulk: false }, nowMs)
    }
    const turned =
      window.turned &&
      (this.#first || window.completions * 2 >= limit) &&
      elapsedMs >= this.#load.latencyMs * 0.8
    const long = this.#load.ttfbMs > 0 && elapsedMs >= Math.max(this.#lookMs, 3 * this.#load.ttfbMs)
    if (!turned && !long) return undefined
    if (!window.demanded || window.disturbed || this.#load.overloaded()) return this.#next(nowMs, limit)
    if (this.#first) return this.#judgeFirst(nowMs)
    return this.#judge(nowMs, turned)
  }

  /** Two round trips brought less than half of the best: no need to wait for the end of the round. */
  #collapsing(elapsedMs: number, nowMs: number): boolean {
    const { window, latencyMs } = this.#load
    return (
      elapsedMs >= Math.max(2 * minRoundMs, 2 * latencyMs) &&
      elapsedMs < bulkRoundMs * 2 &&
      window.rate(nowMs) < this.#best / 2 &&
      window.completions > 0 &&
      !window.disturbed
    )
  }

  /** A single completion says nothing; a full turn of the starting limit, or a bulk round, is a first rate. */
  #judgeFirst(nowMs: number): undefined {
    const { window, limit } = this.#load
    this.#first = false
    if (window.completions >= limit || window.completions === 0) this.#pass(window.rate(nowMs), nowMs)
    return this.#next(nowMs, limit * 2)
  }

  #judge(nowMs: number, turned: boolean): Phase | undefined {
    const { window, limit } = this.#load
    const conclusive = turned || nowMs - window.startedMs >= bulkStallMs
    const rate = window.rate(nowMs)
    if (rate >= usefulGain * this.#best) {
      this.#pass(rate, nowMs)
      return this.#next(nowMs, limit * 2)
    }
    if (!conclusive) {
      this.#lookMs = bulkStallMs
      return undefined
    }
    const settled = window.unansweredBefore * 10 <= limit
    if (!settled && this.#unclear++ < maxUnclearRounds) return this.#next(nowMs, limit)
    this.#record(rate, nowMs)
    const collapsed = rate < collapse * this.#best
    if (!collapsed && ++this.#stalls < maxStalls) return this.#next(nowMs, limit)
    return this.#done({ levels: this.#levels, collapsed, bulk: !turned }, nowMs)
  }

  #pass(rate: number, nowMs: number): void {
    this.#record(rate, nowMs)
    this.#best = rate
    this.#stalls = 0
    this.#unclear = 0
  }

  #record(rate: number, nowMs: number): void {
    const { limit: high, latencyMs, window } = this.#load
    const lags = window.turned && nowMs - window.startedMs < 2 * latencyMs
    const limit = lags ? this.#low : high
    // A level that was held is seen twice; the later sight has settled more.
    if (this.#levels.at(-1)?.limit === limit) this.#levels.pop()
    this.#levels.push({ limit, high, rate })
  }

  #next(nowMs: number, growTo: number): undefined {
    this.#low = this.#load.limit
    this.growTo = Math.min(growTo, this.#load.top(nowMs))
    this.#lookMs = bulkRoundMs
    this.#load.openWindow(nowMs)
  }
}

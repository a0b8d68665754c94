import { noGoodput, type Goodput } from './goodput-window.ts'
import type { HostLoad } from './host-load.ts'
import type { Phase } from './phase.ts'

/** What was seen at one limit. */
export interface Level {
  /** The limit that brought the rate: where a round is one round trip long, the one before it was raised. */
  readonly limit: number
  /** The limit at the end of the round; surely enough for the rate. */
  readonly high: number
  readonly goodput: Goodput
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
/**
 * A longer look is taken once a round brought no gain; and, where requests are over sooner than a round, when there
 * are so many at once that a short pause of this process could look like a gain.
 */
const longRoundMs = 100
const manyRequests = 32
/** Bulk gives no completions to count; rounds are longer, and longer still before growth is called useless. */
const bulkRoundMs = 250
const bulkStallMs = 600
const usefulGain = 0.25
/** A process that was busy waits up to 2 to this power rounds before it tries again. */
const maxWaitPower = 7
/** Share of the growth that goodput must have followed for growth to go on without another look. */
const keenShare = 0.5
const collapse = 0.2
const maxStalls = 3
/** A host, a line or this process stands still for less than this now and then, and for no reason of the limit. */
const stallMs = 250
const maxFalls = 2
const maxUnclearRounds = 4

/**
 * Doubles the limit once a round trip while that pays, as TCP does: every finished request (or chunk, for bulk)
 * adds one, up to twice the limit of the round's start. A round is judged when a lease issued in it has finished.
 * Ends when goodput rose by less than 25 % in three rounds, or fell in two. Rounds in which leases of a new connection
 * still wait for their first headers are not held against the host.
 */
export class SlowStart implements Phase {
  readonly name = 'slow-start'
  growTo: number
  readonly #load: HostLoad
  readonly #done: (result: SlowStartResult, nowMs: number) => Phase
  readonly #levels: Level[] = []
  /** The limit when the round began. */
  #low: number
  /** The limit that the last growth with success led to. */
  #proven: number
  #best: Goodput = noGoodput
  /** Time of a request when goodput last rose, which a collapse does not colour. */
  #usualMs = 0
  #stalls = 0
  #falls = 0
  #unclear = 0
  #first = true
  /** Rounds until comparing starts anew, after this process was the bottleneck; 0 when it was not. */
  #rebase = 0
  #takenBack = 0
  /** Bulk is looked at only so often: who looks at every chunk sees a gain in noise. */
  #lookMs = bulkRoundMs

  /** `known`: what the present limit brings, where that was measured; growth then begins at once. */
  constructor(
    load: HostLoad,
    nowMs: number,
    done: (result: SlowStartResult, nowMs: number) => Phase,
    known?: Goodput,
  ) {
    const { limit } = load
    this.#load = load
    this.#done = done
    this.#low = limit
    this.#proven = limit
    this.growTo = limit
    if (known) {
      this.#first = false
      this.#best = known
      this.#usualMs = load.latencyMs
      this.#levels.push({ limit, high: limit, goodput: known })
      this.growTo = Math.min(2 * limit, load.top(nowMs))
    }
    load.openWindow(nowMs)
  }

  progress(nowMs: number): Phase | undefined {
    const { window } = this.#load
    const elapsedMs = nowMs - window.startedMs
    if (elapsedMs < this.#leastRoundMs()) return undefined
    if (this.#collapsing(nowMs)) return this.#finish(nowMs, true)
    const turned = this.#turned(elapsedMs)
    const long = this.#load.ttfbMs > 0 && elapsedMs >= Math.max(this.#lookMs, 3 * this.#load.ttfbMs)
    if (!turned && !long) return undefined
    if (this.#load.overloaded()) return this.#hold(nowMs)
    if (!window.demanded || window.disturbed) return this.#next(nowMs, this.growTo)
    // The first of them at least still has the work of the limit that was taken back.
    if (this.#rebase > 1) return this.#wait(nowMs)
    if (this.#first || this.#rebase === 1) return this.#start(nowMs)
    return this.#judge(nowMs, turned)
  }

  #leastRoundMs(): number {
    const { limit, latencyMs } = this.#load
    return (latencyMs < minRoundMs ? limit > manyRequests : this.#stalls > 0) ? longRoundMs : minRoundMs
  }

  /** Most of the requests at once have ended, one of them issued inside the round. */
  #turned(elapsedMs: number): boolean {
    const { window, limit, latencyMs } = this.#load
    return window.turned && (this.#first || window.completions * 2 >= limit) && elapsedMs >= latencyMs * 0.8
  }

  /** Nearly all leases from before the round have their headers; connections that are being opened have not. */
  get #settled(): boolean {
    return this.#load.window.unansweredBefore * 10 <= this.#load.limit
  }

  /** Several round trips brought less than half of the best: no need to wait for the end of the round. */
  #collapsing(nowMs: number): boolean {
    const { window } = this.#load
    const elapsedMs = window.heardMs(nowMs)
    return (
      this.#usualMs > 0 &&
      elapsedMs >= Math.max(stallMs, 4 * this.#usualMs) &&
      elapsedMs < bulkRoundMs * 4 &&
      this.#load.gain(window.goodput(nowMs), this.#best) < -0.5 &&
      window.completions > 0 &&
      !window.disturbed
    )
  }

  /**
   * Growth that brought nothing clear is taken back, so that a busy process does not creep upwards, and each time it
   * is tried again later.
   */
  #hold(nowMs: number): undefined {
    const load = this.#load
    const goodput = load.window.goodput(nowMs)
    const judged = !this.#first && this.#rebase === 0
    if (judged && load.gain(goodput, this.#best) >= usefulGain) this.#pass(goodput, nowMs)
    if (load.limit > this.#proven) {
      load.limit = this.#proven
      this.#takenBack++
    }
    this.#rebase = 1 + 2 ** Math.min(this.#takenBack, maxWaitPower)
    this.#next(nowMs, load.limit)
  }

  #wait(nowMs: number): undefined {
    this.#rebase--
    this.#next(nowMs, this.#load.limit)
  }

  /** A single completion says nothing; a full turn of the starting limit, or a bulk round, is a first rate. */
  #start(nowMs: number): undefined {
    const { window, limit } = this.#load
    if (!this.#first || window.completions >= limit || window.completions === 0) {
      this.#pass(window.goodput(nowMs), nowMs)
    }
    this.#first = false
    this.#rebase = 0
    this.#next(nowMs, limit * 2)
  }

  #judge(nowMs: number, turned: boolean): Phase | undefined {
    const { window, limit } = this.#load
    const goodput = window.goodput(nowMs)
    const gain = this.#load.gain(goodput, this.#best)
    if (gain >= usefulGain) {
      return this.#next(nowMs, this.#pass(goodput, nowMs) ? limit * 2 : limit)
    }
    if (!turned && nowMs - window.startedMs < bulkStallMs) {
      this.#lookMs = bulkStallMs
      return undefined
    }
    if (!this.#settled && this.#unclear++ < maxUnclearRounds) return this.#next(nowMs, limit)
    this.#falls = gain < -collapse ? this.#falls + 1 : 0
    const collapsed = this.#falls >= maxFalls
    if (collapsed || ++this.#stalls >= maxStalls) return this.#finish(nowMs, collapsed, !turned)
    this.#record(goodput, nowMs)
    return this.#next(nowMs, limit)
  }

  /** True when goodput followed the growth closely enough for more growth at once. */
  #pass(goodput: Goodput, nowMs: number): boolean {
    const before = this.#levels.at(-1)
    const level = this.#record(goodput, nowMs)
    this.#best = this.#plausible(goodput)
    this.#proven = this.#load.limit
    this.#usualMs = this.#load.latencyMs
    this.#stalls = 0
    this.#falls = 0
    this.#unclear = 0
    if (!before || before.limit >= level.limit || !this.#settled) return true
    return this.#load.gain(goodput, before.goodput) >= keenShare * (level.limit / before.limit - 1)
  }

  /** What a stall held back comes in a burst after it. No more than the limit can be under way at once. */
  #plausible(goodput: Goodput): Goodput {
    const { limit, latencyMs } = this.#load
    const underWay = goodput.requests * latencyMs
    const share = underWay > 1.1 * limit ? (1.1 * limit) / underWay : 1
    return { bytes: goodput.bytes * share, requests: goodput.requests * share }
  }

  #record(goodput: Goodput, nowMs: number, lagsFor = 2): Level {
    const { limit: high, latencyMs, window } = this.#load
    const lags = nowMs - window.startedMs < lagsFor * latencyMs && window.completions > 0
    const level: Level = { limit: lags ? this.#low : high, high, goodput }
    // A level that was held is seen twice; the later sight has settled more.
    if (this.#levels.at(-1)?.limit === level.limit) this.#levels.pop()
    this.#levels.push(level)
    return level
  }

  #finish(nowMs: number, collapsed: boolean, bulk = false): Phase {
    this.#record(this.#load.window.goodput(nowMs), nowMs, collapsed ? 4 : 2)
    return this.#done({ levels: this.#levels, collapsed, bulk }, nowMs)
  }

  #next(nowMs: number, growTo: number): undefined {
    this.#low = this.#load.limit
    this.growTo = Math.min(growTo, this.#load.top(nowMs))
    this.#lookMs = bulkRoundMs
    this.#load.openWindow(nowMs)
  }
}

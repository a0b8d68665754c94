import { GoodputWindow, type Goodput } from './goodput-window.ts'
import { RequestWorth } from './request-worth.ts'

/** Bounds of one host's limit. */
export interface ControlBounds {
  /** Requests at once before anything is known. */
  readonly start: number
  /** Probing for fewer never goes below this for lists of small files; bulk and brakes may go down to 1. */
  readonly floor: number
  readonly max: number
}

/** How long a host that refused or collapsed above some number is not driven there again. */
export const ceilingMemoryMs = 600_000
/** How long one refusal alone holds, which may have been chance; each further one near it, this many times as long. */
const loneRefusalMs = 3000
const confirmedTimes = 6
/** Ceilings this near to each other are the same. */
const nearby = 0.75
/** The same after failures or one fall of goodput, which may have had another reason. */
export const suspicionMs = 60_000

/** What is in flight at one host, and what is known of it. Plain counters that controller and phases share. */
export class HostLoad {
  readonly window = new GoodputWindow()
  readonly requestWorth = new RequestWorth()
  bounds: ControlBounds
  /** True while this process itself is the bottleneck; then nothing grows. */
  readonly overloaded: () => boolean
  limit: number
  inflight = 0
  /** Leases issued so far; the next lease gets this number. */
  issued = 0
  /** Leases in flight whose headers have not come. */
  unanswered = 0
  /** Smoothed time to the first byte; 0 while unknown. */
  ttfbMs = 0
  /** Smoothed time of a whole request; 0 while unknown. */
  latencyMs = 0
  /** Windows opened so far. */
  windows = 0
  /** Number of the window in which a request was last refused because of the limit. */
  refusedInWindow = -1
  #ceiling = Infinity
  #ceilingUntilMs = 0
  /** How long the ceiling held when it was last learned; 0 while there is none. */
  #ceilingHoldMs = 0
  #suspected = 0
  #suspectedAtMs = -Infinity
  /** A refusal or failures ended the search for the limit before it was found. */
  searchIsOpen = false
  /** When the ceiling was learned in this run; undefined when it was not. */
  learnedAtMs: number | undefined

  constructor(bounds: ControlBounds, overloaded: () => boolean) {
    this.bounds = bounds
    this.overloaded = overloaded
    this.limit = Math.min(bounds.start, bounds.max)
  }

  openWindow(nowMs: number): void {
    this.windows++
    this.window.open(nowMs, this.issued, this.unanswered)
  }

  /** One number for a goodput, comparable with others made at the same time: bytes and the worth of requests. */
  worth(goodput: Goodput): number {
    return goodput.bytes + goodput.requests * this.requestWorth.bytes
  }

  /** How much better `now` is than `before`, as a share of `before`. */
  gain(now: Goodput, before: Goodput): number {
    const base = this.worth(before)
    return base > 0 ? this.worth(now) / base - 1 : Infinity
  }

  /** The caller has more work than the limit lets through. */
  get wanted(): boolean {
    return this.inflight >= this.limit || this.refusedInWindow >= this.windows - 1
  }

  #learnedCeiling(nowMs: number): number {
    return nowMs < this.#ceilingUntilMs ? this.#ceiling : Infinity
  }

  #suspectedCeiling(nowMs: number): number {
    return nowMs < this.#suspectedAtMs + suspicionMs ? this.#suspected : Infinity
  }

  /** The highest limit allowed now. */
  top(nowMs: number): number {
    return Math.max(1, Math.min(this.bounds.max, this.#learnedCeiling(nowMs), this.#suspectedCeiling(nowMs)))
  }

  /** The last ceiling learned or remembered, forgotten or not. */
  get lastCeiling(): number {
    return this.#ceiling
  }

  /** The host collapsed above this number now. */
  learnCeiling(ceiling: number, nowMs: number): void {
    this.learnedAtMs = nowMs
    this.rememberCeiling(ceiling, nowMs + ceilingMemoryMs)
  }

  /**
   * The host refused so many requests above this number now. Once may be chance and holds for seconds; what comes
   * more than once, or again near the same number, holds ever longer.
   */
  learnRefusal(
    ceiling: number,
    seen: { readonly refusals: number; readonly mostMs: number },
    nowMs: number,
  ): void {
    const refusals = Math.max(1, seen.refusals)
    const isAgain = this.isCeilingNear(ceiling)
    const first = isAgain ? this.#ceilingHoldMs * confirmedTimes : loneRefusalMs
    const holdMs = Math.min(seen.mostMs, first * confirmedTimes ** (refusals - 1))
    this.rememberCeiling(ceiling, nowMs + holdMs)
    this.#ceilingHoldMs = holdMs
    if (holdMs > loneRefusalMs) this.learnedAtMs = nowMs
  }

  /** A ceiling near this number was learned or remembered, forgotten or not. */
  isCeilingNear(ceiling: number): boolean {
    if (this.#ceilingHoldMs === 0) return false
    return ceiling >= nearby * this.#ceiling && this.#ceiling >= nearby * ceiling
  }

  /** Goodput fell above this number. Seen once it holds for a minute, seen again it is learned. */
  suspectCeiling(ceiling: number, nowMs: number): void {
    const again = nowMs - this.#suspectedAtMs < ceilingMemoryMs && ceiling >= 0.8 * this.#suspected
    this.#suspected = Math.max(1, ceiling)
    this.#suspectedAtMs = nowMs
    if (again && ceiling < this.#learnedCeiling(nowMs)) this.learnCeiling(ceiling, nowMs)
  }

  rememberCeiling(ceiling: number, untilMs: number): void {
    this.#ceiling = Math.max(1, ceiling)
    this.#ceilingUntilMs = untilMs
    this.#ceilingHoldMs = ceilingMemoryMs
  }

  /** The refusals behind the ceiling had another reason. */
  forgetCeiling(): void {
    this.learnedAtMs = undefined
    this.#ceilingUntilMs = 0
    this.#ceilingHoldMs = 0
  }

  smooth(average: number, sample: number): number {
    return average === 0 ? sample : average + (sample - average) / 16
  }
}

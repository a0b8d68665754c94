import type { Goodput } from './goodput-window.ts'
import type { HostLoad } from './host-load.ts'
import { LevelTrial } from './level-trial.ts'
import type { Phase } from './phase.ts'
import type { SlowStartResult } from './slow-start.ts'

const trialMs = 300
/** Growth is not started anew on a lucky moment. */
const longTrialMs = 500
/** Above the bend every try may cost much, and shows at once. */
const upwardTrialMs = 150
const trialTurns = 4
const bulkTrialMs = 600
/** Fewer requests are taken when they keep this share of the goodput. */
const keepShare = 0.96
/** Share of a growth that goodput must follow on the way up to a collapse. */
const usefulShare = 0.4
/** Share of a growth that goodput must follow for slow start to go on. */
const keenShare = 0.5
/** A loss that is more than noise. */
const collapse = 0.1
const maxTrials = 7

/** Where a search may lead. */
export interface RefineExits {
  readonly steady: (nowMs: number) => Phase
  /** Slow start ended too early: go on from the present limit. */
  readonly slowStart: (nowMs: number, known: Goodput) => Phase
}

/**
 * After slow start, which knows the right limit to a factor of two: finds the fewest requests with nearly the best
 * goodput by short trials between a limit that is good and one that is not. Where more requests had brought less,
 * it looks upwards first, for the last limit before the collapse. The good one is measured afresh first, since a
 * process and a connection warm up; and before fewer are tried, a few more are, in case slow start was misled.
 */
export class Refine implements Phase {
  readonly name = 'refine'
  readonly #load: HostLoad
  readonly #exits: RefineExits
  /** The limit kept so far. */
  #good: number
  /** Too few. */
  #below: number
  /** Too many; while the search goes upwards. */
  #above: number
  #upwards: boolean
  #guess: number
  #goodput: Goodput | undefined
  #trials = 0
  #failed = 0
  #moved = false
  /** The larger limit that the search last came down from. */
  #movedFrom = 0
  #lastLook = false
  #trial: LevelTrial
  #stage: 'measure' | 'more' | 'search' = 'measure'

  private constructor(load: HostLoad, range: RefineRange, nowMs: number, exits: RefineExits) {
    this.#load = load
    this.#exits = exits
    this.#good = range.good
    this.#below = range.below
    this.#above = range.above ?? range.good
    this.#upwards = range.above !== undefined
    this.#guess = range.guess
    this.#trial = this.#try(range.good, nowMs)
  }

  /** The phase after slow start: a search where there is something to find, else what `done` gives. */
  static after(load: HostLoad, result: SlowStartResult, nowMs: number, exits: RefineExits): Phase {
    const range = rangeOf(result, load)
    load.limit = Math.max(1, Math.min(range.good, load.top(nowMs)))
    return new Refine(load, { ...range, good: load.limit }, nowMs, exits)
  }

  get growTo(): number {
    return this.#trial.growTo
  }

  progress(nowMs: number): Phase | undefined {
    const goodput = this.#trial.progress(nowMs)
    if (goodput === undefined) return undefined
    if (goodput === 'void') return this.#finish(nowMs)
    const before = this.#goodput
    if (!before) return this.#measured(goodput, nowMs)
    const gain = this.#load.gain(goodput, before)
    if (this.#stage === 'more') {
      const { growTo } = this.#trial
      if (gain >= keenShare * (growTo / this.#good - 1)) return this.#exits.slowStart(nowMs, goodput)
      if (gain < -collapse) this.#load.suspectCeiling(growTo - 1, nowMs)
      this.#stage = 'search'
    } else {
      this.#judge(goodput, gain, nowMs)
    }
    return this.#search(nowMs)
  }

  #measured(goodput: Goodput, nowMs: number): Phase | undefined {
    this.#goodput = goodput
    const more = Math.min(this.#load.top(nowMs), this.#good + Math.max(1, this.#good >> 2))
    if (this.#upwards || more <= this.#good || this.#load.overloaded()) {
      this.#stage = 'search'
      return this.#search(nowMs)
    }
    this.#stage = 'more'
    this.#trial = this.#try(more, nowMs)
    return undefined
  }

  #search(nowMs: number): Phase | undefined {
    if (closeEnough(this.#good, this.#upwards ? this.#above : this.#below) || ++this.#trials > maxTrials) {
      // No try failed on the way up, so what looked like a collapse was none.
      if (this.#upwards && this.#failed === 0 && this.#goodput) {
        return this.#exits.slowStart(nowMs, this.#goodput)
      }
      if (!this.#mayHidePeak()) return this.#finish(nowMs)
    }
    this.#trial = this.#try(this.#guess, nowMs)
    return undefined
  }

  /**
   * Fewer requests did as well as many more: either it is flat between them or there is a peak. One look upwards
   * from here tells; it is taken once.
   */
  #mayHidePeak(): boolean {
    const from = this.#movedFrom
    this.#movedFrom = 0
    if (this.#upwards || from - this.#good <= this.#good >> 2) return false
    this.#upwards = true
    this.#above = from
    this.#guess = (this.#good + from) >> 1
    this.#lastLook = true
    return true
  }

  #judge(goodput: Goodput, gain: number, nowMs: number): void {
    const needed = this.#upwards ? usefulShare * (this.#guess / this.#good - 1) : keepShare - 1
    if (gain >= needed) {
      if (this.#upwards) this.#below = this.#good
      else this.#movedFrom = this.#good
      this.#good = this.#guess
      this.#moved = true
      this.#lastLook = false
      // Small losses may not add up: the best that was seen stays the measure.
      if (gain > 0) this.#goodput = goodput
    } else {
      this.#failed++
      if (this.#lastLook) this.#above = this.#good
      else if (this.#upwards) this.#tooMany(gain, nowMs)
      else this.#below = this.#guess
    }
    this.#guess = this.#upwards ? guessAbove(this.#good, this.#above) : (this.#good + this.#below) >> 1
  }

  #tooMany(gain: number, nowMs: number): void {
    if (gain < -collapse) this.#load.suspectCeiling(this.#guess - 1, nowMs)
    this.#above = this.#guess
    // Goodput falls from here on: its peak may as well lie below.
    if (!this.#moved) this.#upwards = false
  }

  #try(limit: number, nowMs: number): LevelTrial {
    const reference = this.#goodput
    const minMs = this.#upwards ? upwardTrialMs : this.#stage === 'search' ? trialMs : longTrialMs
    const bulkMs = Math.max(minMs, bulkTrialMs, 3 * this.#load.ttfbMs)
    return new LevelTrial(this.#load, { limit, minMs, turns: trialTurns, bulkMs, reference }, nowMs)
  }

  #finish(nowMs: number): Phase {
    this.#load.limit = Math.max(1, Math.min(this.#good, this.#load.top(nowMs)))
    return this.#exits.steady(nowMs)
  }
}

interface RefineRange {
  readonly good: number
  /** Too few. */
  readonly below: number
  /** Too many, where goodput fell. */
  readonly above?: number
  /** Where to look first. */
  readonly guess: number
}

function closeEnough(good: number, bad: number): boolean {
  return Math.abs(good - bad) <= Math.max(1, good >> 3)
}

/** In smaller steps than halves, since a try above a collapse costs far more than one below. */
function guessAbove(good: number, above: number): number {
  return Math.min((good + above + 1) >> 1, good + Math.max(4, good >> 2))
}

function rangeOf(result: SlowStartResult, load: HostLoad): RefineRange {
  const { levels, collapsed, bulk } = result
  const floor = bulk ? 0 : load.bounds.floor
  const worths = levels.map((level) => load.worth(level.goodput))
  const most = Math.max(0, ...worths)
  const bestAt = worths.indexOf(most)
  const best = levels[bestAt]
  const last = levels.at(-1)
  if (!best || !last) return { good: load.limit, below: load.limit, guess: load.limit }
  if (collapsed) {
    const good = best.limit
    const above = last.limit > good ? last.limit : Math.max(last.high, good)
    const below = Math.min(good, levels[bestAt - 1]?.limit ?? floor)
    return { good, below, above, guess: guessAbove(good, above) }
  }
  const at = worths.findIndex((worth) => worth >= 0.95 * most)
  const good = levels[at]?.high ?? best.high
  const under = levels[at - 1]
  if (!under) {
    const below = Math.min(floor, good)
    return { good, below, guess: (good + below) >> 1 }
  }
  // While goodput grows as the limit does, the bend lies where the line from the origin meets the best.
  const bend = Math.ceil((under.limit * keepShare * most) / (worths[at - 1] ?? most))
  const guess = Math.max(under.limit + 1, Math.min(bend, good))
  return { good, below: closeEnough(good, guess) ? good : under.limit, guess }
}

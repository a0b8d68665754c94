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
  readonly slowStart: (nowMs: number) => Phase
}

/**
 * After slow start, which knows the right limit to a factor of two: finds the fewest requests with nearly the best
 * goodput, or the most before a collapse, by short trials between a limit that is good and one that is not. The
 * good one is measured afresh first, since a process and a connection warm up; and before fewer are tried, a few more
 * are, in case slow start was misled.
 */
export class Refine implements Phase {
  readonly name = 'refine'
  readonly #load: HostLoad
  readonly #exits: RefineExits
  /** The limit kept so far. */
  #good: number
  /** Too few, or too many when `#upwards`. */
  #bad: number
  readonly #upwards: boolean
  #guess: number
  #goodput: Goodput | undefined
  #trials = 0
  #failed = 0
  #trial: LevelTrial
  #stage: 'measure' | 'more' | 'search' = 'measure'

  private constructor(load: HostLoad, range: RefineRange, nowMs: number, exits: RefineExits) {
    this.#load = load
    this.#exits = exits
    this.#good = range.good
    this.#bad = range.bad
    this.#upwards = range.bad > range.good
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
      if (gain >= keenShare * (this.#trial.growTo / this.#good - 1)) return this.#exits.slowStart(nowMs)
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
    if (closeEnough(this.#good, this.#bad) || ++this.#trials > maxTrials) {
      // No try failed on the way up, so what looked like a collapse was none.
      const misled = this.#upwards && this.#failed === 0
      return misled ? this.#exits.slowStart(nowMs) : this.#finish(nowMs)
    }
    this.#trial = this.#try(this.#guess, nowMs)
    return undefined
  }

  #judge(goodput: Goodput, gain: number, nowMs: number): void {
    const needed = this.#upwards ? usefulShare * (this.#guess / this.#good - 1) : keepShare - 1
    if (gain >= needed) {
      this.#good = this.#guess
      // Small losses may not add up: the best that was seen stays the measure.
      if (gain > 0) this.#goodput = goodput
    } else {
      this.#bad = this.#guess
      this.#failed++
      if (this.#upwards && gain < -collapse) this.#load.learnCeiling(this.#guess - 1, nowMs)
    }
    this.#guess = guessBetween(this.#good, this.#bad)
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
  readonly bad: number
  /** Where to look first. */
  readonly guess: number
}

function closeEnough(good: number, bad: number): boolean {
  return Math.abs(good - bad) <= Math.max(1, good >> 3)
}

/** Halfway down; upwards in smaller steps, since a try above a collapse costs far more than one below. */
function guessBetween(good: number, bad: number): number {
  if (bad < good) return (good + bad) >> 1
  return Math.min((good + bad + 1) >> 1, good + Math.max(1, good >> 2))
}

function rangeOf(result: SlowStartResult, load: HostLoad): RefineRange {
  const { levels, collapsed, bulk } = result
  const worths = levels.map((level) => load.worth(level.goodput))
  const most = Math.max(0, ...worths)
  const best = levels[worths.indexOf(most)]
  const last = levels.at(-1)
  if (!best || !last) return { good: load.limit, bad: load.limit, guess: load.limit }
  if (collapsed) {
    const bad = last.limit > best.limit ? last.limit : Math.max(last.high, best.limit)
    return { good: best.limit, bad, guess: guessBetween(best.limit, bad) }
  }
  const at = worths.findIndex((worth) => worth >= 0.95 * most)
  const good = levels[at]?.high ?? best.high
  const below = levels[at - 1]
  if (!below) {
    const bad = bulk ? 0 : Math.min(load.bounds.floor, good)
    return { good, bad, guess: guessBetween(good, bad) }
  }
  // While goodput grows as the limit does, the bend lies where the line from the origin meets the best.
  const bend = Math.ceil((below.limit * keepShare * most) / (worths[at - 1] ?? most))
  const guess = Math.max(below.limit + 1, Math.min(bend, good))
  return closeEnough(good, guess) ? { good, bad: good, guess } : { good, bad: below.limit, guess }
}

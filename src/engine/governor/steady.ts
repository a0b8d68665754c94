import { noGoodput, type Goodput } from './goodput-window.ts'
import type { HostLoad } from './host-load.ts'
import { LevelTrial } from './level-trial.ts'
import type { Phase } from './phase.ts'

const windowMs = 500
const bulkWindowMs = 1000
const longestWindowMs = 3000
const firstProbeMs = 2000
const longestProbeMs = 30_000
const usefulGain = 0.05
const bearableLoss = 0.03
/** Share of a growth that goodput must follow for slow start to take over. */
const keenShare = 0.8
/** A window this much slower than those before calls for a trial of fewer requests, never of more. */
const fall = 0.25
const collapse = 0.3

/** The phase that goes on growing from a limit whose goodput is known. */
export type Regrow = (nowMs: number, known: Goodput) => Phase

/**
 * Holds the limit, and now and then tries a little more or less: more is kept when goodput rises by 5 % and clearly
 * above the noise, less is kept when it falls by under 3 %. Compared are neighbouring windows. While nothing
 * changes, trials become rare (2 s growing to 30 s).
 */
export class Steady implements Phase {
  readonly name = 'steady'
  readonly #load: HostLoad
  /** Given where the limit is not fixed: what to do when more requests bring clearly more goodput. */
  readonly #regrow: Regrow | undefined
  #trial: LevelTrial | undefined
  #home: number
  /** Mean of the last windows at the limit, and how many they are. */
  #goodput: Goodput = noGoodput
  #windows = 0
  /** Smoothed difference of neighbouring windows, as a share of the rate. */
  #noise = 0.02
  #intervalMs = firstProbeMs
  #probeAtMs: number
  #probes = 0
  /** The last trial was kept. */
  #lucky = false

  constructor(load: HostLoad, nowMs: number, regrow: Regrow | undefined) {
    this.#load = load
    this.#regrow = regrow
    this.#home = load.limit
    this.#probeAtMs = nowMs + firstProbeMs
    load.openWindow(nowMs)
  }

  get growTo(): number {
    return this.#trial?.growTo ?? this.#home
  }

  progress(nowMs: number): Phase | undefined {
    if (!this.#regrow) return undefined
    if (this.#trial) {
      const known = this.#try(this.#trial, nowMs)
      return known ? this.#regrow(nowMs, known) : undefined
    }
    this.#watch(nowMs)
    // What broke the search off may have been chance, and no longer holds.
    const isFree = this.#load.searchIsOpen && this.#windows > 0 && this.#load.top(nowMs) > this.#home
    return isFree ? this.#regrow(nowMs, this.#goodput) : undefined
  }

  #watch(nowMs: number): void {
    const load = this.#load
    const { window } = load
    const elapsedMs = nowMs - window.startedMs
    const turned = window.turned && window.completions >= Math.max(8, load.limit)
    if (elapsedMs < (turned ? this.#windowMs() : this.#bulkWindowMs())) return
    const counts = window.demanded && !window.disturbed && load.inflight <= load.limit + 1
    if (counts) this.#note(window.goodput(nowMs))
    load.openWindow(nowMs)
    if (!counts || this.#windows < this.#neededWindows()) return
    if (nowMs >= this.#probeAtMs) this.#probe(nowMs)
  }

  #note(goodput: Goodput): void {
    if (this.#windows > 0) {
      const change = this.#load.gain(goodput, this.#goodput)
      this.#noise += (Math.min(Math.abs(change), 0.5) - this.#noise) / 8
      if (change < -fall) {
        this.#windows = 0
        this.#probes = 2
        this.#intervalMs = firstProbeMs
        this.#probeAtMs = 0
      }
    }
    this.#windows++
    const weight = 1 / Math.min(this.#windows, this.#neededWindows())
    const { bytes, requests } = this.#goodput
    this.#goodput = {
      bytes: bytes + (goodput.bytes - bytes) * weight,
      requests: requests + (goodput.requests - requests) * weight,
    }
  }

  /** More noise, more windows. */
  #neededWindows(): number {
    return this.#noise < 0.04 ? 2 : this.#noise < 0.1 ? 4 : 8
  }

  /** Several requests long, or the beat of requests that end together is taken for noise. */
  #windowMs(): number {
    return Math.max(windowMs, 3 * this.#load.ttfbMs, Math.min(3 * this.#load.latencyMs, longestWindowMs))
  }

  #bulkWindowMs(): number {
    return Math.max(bulkWindowMs, 3 * this.#load.ttfbMs)
  }

  /** Every third trial is of fewer requests. */
  #probe(nowMs: number): void {
    const load = this.#load
    const step = Math.max(1, Math.floor(this.#home / (this.#lucky ? 6 : 8)))
    const up = Math.min(this.#home + step, load.top(nowMs))
    const floor = load.latencyMs > bulkWindowMs ? 1 : Math.min(load.bounds.floor, this.#home)
    const down = Math.max(this.#home - step, floor)
    const target = this.#probes % 3 === 2 ? down : up
    this.#probes++
    if (target === this.#home || (target > this.#home && load.overloaded())) return this.#postpone(nowMs)
    const windows = this.#neededWindows()
    this.#trial = new LevelTrial(
      load,
      {
        limit: target,
        minMs: windows * this.#windowMs(),
        turns: 1,
        bulkMs: windows * this.#bulkWindowMs(),
        reference: this.#goodput,
      },
      nowMs,
    )
  }

  /** Gives the goodput when it followed a growth so well that more growth is called for. */
  #try(trial: LevelTrial, nowMs: number): Goodput | undefined {
    const goodput = trial.progress(nowMs)
    if (goodput === undefined) return undefined
    const more = trial.growTo > this.#home
    const growth = trial.growTo / this.#home - 1
    // What could not be measured is not kept.
    const gain = goodput === 'void' ? undefined : this.#load.gain(goodput, this.#goodput)
    const kept = gain !== undefined && gain >= (more ? this.#neededGain() : -this.#bearableLoss())
    if (more && gain !== undefined && gain < -collapse) this.#load.suspectCeiling(trial.growTo - 1, nowMs)
    this.#trial = undefined
    this.#lucky = kept
    if (kept) {
      this.#home = trial.growTo
      this.#intervalMs = firstProbeMs
      this.#probeAtMs = nowMs
      // The same direction again.
      this.#probes--
      this.#windows = 0
    } else {
      this.#postpone(nowMs)
    }
    this.#load.limit = this.#home
    this.#load.openWindow(nowMs)
    const keen = kept && more && gain >= keenShare * growth && this.#home < this.#load.top(nowMs)
    return keen && goodput !== 'void' ? goodput : undefined
  }

  /** Wider where windows are noisy, but never so wide that a loss in step with the limit would pass. */
  #bearableLoss(): number {
    return Math.max(bearableLoss, Math.min(0.08, this.#noise / Math.sqrt(this.#neededWindows())))
  }

  #neededGain(): number {
    return Math.max(usefulGain, (2 * this.#noise) / Math.sqrt(this.#neededWindows()))
  }

  #postpone(nowMs: number): void {
    this.#probeAtMs = nowMs + this.#intervalMs
    this.#intervalMs = Math.min(longestProbeMs, this.#intervalMs * 1.5)
  }
}

import type { Goodput } from './goodput-window.ts'
import type { HostLoad } from './host-load.ts'

/** What a trial has to know beside the limit to try. */
export interface TrialSettings {
  readonly limit: number
  /** Least time of measuring, once the limit is reached and has taken effect. */
  readonly minMs: number
  /** How often each of the requests at once must end. */
  readonly turns: number
  /** Enough time also without those turns: bulk goes by bytes. */
  readonly bulkMs: number
  /** What to compare with: a trial at less than half of it ends early. */
  readonly reference: Goodput | undefined
}

const reachWithinMs = 5000
/** Long transfers are not broken off, so coming down takes as long as they do. */
const longestReachMs = 30_000
const maxRestarts = 5

/**
 * Measures the goodput at one limit. First the requests in flight must come to the limit (up by one a finished
 * request, down by not replacing them), then all requests of before must have their headers, then work is counted
 * for at least one full turn.
 */
export class LevelTrial {
  readonly growTo: number
  readonly #load: HostLoad
  readonly #settings: TrialSettings
  readonly #startedMs: number
  /** Time of a request before the trial, which a collapse does not colour. */
  readonly #usualMs: number
  #stage: 'reach' | 'settle' | 'measure' = 'reach'
  #restarts = 0

  constructor(load: HostLoad, settings: TrialSettings, nowMs: number) {
    this.#load = load
    this.#settings = settings
    this.#startedMs = nowMs
    this.#usualMs = load.latencyMs
    this.growTo = settings.limit
    if (settings.limit < load.limit) load.limit = settings.limit
    load.openWindow(nowMs)
  }

  /** The goodput when the trial is over, 'void' when it could not be held, undefined while it runs. */
  progress(nowMs: number): Goodput | 'void' | undefined {
    const load = this.#load
    if (this.#stage === 'reach') {
      if (load.limit < this.growTo || load.inflight > load.limit) {
        const withinMs = Math.min(longestReachMs, Math.max(reachWithinMs, 2 * load.latencyMs))
        return nowMs - this.#startedMs > withinMs ? 'void' : undefined
      }
      this.#enter('settle', nowMs)
    }
    if (this.#stage === 'settle') {
      if (this.#failing(3, nowMs)) return load.window.goodput(nowMs)
      if (load.window.unansweredBefore * 10 > load.limit) return undefined
      this.#enter('measure', nowMs)
      return undefined
    }
    return this.#measure(nowMs)
  }

  #enter(stage: 'settle' | 'measure', nowMs: number): void {
    this.#stage = stage
    this.#load.openWindow(nowMs)
  }

  #measure(nowMs: number): Goodput | 'void' | undefined {
    const load = this.#load
    const { window } = load
    const { minMs, turns, bulkMs } = this.#settings
    const elapsedMs = nowMs - window.startedMs
    const failing = this.#failing(2, nowMs)
    const turned = window.turned && window.completions >= Math.max(8, turns * load.limit)
    if (!failing && elapsedMs < (turned ? minMs : Math.max(minMs, bulkMs))) return undefined
    if (window.demanded && !window.disturbed && !load.overloaded()) return window.goodput(nowMs)
    if (this.#restarts++ >= maxRestarts) return 'void'
    load.openWindow(nowMs)
    return undefined
  }

  /** After so many usual request times, less than half of the work of before is done. */
  #failing(times: number, nowMs: number): boolean {
    const { window } = this.#load
    const { reference } = this.#settings
    if (!reference || nowMs - window.startedMs < Math.max(50, times * this.#usualMs)) return false
    return this.#load.gain(window.goodput(nowMs), reference) < -0.5
  }
}

import { BrakeEpisode } from './brake-episode.ts'
import { ceilingMemoryMs, HostLoad, type ControlBounds } from './host-load.ts'
import type { Phase, PhaseName } from './phase.ts'
import { Recovery } from './recovery.ts'
import { SlowStart, smallestGoodLevel, type SlowStartResult } from './slow-start.ts'
import { Steady } from './steady.ts'

/** How one request ended, as the controller sees it. */
export type LeaseEnd = 'ok' | 'error' | 'throttled' | 'cancelled'

export interface HostControllerOptions extends ControlBounds {
  /** A given number: brakes still work, but nothing is tried. */
  readonly fixed: boolean
  /** True while this process itself is the bottleneck; stops growth, never cuts. */
  readonly overloaded: () => boolean
  /** Called when the limit stands on new grounds: a phase has ended or a brake was pulled. */
  readonly onChange: (limit: number, reason: string) => void
}

const throttleCut = 0.5
const errorCut = 0.7
const errorTolerance = 0.05
const minErrors = 3

/**
 * The limit of one host as a state machine: slow start -> steady, with brakes from anywhere into recovery. Pure:
 * time comes with each call, there are no timers, and the limit changes only inside these calls.
 */
export class HostController {
  readonly #load: HostLoad
  readonly #options: HostControllerOptions
  #phase: Phase
  #fixed: boolean
  #episode: BrakeEpisode | undefined
  /** Brakes of late; makes each next recovery slower. */
  #brakes = 0
  #lastBrakeMs = -Infinity
  #errors = 0
  #ends = 0
  #errorsSinceMs = 0
  /** Brakes in a row without one request served between them. */
  #barrenBrakes = 0

  constructor(options: HostControllerOptions, nowMs: number) {
    this.#options = options
    this.#load = new HostLoad(options, options.overloaded)
    this.#errorsSinceMs = nowMs
    this.#fixed = options.fixed
    this.#phase = options.fixed ? new Steady(this.#load, nowMs) : this.#slowStart(nowMs)
  }

  get limit(): number {
    return this.#load.limit
  }

  get inflight(): number {
    return this.#load.inflight
  }

  get phase(): PhaseName {
    return this.#fixed && this.#phase.name === 'steady' ? 'fixed' : this.#phase.name
  }

  /** Most requests the host is known to bear; Infinity when nothing is known. */
  ceiling(nowMs: number): number {
    return this.#load.ceiling(nowMs)
  }

  /** What was learned of the host in this run, and when. */
  get learned(): { readonly ceiling: number; readonly atMs: number } | undefined {
    const { learnedAtMs, lastCeiling } = this.#load
    return learnedAtMs === undefined ? undefined : { ceiling: lastCeiling, atMs: learnedAtMs }
  }

  /** Takes over what an earlier run learned. */
  remember(ceiling: number, untilMs: number, nowMs: number): void {
    this.#load.rememberCeiling(ceiling, untilMs)
    this.#load.limit = Math.min(this.#load.limit, this.#load.top(nowMs))
  }

  /** Takes new bounds while running. A higher maximum is tried out by slow start from where the limit stands. */
  configure(bounds: ControlBounds, fixed: boolean, nowMs: number): void {
    const load = this.#load
    const higher = bounds.max > load.bounds.max
    const wasFixed = this.#fixed
    load.bounds = bounds
    this.#fixed = fixed
    if (fixed) {
      load.limit = load.top(nowMs)
      this.#phase = new Steady(load, nowMs)
    } else if (wasFixed || higher) {
      load.limit = Math.min(load.limit, load.top(nowMs))
      this.#phase = this.#slowStart(nowMs)
    } else if (load.limit > bounds.max) {
      load.limit = bounds.max
      this.#phase = new Steady(load, nowMs)
    }
  }

  /** A request starts; gives its number. */
  acquired(): number {
    this.#load.inflight++
    this.#load.unanswered++
    return this.#load.issued++
  }

  /** A request was refused because of the limit: there is more work than the limit lets through. */
  refused(): void {
    this.#load.refusedInWindow = this.#load.windows
  }

  /** Something of our own held requests back: what is measured now says nothing about the host. */
  disturbed(): void {
    this.#load.window.disturbed = true
  }

  /** Headers came, or the request ended without. */
  answered(seq: number, ttfbMs: number): void {
    const load = this.#load
    load.unanswered--
    load.ttfbMs = load.smooth(load.ttfbMs, ttfbMs)
    load.window.answered(seq)
  }

  moved(bytes: number, nowMs: number): void {
    const load = this.#load
    load.window.moved(bytes, load.inflight * 4 >= load.limit * 3)
    this.#advance(nowMs)
  }

  /**
   * A request is over, after `answered`. Gives how long to hold the host back, beyond what it asked for: not 0
   * only when it refuses again and again and serves nothing.
   */
  released(seq: number, end: LeaseEnd, durationMs: number, nowMs: number): number {
    const load = this.#load
    const full = load.inflight * 4 >= load.limit * 3
    const wanted = load.wanted
    load.inflight--
    if (this.#episode && seq < this.#episode.fence)
      this.#episode.ended(end === 'throttled' || end === 'error')
    if (end === 'cancelled') return 0
    if (end === 'ok') {
      this.#barrenBrakes = 0
      this.#ends++
      load.latencyMs = load.smooth(load.latencyMs, durationMs)
      load.window.completed(seq, full)
      this.#advance(nowMs, wanted)
      return 0
    }
    if (this.#episode && seq < this.#episode.fence) return 0
    if (end === 'error') return this.#failed(nowMs)
    this.#brake('throttled', throttleCut, nowMs)
    return this.#backoffMs()
  }

  #backoffMs(): number {
    return this.#barrenBrakes < 2 ? 0 : Math.min(60_000, 250 * 2 ** (this.#barrenBrakes - 1))
  }

  #slowStart(nowMs: number): Phase {
    return new SlowStart(this.#load, nowMs, (result, atMs) => this.#settle(result, atMs))
  }

  #advance(nowMs: number, wanted = this.#load.wanted): void {
    const load = this.#load
    const next = this.#phase.progress(nowMs)
    if (next) this.#enter(next)
    if (wanted && load.limit < this.#phase.growTo) load.limit++
  }

  #enter(phase: Phase): void {
    const from = this.#phase.name
    this.#phase = phase
    this.#options.onChange(this.#load.limit, from)
  }

  #settle(result: SlowStartResult, nowMs: number): Phase {
    const load = this.#load
    const level = smallestGoodLevel(result.levels)
    if (result.collapsedAt !== undefined) load.learnCeiling(result.collapsedAt - 1, nowMs)
    if (level) load.limit = Math.max(1, Math.min(level.high, load.top(nowMs)))
    return new Steady(load, nowMs)
  }

  /** Errors brake when they are more than a twentieth of what ended lately, and once for those in flight then. */
  #failed(nowMs: number): number {
    const windowMs = Math.max(500, 3 * this.#load.ttfbMs)
    if (nowMs - this.#errorsSinceMs > windowMs) this.#forgetErrors(nowMs)
    this.#errors++
    this.#ends++
    if (this.#errors < minErrors || this.#errors <= errorTolerance * this.#ends) return 0
    this.#forgetErrors(nowMs)
    this.#brake('errors', errorCut, nowMs)
    return this.#backoffMs()
  }

  #forgetErrors(nowMs: number): void {
    this.#errors = 0
    this.#ends = 0
    this.#errorsSinceMs = nowMs
  }

  #brake(cause: 'throttled' | 'errors', cut: number, nowMs: number): void {
    const load = this.#load
    if (nowMs - this.#lastBrakeMs > ceilingMemoryMs) this.#brakes = 0
    const delayMs = this.#brakes === 0 ? 0 : Math.min(30_000, 500 * 2 ** this.#brakes)
    this.#brakes++
    this.#barrenBrakes++
    this.#lastBrakeMs = nowMs
    // The refused lease itself has already been taken off.
    const inflight = load.inflight + 1
    this.#episode = new BrakeEpisode(cause, inflight, load.issued, nowMs)
    load.limit = Math.max(1, Math.floor(Math.min(inflight, load.limit) * cut))
    load.openWindow(nowMs)
    this.#phase = new Recovery(load, this.#episode, nowMs + delayMs, (atMs) => new Steady(load, atMs))
    this.#options.onChange(load.limit, cause)
  }
}

import { BrakeEpisode, type BrakeCause } from './brake-episode.ts'
import { ErrorWatch } from './error-watch.ts'
import type { Goodput } from './goodput-window.ts'
import { ceilingMemoryMs, HostLoad, type ControlBounds } from './host-load.ts'
import { LevelTally } from './level-tally.ts'
import type { Phase, PhaseName } from './phase.ts'
import { Recovery } from './recovery.ts'
import { Refine, type RefineExits } from './refine.ts'
import { SlowStart } from './slow-start.ts'
import { Steady } from './steady.ts'

/** How one request ended, as the controller sees it. */
export type LeaseEnd = 'ok' | 'error' | 'throttled' | 'cancelled'

/** What the controller has to know of a request when it ends. */
export interface LeaseFacts {
  /** Number of the request, as `acquired` gave it. */
  readonly seq: number
  /** Requests in flight when it started, itself included. */
  readonly level: number
  readonly startedMs: number
  /** When its headers came; -1 when they did not. */
  readonly answeredMs: number
  readonly receivedBytes: number
}

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
const deepestErrorCut = 0.5
/** A refusal so long after the last one near the same number is the price of having looked. */
const knownAfterMs = 2500
const longestRecoveryMs = 30_000
const longestBackoffMs = 60_000

/** Shares of the requests in flight that may be left by a brake. */
interface CutRange {
  readonly most: number
  readonly least: number
}

/**
 * The limit of one host as a state machine: slow start, refine, steady, and brakes from anywhere into recovery.
 * Pure: time comes with each call, there are no timers, and the limit changes only inside these calls.
 */
export class HostController {
  readonly #load: HostLoad
  readonly #onChange: (limit: number, reason: string) => void
  readonly #tally = new LevelTally()
  readonly #errors: ErrorWatch
  #phase: Phase
  #fixed: boolean
  #episode: BrakeEpisode | undefined
  /** Brakes of late; makes each next recovery slower. */
  #brakes = 0
  #lastBrakeMs = -Infinity
  /** Brakes in a row without one request served between them. */
  #barrenBrakes = 0

  constructor(options: HostControllerOptions, nowMs: number) {
    this.#onChange = options.onChange
    this.#load = new HostLoad(options, options.overloaded)
    this.#errors = new ErrorWatch(this.#tally, nowMs)
    this.#fixed = options.fixed
    this.#phase = options.fixed ? this.#steady(nowMs) : this.#slowStart(nowMs)
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

  /** What was learned of the host in this run, and when. */
  get learned(): { readonly ceiling: number; readonly atMs: number } | undefined {
    const { learnedAtMs, lastCeiling } = this.#load
    return learnedAtMs === undefined ? undefined : { ceiling: lastCeiling, atMs: learnedAtMs }
  }

  /** Takes over what an earlier run learned. */
  remember(ceiling: number, untilMs: number, nowMs: number): void {
    this.#load.rememberCeiling(ceiling, untilMs)
    // It is old: once its time is up, the search goes on above it.
    this.#load.searchIsOpen = true
    this.#load.limit = Math.min(this.#load.limit, this.#load.top(nowMs))
    if (this.#fixed) this.#phase = this.#steady(nowMs)
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
      this.#phase = this.#steady(nowMs)
    } else if (wasFixed || higher) {
      load.limit = Math.min(load.limit, load.top(nowMs))
      this.#phase = this.#slowStart(nowMs)
    } else if (load.limit > bounds.max) {
      load.limit = bounds.max
      this.#phase = this.#steady(nowMs)
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
    load.window.heard(nowMs, load.latencyMs)
    load.window.moved(bytes, load.inflight * 4 >= load.limit * 3)
    this.#advance(nowMs, load.wanted)
  }

  /**
   * A request is over, after `answered`. Gives how long to hold the host back, beyond what it asked for: not 0
   * only when it goes on refusing.
   */
  released(lease: LeaseFacts, end: LeaseEnd, nowMs: number): number {
    const load = this.#load
    const full = load.inflight * 4 >= load.limit * 3
    const { wanted } = load
    load.inflight--
    const episode = this.#episode
    const early = episode !== undefined && lease.seq < episode.fence
    if (early) episode.ended()
    if (end === 'ok') {
      this.#barrenBrakes = 0
      this.#tally.count(lease.level, 'served')
      if (!early) this.#errors.ok()
      const answeredMs = lease.answeredMs < 0 ? nowMs : lease.answeredMs
      load.window.heard(nowMs, load.latencyMs)
      load.latencyMs = load.smooth(load.latencyMs, nowMs - lease.startedMs)
      load.requestWorth.add(answeredMs - lease.startedMs, nowMs - answeredMs, lease.receivedBytes)
      load.window.completed(lease.seq, load.issued, full)
      this.#advance(nowMs, wanted)
    } else if (end !== 'cancelled') {
      this.#tally.count(lease.level, end === 'error' ? 'failed' : 'refused')
      if (early && (end === 'throttled' || this.#tally.mostlyFails(lease.level))) episode.refused(lease.level)
      if (!early) return end === 'error' ? this.#failed(lease, nowMs) : this.#throttled(lease, nowMs)
    }
    return 0
  }

  #advance(nowMs: number, wanted: boolean): void {
    const load = this.#load
    const next = this.#phase.progress(nowMs)
    if (next) {
      const { name } = this.#phase
      this.#phase = next
      this.#onChange(load.limit, name)
    }
    if (wanted && load.limit < this.#phase.growTo) load.limit++
  }

  #slowStart(nowMs: number, known?: Goodput): Phase {
    const load = this.#load
    load.searchIsOpen = false
    const exits: RefineExits = {
      steady: (atMs) => this.#steady(atMs),
      slowStart: (atMs, goodput) => this.#slowStart(atMs, goodput),
    }
    return new SlowStart(load, nowMs, (result, atMs) => Refine.after(load, result, atMs, exits), known)
  }

  #steady(nowMs: number): Phase {
    if (this.#fixed) return new Steady(this.#load, nowMs, undefined)
    return new Steady(this.#load, nowMs, (atMs, known) => this.#slowStart(atMs, known))
  }

  #throttled(lease: LeaseFacts, nowMs: number): number {
    if (this.#tally.isStray(lease.level)) return 0
    const restMs = this.#lastBrakeMs + this.#brakeWindowMs() - nowMs
    // Cut already and still refused: the host counts over time. It is left alone until the cut can be judged.
    if (restMs > 0) return restMs
    this.#brake('throttled', lease.level, { most: throttleCut, least: throttleCut }, nowMs)
    return this.#barrenBrakes < 2 ? 0 : Math.min(longestBackoffMs, 250 * 2 ** (this.#barrenBrakes - 1))
  }

  #failed(lease: LeaseFacts, nowMs: number): number {
    const verdict = this.#errors.failed(lease.level, this.#load, nowMs)
    if (verdict === 'cut') {
      this.#brake('errors', this.#errors.level, { most: errorCut, least: deepestErrorCut }, nowMs)
    } else if (verdict === 'undo') {
      this.#load.forgetCeiling()
      this.#load.limit = Math.max(this.#load.limit, Math.min(this.#errors.limitBefore, this.#load.top(nowMs)))
      this.#episode = undefined
      this.#brakes = 0
      this.#phase = this.#fixed ? this.#steady(nowMs) : this.#slowStart(nowMs)
      this.#onChange(this.#load.limit, 'errors do not depend on the limit')
    }
    return 0
  }

  #brakeWindowMs(): number {
    return Math.max(500, 3 * this.#load.ttfbMs)
  }

  /** Cuts to what the host seems to bear, within the shares given of what was in flight. */
  #brake(cause: BrakeCause, level: number, cut: CutRange, nowMs: number): void {
    const load = this.#load
    if (nowMs - this.#lastBrakeMs > ceilingMemoryMs) this.#brakes = 0
    // The number that was known came again after a time: it needs no search.
    const known =
      cause === 'throttled' && this.#load.isCeilingNear(level - 1) && nowMs - this.#lastBrakeMs > knownAfterMs
    const repeated = this.#brakes > 0 && !known
    const waitMs = repeated ? Math.min(longestRecoveryMs, 500 * 2 ** this.#brakes) : 0
    if (!known) this.#brakes++
    this.#barrenBrakes++
    this.#lastBrakeMs = nowMs
    const start = { fence: load.issued, nowMs }
    this.#episode = new BrakeEpisode(cause, load.inflight, level, start)
    const from = Math.min(Math.max(load.inflight + 1, level), load.limit)
    const most = known ? 1 : cut.most
    load.limit = Math.max(1, Math.floor(from * cut.least), Math.min(Math.floor(from * most), level - 1))
    if (this.#phase.name === 'slow-start' || this.#phase.name === 'refine') load.searchIsOpen = true
    load.openWindow(nowMs)
    const growth = { growAtMs: nowMs + waitMs, share: repeated ? 0.75 : 1 }
    this.#phase = new Recovery(load, this.#episode, growth, (atMs) => this.#steady(atMs))
    this.#onChange(load.limit, cause)
  }
}

import { systemClock, type Clock } from '../../core/index.ts'
import type { BudgetSource } from './budget-source.ts'
import { CeilingBook } from './ceiling-book.ts'
import { createEventLoopLoad } from './event-loop-load.ts'
import type {
  Governor,
  GovernorEvent,
  GovernorLimits,
  GovernorSnapshot,
  HostLimits,
  HostMemory,
  Lease,
  LeaseReport,
} from './governor.ts'
import { HostController } from './host-controller.ts'
import { HostGate } from './host-gate.ts'
import { endOf, HostLease, type LeaseBooks } from './host-lease.ts'
import type { ControlBounds } from './host-load.ts'
import { anyOverloaded, type LoadSignal } from './load-signal.ts'
import { TotalLimit } from './total-limit.ts'
import { Waker } from './waker.ts'

export interface GovernorOptions {
  readonly clock?: Clock
  readonly limits?: Partial<GovernorLimits>
  /** Limits of single hosts; what is missing comes from `limits`. Asked when a host is met and on `update`. */
  readonly hostLimits?: (host: string) => Partial<HostLimits> | undefined
  /** What earlier runs learned. */
  readonly memory?: readonly HostMemory[]
  /** What stops growth while this process is the bottleneck; default is this thread's event loop. */
  readonly loadSignals?: readonly LoadSignal[]
  /** Limits shared with other processes; without one, only this governor's own limits hold. */
  readonly budget?: BudgetSource
  /** The longest pause that a host's Retry-After may ask for; default one hour. */
  readonly maxRetryAfterMs?: number
  /** Source of jitter, 0 to 1. */
  readonly random?: () => number
}

/** What holds when nothing is said. */
const defaultGovernorLimits: GovernorLimits = {
  total: 'auto',
  perHost: 'auto',
  maxPerHost: 256,
  requestSpacingMs: 0,
}

const startPerHost = 8
const floorPerHost = 4
const maxHosts = 10_000
/** A pause is stretched by up to a tenth, so that many waiting processes do not come back in one moment. */
const pauseJitter = 0.1
const maxPauseJitterMs = 3000
const longestRetryAfterMs = 3_600_000

/** A governor with one adaptive controller per host. Makes no timers while nothing waits for time to pass. */
export function createGovernor(options: GovernorOptions = {}): Governor {
  return new AdaptiveGovernor(options)
}

class AdaptiveGovernor implements Governor, LeaseBooks {
  readonly #clock: Clock
  readonly #options: GovernorOptions
  readonly #hosts = new Map<string, HostGate>()
  readonly #capacityListeners = new Set<(host?: string) => void>()
  readonly #eventListeners = new Set<(event: GovernorEvent) => void>()
  readonly #overloaded: () => boolean
  readonly #random: () => number
  readonly #waker: Waker
  readonly #total: TotalLimit
  readonly #book: CeilingBook
  readonly #stopBudget: (() => void) | undefined
  #limits: GovernorLimits
  #active = 0
  /** Somebody was refused for want of room over all hosts. */
  #waitingForTotal = false

  constructor(options: GovernorOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#limits = { ...defaultGovernorLimits, ...options.limits }
    this.#overloaded = anyOverloaded(options.loadSignals ?? [createEventLoopLoad()])
    this.#random = options.random ?? Math.random
    this.#waker = new Waker(this.#clock, () => this.#woken())
    this.#total = new TotalLimit(this.#limits.total)
    this.#book = new CeilingBook(this.#clock, options.memory ?? [])
    this.#stopBudget = options.budget?.onGrant?.(() => this.#notify(undefined))
  }

  tryAcquire(host: string): Lease | undefined {
    const nowMs = this.#clock.now()
    const gate = this.#hosts.get(host) ?? this.#meet(host, nowMs)
    const { controller } = gate
    if (gate.paused || gate.nextStartMs > nowMs) {
      if (this.#heldBack(gate, nowMs)) return undefined
    }
    if (controller.inflight >= controller.limit) {
      controller.refused()
      gate.waiting = true
      return undefined
    }
    if (this.#active >= this.#total.now(nowMs)) return this.#refuseForTotal(gate, nowMs)
    if (this.#options.budget && !this.#granted(gate, this.#options.budget)) return undefined
    this.#active++
    if (gate.limits.requestSpacingMs > 0) gate.nextStartMs = nowMs + gate.limits.requestSpacingMs
    return new HostLease(this, gate, controller.acquired(), nowMs)
  }

  onCapacity(listen: (host?: string) => void): () => void {
    this.#capacityListeners.add(listen)
    return () => {
      this.#capacityListeners.delete(listen)
      if (this.#capacityListeners.size === 0) this.#waker.clear()
    }
  }

  pauseHost(host: string, forMs: number, reason: string): void {
    if (!(forMs > 0)) return
    const nowMs = this.#clock.now()
    const gate = this.#hosts.get(host) ?? this.#meet(host, nowMs)
    const lengthMs = forMs + Math.min(forMs * pauseJitter, maxPauseJitterMs) * this.#random()
    const untilMs = nowMs + lengthMs
    gate.controller.disturbed()
    if (untilMs <= gate.pausedUntilMs) return
    gate.pausedUntilMs = untilMs
    gate.paused = true
    this.#emit({ type: 'paused', host, forMs: lengthMs, reason })
  }

  pausedForMs(host: string): number {
    const gate = this.#hosts.get(host)
    return gate ? Math.max(0, gate.pausedUntilMs - this.#clock.now()) : 0
  }

  update(limits: Partial<GovernorLimits>): void {
    const nowMs = this.#clock.now()
    this.#limits = { ...this.#limits, ...limits }
    this.#total.set(this.#limits.total)
    for (const gate of this.#hosts.values()) {
      gate.limits = this.#limitsOf(gate.host)
      gate.nextStartMs = Math.min(gate.nextStartMs, nowMs + gate.limits.requestSpacingMs)
      gate.controller.configure(boundsOf(gate.limits), gate.limits.perHost !== 'auto', nowMs)
    }
    this.#notify(undefined)
  }

  shrinkTotal(reason: string): void {
    const nowMs = this.#clock.now()
    const before = this.#total.now(nowMs)
    const limit = this.#total.shrink(this.#active, nowMs)
    if (limit < before) this.#emit({ type: 'total', limit, reason })
  }

  snapshot(): GovernorSnapshot {
    const nowMs = this.#clock.now()
    const hosts = [...this.#hosts.values()].map((gate) => ({
      host: gate.host,
      active: gate.controller.inflight,
      limit: gate.controller.limit,
      pausedMs: Math.max(0, gate.pausedUntilMs - nowMs),
      phase: gate.controller.phase,
    }))
    return { active: this.#active, hosts }
  }

  onEvent(listen: (event: GovernorEvent) => void): () => void {
    this.#eventListeners.add(listen)
    return () => this.#eventListeners.delete(listen)
  }

  learned(): readonly HostMemory[] {
    for (const gate of this.#hosts.values()) this.#book.note(gate.host, gate.controller)
    return this.#book.all()
  }

  close(): void {
    this.#capacityListeners.clear()
    this.#eventListeners.clear()
    this.#waker.clear()
    this.#stopBudget?.()
    const { budget } = this.#options
    if (!budget) return
    for (const gate of this.#hosts.values()) {
      if (gate.granted > 0) budget.giveBack(gate.host, gate.granted)
      gate.granted = 0
    }
  }

  answered(gate: HostGate, seq: number, startedMs: number): number {
    const nowMs = this.#clock.now()
    gate.controller.answered(seq, nowMs - startedMs)
    return nowMs
  }

  moved(gate: HostGate, count: number): void {
    const before = gate.controller.limit
    gate.controller.moved(count, this.#clock.now())
    if (gate.waiting && gate.controller.limit > before) this.#offer(gate)
  }

  released(gate: HostGate, lease: HostLease, report: LeaseReport): void {
    const nowMs = this.#clock.now()
    const { controller } = gate
    if (lease.answeredMs < 0) controller.answered(lease.seq, nowMs - lease.startedMs)
    this.#active--
    const backoffMs = controller.released(lease, endOf(report, lease.answeredMs >= 0), nowMs)
    if (backoffMs > 0) this.pauseHost(gate.host, backoffMs, 'goes on refusing')
    // Before anybody hears of the room that this release makes.
    const askedMs = report.result === 'throttled' ? report.error?.retryAfterMs : undefined
    if (askedMs !== undefined) {
      this.pauseHost(
        gate.host,
        Math.min(askedMs, this.#options.maxRetryAfterMs ?? longestRetryAfterMs),
        'Retry-After',
      )
    }
    if (this.#options.budget) this.#giveBack(gate, this.#options.budget)
    if (this.#waitingForTotal) this.#notify(undefined)
    else if (gate.waiting) this.#offer(gate)
  }

  #offer(gate: HostGate): void {
    if (gate.controller.inflight >= gate.controller.limit) return
    gate.waiting = false
    this.#notify(gate.host)
  }

  #notify(host: string | undefined): void {
    if (host === undefined) {
      this.#waitingForTotal = false
      for (const listen of this.#capacityListeners) listen()
    } else {
      for (const listen of this.#capacityListeners) listen(host)
    }
  }

  /** Marks the refusal of a paused or spaced host and sees to it that somebody wakes. */
  #heldBack(gate: HostGate, nowMs: number): boolean {
    if (gate.paused && gate.pausedUntilMs <= nowMs) {
      gate.paused = false
      this.#emit({ type: 'resumed', host: gate.host })
    }
    const untilMs = Math.max(gate.paused ? gate.pausedUntilMs : 0, gate.nextStartMs)
    if (untilMs <= nowMs) return false
    gate.controller.disturbed()
    if (this.#capacityListeners.size > 0) this.#waker.wakeAt(untilMs, nowMs)
    return true
  }

  #refuseForTotal(gate: HostGate, nowMs: number): undefined {
    gate.controller.disturbed()
    this.#waitingForTotal = true
    const liftedMs = this.#total.liftedAtMs(nowMs)
    if (liftedMs > 0 && this.#capacityListeners.size > 0) this.#waker.wakeAt(liftedMs, nowMs)
  }

  #granted(gate: HostGate, budget: BudgetSource): boolean {
    const { inflight, limit } = gate.controller
    if (gate.granted > inflight) return true
    const count = Math.max(1, Math.min(limit - inflight, Math.ceil(limit / 8)))
    gate.granted += budget.grant(gate.host, count)
    if (gate.granted > inflight) return true
    gate.controller.disturbed()
    return false
  }

  /** Keeps what the host still wants; an idle host keeps nothing. */
  #giveBack(gate: HostGate, budget: BudgetSource): void {
    const { inflight, limit } = gate.controller
    const keep = inflight === 0 && !gate.waiting ? 0 : Math.max(inflight, Math.min(gate.granted, limit))
    if (keep >= gate.granted) return
    budget.giveBack(gate.host, gate.granted - keep)
    gate.granted = keep
  }

  #woken(): void {
    const nowMs = this.#clock.now()
    for (const gate of this.#hosts.values()) {
      if (!gate.paused || gate.pausedUntilMs > nowMs) continue
      gate.paused = false
      this.#emit({ type: 'resumed', host: gate.host })
    }
    this.#notify(undefined)
  }

  #meet(host: string, nowMs: number): HostGate {
    if (this.#hosts.size >= maxHosts) this.#forgetSome(nowMs)
    const limits = this.#limitsOf(host)
    const controller = new HostController(
      {
        ...boundsOf(limits),
        fixed: limits.perHost !== 'auto',
        overloaded: this.#overloaded,
        onChange: (limit, reason) => this.#emit({ type: 'limit', host, limit, reason }),
      },
      nowMs,
    )
    this.#book.recall(host, controller, nowMs)
    const gate = new HostGate(host, controller, limits)
    this.#hosts.set(host, gate)
    return gate
  }

  /** Looks at the hosts met longest ago and forgets the idle ones, so that a list of millions of hosts fits. */
  #forgetSome(nowMs: number): void {
    let looks = 16
    for (const gate of this.#hosts.values()) {
      if (looks-- === 0) return
      this.#hosts.delete(gate.host)
      this.#book.note(gate.host, gate.controller)
      // A busy one moves to the end, so that the next look finds others.
      if (!gate.idle(nowMs)) this.#hosts.set(gate.host, gate)
    }
  }

  #limitsOf(host: string): HostLimits {
    const own = this.#options.hostLimits?.(host)
    return own ? { ...this.#limits, ...own } : this.#limits
  }

  #emit(event: GovernorEvent): void {
    for (const listen of this.#eventListeners) listen(event)
  }
}

function boundsOf(limits: HostLimits): ControlBounds {
  if (limits.perHost !== 'auto') {
    const given = Math.max(1, limits.perHost)
    return { start: given, floor: given, max: given }
  }
  const max = Math.max(1, limits.maxPerHost)
  return { start: Math.min(startPerHost, max), floor: Math.min(floorPerHost, max), max }
}

export type BrakeCause = 'throttled' | 'errors'

/**
 * One refusal by a host, from the first refused lease to the end of all leases that were in flight then. However
 * many of them are refused, the limit is cut once (as TCP cuts once a window). The refused lease that had the
 * fewest beside it when it started tells how many the host bears.
 */
export class BrakeEpisode {
  /** Leases with lower numbers were in flight when the brake was pulled. */
  readonly fence: number
  readonly startedMs: number
  readonly cause: BrakeCause
  /** Refused so far. */
  refusals = 1
  #open: number
  #lowestRefused: number

  /** `inflight` without the refused lease; `level` is the lowest refused so far. */
  constructor(cause: BrakeCause, inflight: number, level: number, start: { fence: number; nowMs: number }) {
    this.cause = cause
    this.fence = start.fence
    this.startedMs = start.nowMs
    this.#open = inflight
    this.#lowestRefused = level
  }

  /** A lease older than the fence ended. */
  ended(): void {
    this.#open--
  }

  refused(level: number): void {
    this.refusals++
    this.#lowestRefused = Math.min(this.#lowestRefused, level)
  }

  /** Long transfers are not waited for. */
  closed(nowMs: number): boolean {
    return this.#open <= 0 || nowMs - this.startedMs > 3000
  }

  /**
   * Requests at once that the host bore, as far as its refusals tell. A little less than the lowest refused, since
   * some of those beside it were already served when it arrived.
   */
  get borne(): number {
    return Math.max(1, Math.floor((this.#lowestRefused - 1) * 0.97))
  }
}

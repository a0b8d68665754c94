/**
 * One refusal by a host, from the first refused lease to the end of all leases that were in flight then. However
 * many of them are refused, the limit is cut once (as TCP cuts once a window). Those the host did serve tell how
 * many it bears.
 */
export class BrakeEpisode {
  /** Leases with lower numbers were in flight when the brake was pulled. */
  readonly fence: number
  readonly startedMs: number
  readonly inflight: number
  readonly cause: 'throttled' | 'errors'
  #open: number
  #refused = 1

  constructor(cause: 'throttled' | 'errors', inflight: number, fence: number, nowMs: number) {
    this.cause = cause
    this.fence = fence
    this.startedMs = nowMs
    this.inflight = inflight
    this.#open = inflight - 1
  }

  /** A lease older than the fence ended. */
  ended(refused: boolean): void {
    this.#open--
    if (refused) this.#refused++
  }

  /** Long transfers are not waited for. */
  closed(nowMs: number): boolean {
    return this.#open <= 0 || nowMs - this.startedMs > 3000
  }

  /** Requests at once that the host served while it refused others. */
  get borne(): number {
    return Math.max(1, this.inflight - this.#refused)
  }
}

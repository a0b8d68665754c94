/** What a host delivers, per millisecond. `HostLoad.worth` makes one number of it. */
export interface Goodput {
  readonly bytes: number
  readonly requests: number
}

export const noGoodput: Goodput = { bytes: 0, requests: 0 }

/**
 * Counts what a host delivers between two moments. Counters only: nothing is stored per request.
 *
 * The fence is the number of the first lease issued after the window opened. It tells when a window has seen the
 * effect of its own limit, as TCP counts round trips.
 */
export class GoodputWindow {
  startedMs = 0
  bytes = 0
  completions = 0
  fence = 0
  /** Leases older than the fence that wait for their headers. */
  unansweredBefore = 0
  /** A lease issued inside the window has finished: the window is at least one round trip long. */
  turned = false
  /** Something of our own (a pause, spacing, a rate limit, a busy process) held the work back. */
  disturbed = false
  #fullEvents = 0
  #shortEvents = 0

  open(nowMs: number, issued: number, unanswered: number): void {
    this.startedMs = nowMs
    this.bytes = 0
    this.completions = 0
    this.fence = issued
    this.unansweredBefore = unanswered
    this.turned = false
    this.disturbed = false
    this.#fullEvents = 0
    this.#shortEvents = 0
  }

  answered(seq: number): void {
    if (seq < this.fence) this.unansweredBefore--
  }

  moved(bytes: number, full: boolean): void {
    this.bytes += bytes
    this.#countDemand(full)
  }

  completed(seq: number, full: boolean): void {
    this.completions++
    if (seq >= this.fence) this.turned = true
    this.#countDemand(full)
  }

  #countDemand(full: boolean): void {
    if (full) this.#fullEvents++
    else this.#shortEvents++
  }

  /** The caller used the limit for three quarters of the events; else the window says nothing about the limit. */
  get demanded(): boolean {
    return this.#fullEvents >= 3 * this.#shortEvents
  }

  goodput(nowMs: number): Goodput {
    const elapsedMs = nowMs - this.startedMs
    if (elapsedMs <= 0) return noGoodput
    return { bytes: this.bytes / elapsedMs, requests: this.completions / elapsedMs }
  }
}

/** What a host delivers, per millisecond. `HostLoad.worth` makes one number of it. */
export interface Goodput {
  readonly bytes: number
  readonly requests: number
}

export const noGoodput: Goodput = { bytes: 0, requests: 0 }

/** A silence shorter than this is none: events of one turn of the loop are told one after the other. */
const shortestSilenceMs = 5
/** A host that is silent for longer than this at a time may well be so because of what is asked of it. */
const mostForgivenMs = 250

/** Counts what a host delivers between two moments. Counters only: nothing is stored per request. */
export class GoodputWindow {
  startedMs = 0
  bytes = 0
  completions = 0
  /** Number of the first lease issued after the window opened. */
  fence = 0
  /** Leases older than the fence that wait for their headers. */
  unansweredBefore = 0
  /**
   * True at the very moment when the window is a whole number of round trips long: a lease has finished that was
   * issued at the last such moment. Requests that start together end together, so a window cut elsewhere would
   * count a burst too many or too few.
   */
  turned = false
  #turnFence = 0
  /** Something of our own (a pause, spacing, a rate limit, a busy process) held the work back. */
  disturbed = false
  /**
   * Time in which nothing came though a request takes less: hosts, lines and this process stand still now and then,
   * for no reason of the limit. It does not count as time of the window.
   */
  silentMs = 0
  #lastEventMs = 0
  #fullEvents = 0
  #shortEvents = 0

  open(nowMs: number, issued: number, unanswered: number): void {
    this.startedMs = nowMs
    this.bytes = 0
    this.completions = 0
    this.fence = issued
    this.unansweredBefore = unanswered
    this.turned = false
    this.#turnFence = issued
    this.disturbed = false
    this.silentMs = 0
    this.#fullEvents = 0
    this.#shortEvents = 0
  }

  answered(seq: number): void {
    if (seq < this.fence) this.unansweredBefore--
  }

  moved(bytes: number, full: boolean): void {
    this.turned = false
    this.bytes += bytes
    this.#countDemand(full)
  }

  completed(seq: number, issued: number, full: boolean): void {
    this.completions++
    this.turned = seq >= this.#turnFence
    if (this.turned) this.#turnFence = issued
    this.#countDemand(full)
  }

  /** Called with each of both; `usualMs` is the time of a request, 0 while unknown. */
  heard(nowMs: number, usualMs: number): void {
    const quietMs = nowMs - this.#lastEventMs
    if (quietMs > shortestSilenceMs && quietMs > usualMs && usualMs > 0) {
      const sinceMs = Math.max(this.#lastEventMs + Math.max(usualMs, shortestSilenceMs), this.startedMs)
      this.silentMs += Math.min(mostForgivenMs, nowMs - sinceMs)
    }
    this.#lastEventMs = nowMs
  }

  #countDemand(full: boolean): void {
    if (full) this.#fullEvents++
    else this.#shortEvents++
  }

  /** The caller used the limit for three quarters of the events; else the window says nothing about the limit. */
  get demanded(): boolean {
    return this.#fullEvents >= 3 * this.#shortEvents
  }

  /** Length of the window without its silence. */
  heardMs(nowMs: number): number {
    return nowMs - this.startedMs - this.silentMs
  }

  goodput(nowMs: number): Goodput {
    const elapsedMs = this.heardMs(nowMs)
    if (elapsedMs <= 0) return noGoodput
    return { bytes: this.bytes / elapsedMs, requests: this.completions / elapsedMs }
  }
}

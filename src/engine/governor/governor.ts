import type { TrawlError } from '../../core/index.ts'

/**
 * Decides whether one more request may start, for this host, now. Every request holds a `Lease`, those of
 * sources and robots.txt included. One governor serves all jobs of a process.
 */
export interface Governor {
  /**
   * Checks and books in one synchronous step; undefined when there is no room now. A refused caller asks again
   * after `onCapacity`.
   */
  tryAcquire(host: string): Lease | undefined
  /**
   * Called (coalesced, never inside `tryAcquire`, from inside `release` or a timer) whenever a refused request
   * might now be granted: to the host named, or to any host when none is named. Timers run only while somebody
   * listens.
   */
  onCapacity(listen: (host?: string) => void): () => void
  /**
   * Stops new requests to the host for a time. The longest pause wins; up to a tenth (at most 3 s) is added at
   * random. A `throttled` release whose error has `retryAfterMs` does this by itself, before any room is told of.
   */
  pauseHost(host: string, forMs: number, reason: string): void
  /** How long requests to the host are still held back by a pause; 0 when they are not. */
  pausedForMs(host: string): number
  /** Changes limits while running. */
  update(limits: Partial<GovernorLimits>): void
  /**
   * Halves the requests at once over all hosts for a minute, because this process runs out of something, such
   * as file descriptors. Never fails the work: those in flight go on.
   */
  shrinkTotal(reason: string): void
  snapshot(): GovernorSnapshot
  onEvent(listen: (event: GovernorEvent) => void): () => void
  /** Host ceilings learned in this run, to be kept for the next. */
  learned(): readonly HostMemory[]
  close(): void
}

/** The right to one request. Release exactly once; bytes are reported while they arrive. */
export interface Lease {
  readonly host: string
  /** Headers arrived: time to first byte ends. */
  headers(): void
  /** Body bytes arrived. */
  bytes(count: number): void
  release(report: LeaseReport): void
}

export interface LeaseReport {
  /**
   * `ok`: the host answered and did its part, with a 404 too. `throttled`: 429, or 503 that means the same.
   * `error`: the exchange failed; it counts against the host only when `error` is missing or speaks of
   * connections, time or the server, not of this one file or of the local disk.
   */
  readonly result: 'ok' | 'error' | 'throttled' | 'cancelled'
  readonly error?: TrawlError
}

export interface GovernorLimits {
  /** Transfers at once, over all hosts; 'auto' means only the hosts' own limits count. */
  readonly total: number | 'auto'
  readonly perHost: number | 'auto'
  /** Ceiling of 'auto' for one host. */
  readonly maxPerHost: number
  /** Least time between the starts of two requests to one host. */
  readonly requestSpacingMs: number
}

/** The limits one host may have of its own. */
export type HostLimits = Pick<GovernorLimits, 'perHost' | 'maxPerHost' | 'requestSpacingMs'>

export interface HostMemory {
  readonly host: string
  /** The most requests at once that the host bore when it began to refuse or slow down. */
  readonly ceiling: number
  readonly atWallMs: number
}

export interface GovernorSnapshot {
  readonly active: number
  readonly hosts: readonly {
    readonly host: string
    readonly active: number
    readonly limit: number
    readonly pausedMs: number
    /** What the controller is doing: fixed, slow-start, refine, steady or recovery. */
    readonly phase: string
  }[]
}

export type GovernorEvent =
  | { readonly type: 'limit'; readonly host: string; readonly limit: number; readonly reason: string }
  | { readonly type: 'total'; readonly limit: number; readonly reason: string }
  | { readonly type: 'paused'; readonly host: string; readonly forMs: number; readonly reason: string }
  | { readonly type: 'resumed'; readonly host: string }

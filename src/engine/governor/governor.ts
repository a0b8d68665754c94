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
  /** Called (coalesced, never inside `tryAcquire`) whenever a refused request might now be granted. */
  onCapacity(listen: () => void): () => void
  /** Stops new requests to the host for a time, such as Retry-After says. The longest pause wins. */
  pauseHost(host: string, forMs: number, reason: string): void
  /** True while requests to the host are held back by a pause, not by a limit. */
  pausedForMs(host: string): number
  /** Changes limits while running. */
  update(limits: Partial<GovernorLimits>): void
  /** Says that the caller has no more work for the host now, so that a window is not read as a limit reached. */
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

export interface HostMemory {
  readonly host: string
  /** The number of requests at which the host began to refuse or slow down. */
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
  }[]
}

export type GovernorEvent =
  | { readonly type: 'limit'; readonly host: string; readonly limit: number; readonly reason: string }
  | { readonly type: 'paused'; readonly host: string; readonly forMs: number; readonly reason: string }
  | { readonly type: 'resumed'; readonly host: string }

import type { CorpusOptions } from '../corpus.ts'
import { forkOrigin, type ForkedOrigin } from './forked-origin.ts'

/** A server with limits: of rate, or of requests at one time. */
export interface LimitedOriginOptions {
  /** Files at `/NAME`, as `defineCorpus` makes them. */
  readonly corpus?: CorpusOptions
  /** A file of this size at `/large.bin`, as `body('large', size)` of trawl/testing makes it. */
  readonly largeBytes?: number
  /** Bytes a second over each connection, however many requests it carries. */
  readonly connectionRateBps?: number
  /** Bytes a second over all connections. */
  readonly totalRateBps?: number
  /** Time for an answer. */
  readonly serviceMs?: number
  /** More requests at one time than this are answered with 429. */
  readonly refuseAbove?: number
  /** With more requests at one time than this, answers get slower with the square of the excess. */
  readonly slowAbove?: number
}

/** What a limited origin saw since it was asked last. */
export interface LimitedOriginFacts {
  readonly requests: number
  /** How many were answered with 429. */
  readonly refused: number
  readonly connections: number
  readonly maxActive: number
  /** Every tenth of a second: requests being answered, and body bytes sent so far. */
  readonly samples: readonly OriginSample[]
}

/** The state of an origin at one moment. */
export interface OriginSample {
  readonly atMs: number
  readonly active: number
  readonly sentBytes: number
}

/**
 * Starts a limited origin in a process of its own. nginx's `limit_rate` would not do: it lets the first second of
 * every answer through at full speed, so that many short answers are not limited at all.
 */
export function startLimitedOrigin(options: LimitedOriginOptions): Promise<ForkedOrigin<LimitedOriginFacts>> {
  return forkOrigin<LimitedOriginFacts>('limited-server.ts', options)
}

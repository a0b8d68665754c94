import type { CorpusOptions } from '../corpus.ts'
import { forkOrigin, type ForkedOrigin } from './forked-origin.ts'

/** A server of small files of which some answers go wrong. */
export interface FaultyOriginOptions {
  /** Files at `/NAME`, as `defineCorpus` makes them. */
  readonly corpus: CorpusOptions
  /** Part of all requests, 0 to 1, that get a fault. */
  readonly faultShare: number
}

/** What a faulty origin did since it was asked last. */
export interface FaultyOriginFacts {
  readonly requests: number
  /** How often each fault was given. */
  readonly faults: Readonly<Record<string, number>>
  /** Requests being answered, every second. */
  readonly everySecond: readonly number[]
}

/** Starts a faulty origin in a process of its own. */
export function startFaultyOrigin(options: FaultyOriginOptions): Promise<ForkedOrigin<FaultyOriginFacts>> {
  return forkOrigin<FaultyOriginFacts>('faulty-server.ts', options)
}

import { forkOrigin, type ForkedOrigin } from './forked-origin.ts'

/** A server whose every answer comes so late, as from another continent. */
export interface LateOriginOptions {
  /** Files of this folder are served, from memory. */
  readonly root: string
  readonly delayMs: number
}

/** What a late origin saw since it was asked last. */
export interface LateOriginFacts {
  readonly requests: number
  readonly connections: number
  /** Most requests that waited for their answer at one time. */
  readonly maxActive: number
  /** How much later than asked answers went out: the 99th percentile. Large values say that the origin was too slow. */
  readonly lateMsP99: number
  /** Part of a processor that it used while it was busy. */
  readonly cpuMs: number
}

/** Starts a late origin in a process of its own. */
export function startLateOrigin(options: LateOriginOptions): Promise<ForkedOrigin<LateOriginFacts>> {
  return forkOrigin<LateOriginFacts>('late-server.ts', options)
}

import { performance, type EventLoopUtilization } from 'node:perf_hooks'
import type { LoadSignal } from './load-signal.ts'

export interface EventLoopLoadOptions {
  /** Share of the time in which the loop was busy, above which it counts as full. */
  readonly above?: number
  /** Least time between two looks; between them the last answer holds. */
  readonly overMs?: number
}

/** Says whether this thread's event loop is full: then more requests at once bring nothing but waiting. */
export function createEventLoopLoad(options: EventLoopLoadOptions = {}): LoadSignal {
  const { above = 0.95, overMs = 100 } = options
  let last: EventLoopUtilization = performance.eventLoopUtilization()
  let full = false
  return {
    overloaded() {
      const now = performance.eventLoopUtilization()
      if (now.idle + now.active - last.idle - last.active >= overMs) {
        full = performance.eventLoopUtilization(now, last).utilization > above
        last = now
      }
      return full
    },
  }
}

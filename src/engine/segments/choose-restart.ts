import { usualRateOf, workingOn, type PlanView } from './plan-view.ts'
import type { Segment } from './segment-table.ts'

const slowShare = 0.3
const leastAgeMs = 3000
const leastFellows = 3
const mostRestarts = 3
/** Time in which a new connection is as fast as the others. */
const reconnectMs = 3000

/**
 * The segment whose connection is to be given up for a new one: far slower than the median of its fellows, not new,
 * and a new one is expected to be done well before it. The median, because a mean would condemn all healthy
 * connections as soon as one is very fast.
 */
export function chooseRestart(view: PlanView): Segment | undefined {
  const working = workingOn(view.segments)
  const median = usualRateOf(view.segments)
  if (working.length < leastFellows || median <= 0) return undefined
  return working.find((each) => {
    if (each.hedged || each.restarts >= mostRestarts || view.nowMs - each.sinceMs < leastAgeMs) return false
    if (each.rateBps >= median * slowShare) return false
    const left = each.end - each.at
    const remainingMs = (left / Math.max(1, each.rateBps)) * 1000
    return remainingMs > reconnectMs + (2 * left * 1000) / median
  })
}

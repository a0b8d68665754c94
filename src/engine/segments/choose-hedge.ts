import { etaMs, workingOn, type PlanView } from './plan-view.ts'
import type { Segment } from './segment-table.ts'

/** Shorter waits for the end are not worth a second connection. */
const leastEtaMs = 1000
/** A second connection must be expected to end in this part of the time. */
const usefulShare = 1 / 3
/** Share of the file that may be fetched twice, and what small files may have in any case. */
const mostShare = 0.02
const leastAllowedBytes = 256 * 1024

/**
 * The segment to be fetched a second time, when there are connections to spare and nothing left to split: the one
 * that would end last, if a new connection would be done in a third of its time. `hedgedBytes` were fetched twice so
 * far; they stay within 2 % of the file. A segment whose bytes have stopped coming costs nothing to hedge.
 */
export function chooseHedge(view: PlanView, hedgedBytes: number): Segment | undefined {
  if (view.usualBps <= 0) return undefined
  let last: Segment | undefined
  let lastMs = leastEtaMs
  for (const each of workingOn(view.segments)) {
    if (each.hedged) continue
    const remainingMs = remainingOf(each, view)
    if (remainingMs < lastMs) continue
    last = each
    lastMs = remainingMs
  }
  if (!last) return undefined
  const left = last.end - last.at
  const anewMs = view.waitMs + (left / view.usualBps) * 1000
  if (anewMs > lastMs * usefulShare) return undefined
  const lengthBytes = view.segments.at(-1)?.end ?? 0
  // Until the second connection has caught up, both bring the same bytes.
  const twice = left * Math.min(1, last.rateBps / view.usualBps)
  const allowed = Math.max(leastAllowedBytes, lengthBytes * mostShare)
  return hedgedBytes + twice <= allowed ? last : undefined
}

/** A writer without a rate after all that time has stalled. */
function remainingOf(segment: Segment, view: PlanView): number {
  if (segment.rateBps > 0) return etaMs(segment, view.usualBps)
  const silentMs = view.nowMs - segment.sinceMs
  return silentMs > Math.max(leastEtaMs, 4 * view.waitMs) ? Number.MAX_SAFE_INTEGER : 0
}

import { etaMs, mebibyte, workingOn, type PlanView } from './plan-view.ts'
import type { Segment } from './segment-table.ts'

/** Where a segment is to be cut: a new connection takes the bytes from `at` on. */
export interface Split {
  readonly victim: Segment
  readonly at: number
}

/** A file that one connection brings sooner is left to it. */
export const payoffMs = 2000
/** Once a file is split, a further connection must save about this much. */
const furtherPayoffMs = 250
/** Half of what is left is never less than this. */
const leastHalfBytes = mebibyte / 2
const mostPieceBytes = 64 * mebibyte
/** A piece lasts about as long as the transfer has lasted so far, within these bounds. */
const shortestPieceMs = 1000
const longestPieceMs = 6000

/**
 * Where one more connection would help most: at the end of the segment that would take its writer longest. It takes
 * a piece of some seconds, or half of what is left where that is less; near the end of the file pieces get shorter,
 * so that all connections end together. Undefined while no cut pays: the rates are not known yet, the file is nearly
 * done, or a new connection would take as long to answer as it would save.
 */
export function chooseSplit(view: PlanView): Split | undefined {
  const working = workingOn(view.segments)
  const asked = view.split !== undefined
  let victim: Segment | undefined
  let longestMs = asked ? 0 : leastEtaMs(view, working.length)
  for (const each of working) {
    if (each.hedged || each.end - each.at < 2 * leastHalfBytes) continue
    const remainingMs = etaMs(each, view.usualBps)
    if (!asked && remainingMs === Number.POSITIVE_INFINITY) continue
    if (remainingMs < longestMs) continue
    if (remainingMs === longestMs && victim && each.end - each.at <= victim.end - victim.at) continue
    victim = each
    longestMs = remainingMs
  }
  if (!victim) return undefined
  const left = victim.end - victim.at
  const bytes = Math.min(pieceBytes(view, working), Math.floor(left / 2))
  return { victim, at: align(victim.end - bytes, victim) }
}

function leastEtaMs(view: PlanView, connections: number): number {
  return connections <= 1 ? payoffMs : Math.max(furtherPayoffMs, 4 * view.waitMs)
}

function pieceBytes(view: PlanView, working: readonly Segment[]): number {
  const remaining = view.segments.reduce((sum, each) => sum + each.end - each.at, 0)
  if (view.split !== undefined) return Math.max(view.leastPieceBytes, remaining / view.split)
  const ageMs = view.nowMs - view.startedMs
  const lastingMs = Math.min(longestPieceMs, Math.max(shortestPieceMs, ageMs))
  const share = remaining / (2 * Math.max(1, working.length))
  // A piece that is over sooner than a few waits for an answer would leave connections idle.
  const least = Math.max(view.leastPieceBytes, (view.usualBps * 4 * view.waitMs) / 1000)
  return Math.min(mostPieceBytes, Math.max(least, Math.min((view.usualBps * lastingMs) / 1000, share)))
}

/** To a mebibyte where both parts stay long enough: disks and caches like round offsets. */
function align(at: number, { at: start, end }: Segment): number {
  const rounded = Math.round(at / mebibyte) * mebibyte
  return rounded - start >= leastHalfBytes && end - rounded >= leastHalfBytes ? rounded : Math.round(at)
}

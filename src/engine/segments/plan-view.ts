import type { Segment } from './segment-table.ts'

/** All that decisions about a file under way depend on: they are pure functions of this. */
export interface PlanView {
  readonly segments: readonly Segment[]
  readonly nowMs: number
  readonly startedMs: number
  /** From the start of a request to its headers, lately; 0 while unknown. */
  readonly waitMs: number
  /** Bytes a second that a connection brings, as `usualRateOf` last knew it; 0 while unknown. */
  readonly usualBps: number
  /** Segments at once that the user asked for; undefined leaves it to the plan. */
  readonly split: number | undefined
  /** Pieces are not made smaller than this: larger where each piece costs a comparison. */
  readonly leastPieceBytes: number
}

export const mebibyte = 1024 * 1024

/** The median rate of the connections at work; 0 while none is known. One slow or fast connection does not move it. */
export function usualRateOf(segments: readonly Segment[]): number {
  const rates = segments
    .filter((each) => each.taken && each.rateBps > 0)
    .map((each) => each.rateBps)
    .toSorted((a, b) => a - b)
  return rates[Math.floor(rates.length / 2)] ?? 0
}

/** Milliseconds until the writer of a segment is done; Infinity while nothing is known of its rate. */
export function etaMs(segment: Segment, usualBps: number): number {
  const left = segment.end - segment.at
  const rate = segment.rateBps > 0 ? segment.rateBps : usualBps
  return rate > 0 ? (left / rate) * 1000 : Number.POSITIVE_INFINITY
}

/** Segments with a writer that is not done. */
export function workingOn(segments: readonly Segment[]): Segment[] {
  return segments.filter((each) => each.taken && each.at < each.end)
}

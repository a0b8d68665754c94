import type { Extent } from '../../core/index.ts'

/** A range of the file with one writer at a time. Bytes from `start` up to `at` are there. */
export interface Segment {
  readonly start: number
  at: number
  end: number
  /** CRC-32 of the bytes from `start` to `at`. */
  crc32: number
  taken: boolean
  /** Bytes a second of its present writer. */
  rateBps: number
  restarts: number
}

export interface SplitRule {
  /** Neither part of a split segment gets shorter. */
  readonly minBytes: number
  /** A segment that will be done sooner is left to its writer. */
  readonly minRemainingMs: number
}

/**
 * The plan of one file: segments that partition it at every moment, whatever is split, stolen, given up or finished.
 * Pure bookkeeping; knows nothing of connections.
 */
export class SegmentTable {
  readonly lengthBytes: number
  #segments: Segment[] = []

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes
    if (lengthBytes > 0) this.#segments.push(newSegment(0, 0, lengthBytes, 0))
  }

  /** Marks bytes of an earlier run as there, with their checksum. */
  fill(extent: Extent, crc32: number): void {
    const index = this.#segments.findIndex((each) => each.at <= extent.start && each.end >= extent.end)
    const segment = this.#segments[index]
    if (!segment || segment.taken) return
    const parts = [newSegment(extent.start, extent.end, extent.end, crc32)]
    if (extent.start > segment.start)
      parts.unshift(newSegment(segment.start, segment.at, extent.start, segment.crc32))
    if (extent.end < segment.end) parts.push(newSegment(extent.end, extent.end, segment.end, 0))
    this.#segments.splice(index, 1, ...parts)
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  get isDone(): boolean {
    return this.#segments.every((each) => each.at >= each.end)
  }

  get remainingBytes(): number {
    return this.#segments.reduce((sum, each) => sum + (each.end - each.at), 0)
  }

  /** The segment without a writer that has most to do; undefined when all are taken or done. */
  takeFree(): Segment | undefined {
    let best: Segment | undefined
    for (const each of this.#segments) {
      if (each.taken || each.at >= each.end) continue
      if (!best || each.end - each.at > best.end - best.at) best = each
    }
    if (best) best.taken = true
    return best
  }

  /**
   * Takes the second half of the segment that would take its writer longest. The first writer sees a nearer end
   * and stops there. Undefined when no segment is worth it.
   */
  steal(rule: SplitRule): Segment | undefined {
    let victim: Segment | undefined
    let longestMs = rule.minRemainingMs
    for (const each of this.#segments) {
      const left = each.end - each.at
      if (!each.taken || left < 2 * rule.minBytes) continue
      const remainingMs = each.rateBps > 0 ? (left / each.rateBps) * 1000 : Number.MAX_SAFE_INTEGER
      if (remainingMs < longestMs) continue
      if (remainingMs === longestMs && victim && left <= victim.end - victim.at) continue
      victim = each
      longestMs = remainingMs
    }
    if (!victim) return undefined
    const middle = align(
      victim.at + Math.floor((victim.end - victim.at) / 2),
      victim.at,
      victim.end,
      rule.minBytes,
    )
    const part = newSegment(middle, middle, victim.end, 0)
    part.taken = true
    victim.end = middle
    this.#segments.splice(this.#segments.indexOf(victim) + 1, 0, part)
    return part
  }

  /** The writer gave up or ended; what is left is free for another. */
  release(segment: Segment): void {
    segment.taken = false
    segment.rateBps = 0
  }
}

function newSegment(start: number, at: number, end: number, crc32: number): Segment {
  return { start, at, end, crc32, taken: false, rateBps: 0, restarts: 0 }
}

/** To a mebibyte where the parts stay long enough: disks and caches like round offsets. */
function align(middle: number, start: number, end: number, minBytes: number): number {
  const rounded = Math.round(middle / 1048576) * 1048576
  return rounded - start >= minBytes && end - rounded >= minBytes ? rounded : middle
}

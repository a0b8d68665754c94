import type { Extent } from '../../core/index.ts'
import { combineCrc32 } from '../verify/index.ts'

/** A range of the file with one writer at a time. Bytes from `start` up to `at` are there. */
export interface Segment {
  readonly start: number
  at: number
  end: number
  /** CRC-32 of the bytes from `start` to `at`. */
  crc32: number
  taken: boolean
  /** Bytes a second of its present writer; 0 while they are not known. */
  rateBps: number
  /** When its present writer began, in the runner's clock. */
  sinceMs: number
  /** Writers that were given up for being slow. */
  restarts: number
  /** A second connection fetches it too. */
  hedged: boolean
}

/**
 * The plan of one file: segments that partition it at every moment, whatever is split, stolen, given up or finished.
 * Pure bookkeeping; knows nothing of connections, and decides nothing.
 */
export class SegmentTable {
  readonly lengthBytes: number
  readonly #segments: Segment[] = []

  constructor(lengthBytes: number) {
    this.lengthBytes = lengthBytes
    if (lengthBytes > 0) this.#segments.push(newSegment(0, 0, lengthBytes, 0))
  }

  /** Marks bytes of an earlier run as there, with their checksum. */
  mark(extent: Extent, crc32: number): void {
    const index = this.#segments.findIndex((each) => each.at <= extent.start && each.end >= extent.end)
    const segment = this.#segments[index]
    if (!segment || segment.taken) return
    const parts = [newSegment(extent.start, extent.end, extent.end, crc32)]
    if (extent.start > segment.start)
      parts.unshift(newSegment(segment.start, segment.at, extent.start, segment.crc32))
    if (extent.end < segment.end) parts.push(newSegment(extent.end, extent.end, segment.end, 0))
    this.#segments.splice(index, 1, ...parts)
    this.#join(extent.start > segment.start ? index + 1 : index)
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

  /** Something is missing that nobody fetches. */
  get hasFree(): boolean {
    return this.#segments.some(isFree)
  }

  /** CRC-32 of the whole file, once it is done. */
  get crc32(): number {
    let sum = 0
    for (const { start, end, crc32 } of this.#segments) sum = combineCrc32(sum, crc32, end - start)
    return sum
  }

  /** Takes the segment without a writer that has most to do; undefined when all are taken or done. */
  takeFree(): Segment | undefined {
    let best: Segment | undefined
    for (const each of this.#segments) {
      if (isFree(each) && (!best || each.end - each.at > best.end - best.at)) best = each
    }
    return best && take(best)
  }

  /** Takes the first segment without a writer that misses bytes at or after `offset`, and none before. */
  takeFreeFrom(offset: number): Segment | undefined {
    const found = this.#segments.find((each) => isFree(each) && each.at >= offset)
    return found && take(found)
  }

  /**
   * Takes the bytes from `at` on from a segment, which ends there now: its writer sees the nearer end and stops.
   * Undefined when there is nothing of it left to take.
   */
  split(victim: Segment, at: number): Segment | undefined {
    const index = this.#segments.indexOf(victim)
    if (index < 0 || at <= victim.at || at >= victim.end) return undefined
    const part = take(newSegment(at, at, victim.end, 0))
    victim.end = at
    this.#segments.splice(index + 1, 0, part)
    return part
  }

  /**
   * Lets the writer of a segment go on into the next one, up to `until`, where that is untouched and free. False when
   * it is not.
   */
  extend(segment: Segment, until: number): boolean {
    const index = this.#segments.indexOf(segment)
    const next = this.#segments[index + 1]
    if (!next || next.taken || next.at > next.start || next.start >= until) return false
    if (until >= next.end) this.#segments.splice(index + 1, 1)
    else this.#segments[index + 1] = newSegment(until, until, next.end, 0)
    segment.end = Math.min(until, next.end)
    return true
  }

  /** The writer gave up or ended; what is left is free for another. Neighbours that are done become one. */
  release(segment: Segment): void {
    segment.taken = false
    segment.hedged = false
    segment.rateBps = 0
    const index = this.#segments.indexOf(segment)
    if (index >= 0 && isDone(segment)) this.#join(index)
  }

  /** Makes one of a segment that is done and its neighbours that are. */
  #join(index: number): void {
    let first = index
    while (first > 0 && this.#joinNext(first - 1)) first--
    this.#joinNext(first)
  }

  #joinNext(index: number): boolean {
    const [first, second] = [this.#segments[index], this.#segments[index + 1]]
    if (!first || !second || !isDone(first) || !isDone(second)) return false
    const sum = combineCrc32(first.crc32, second.crc32, second.end - second.start)
    this.#segments.splice(index, 2, newSegment(first.start, second.end, second.end, sum))
    return true
  }
}

function newSegment(start: number, at: number, end: number, crc32: number): Segment {
  return { start, at, end, crc32, taken: false, rateBps: 0, sinceMs: 0, restarts: 0, hedged: false }
}

function take(segment: Segment): Segment {
  segment.taken = true
  return segment
}

function isFree(segment: Segment): boolean {
  return !segment.taken && segment.at < segment.end
}

/** Whole, and nobody holds on to it. */
function isDone(segment: Segment): boolean {
  return !segment.taken && segment.at >= segment.end
}

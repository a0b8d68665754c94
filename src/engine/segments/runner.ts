import type { Place } from '../../core/index.ts'
import type { TransportResponse } from '../../http/index.ts'
import type { Lease } from '../governor/index.ts'
import type { PartDigest } from '../verify/index.ts'
import type { Segment } from './segment-table.ts'

/** One connection at work on one segment. */
export class Runner {
  readonly segment: Segment
  readonly lease: Lease
  readonly place: Place
  readonly startedMs: number
  receivedBytes = 0
  response: TransportResponse | undefined
  /** Bytes to compare before new ones are taken. */
  overlap: Buffer | undefined
  /** The answer is to a request with If-Range. */
  sentIfRange = false
  /** The origin that answered gave bytes of this file before. */
  isKnown = true
  /** Of this answer alone. */
  partDigest: PartDigest | undefined
  /** Given up for a faster one. */
  given = false
  #measuredBytes = 0
  #measuredMs: number

  constructor(segment: Segment, lease: Lease, place: Place, nowMs: number) {
    this.segment = segment
    this.lease = lease
    this.place = place
    this.startedMs = nowMs
    this.#measuredMs = nowMs
  }

  measure(nowMs: number): void {
    const elapsedMs = nowMs - this.#measuredMs
    if (elapsedMs <= 0) return
    const rate = ((this.receivedBytes - this.#measuredBytes) * 1000) / elapsedMs
    const { segment } = this
    segment.rateBps = segment.rateBps === 0 ? rate : segment.rateBps * 0.6 + rate * 0.4
    this.#measuredBytes = this.receivedBytes
    this.#measuredMs = nowMs
  }
}

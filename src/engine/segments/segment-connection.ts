import { headerValue, parseContentLength, type TransportResponse } from '../../http/index.ts'
import type { Place } from '../../core/index.ts'
import type { Lease } from '../governor/index.ts'
import type { PartDigest } from '../verify/index.ts'
import type { Seam } from './seam-check.ts'
import type { Segment } from './segment-table.ts'

/** A first rate is known after so long, or sooner when so much has come. */
const firstRateMs = 250
const soonestRateMs = 50
const soonestRateBytes = 256 * 1024
const weight = 0.4

/** One connection at work on one segment. */
export class SegmentConnection {
  segment: Segment
  readonly lease: Lease
  readonly place: Place
  readonly startedMs: number
  /** It may write; false while it only fetches what another connection fetches too. */
  owns: boolean
  /** Given up for another; what still comes is not wanted. */
  isGivenUp = false
  response: TransportResponse | undefined
  /** Offset in the file of the next byte of the body. */
  position = 0
  /** One after the last byte of the file that the body holds. */
  bodyEnd = 0
  seam: Seam | undefined
  /** The body is the whole file, because there are no ranges: what is there of it is passed over. */
  isWhole = false
  /** The origin that answered gave bytes of the file before. */
  isKnown = true
  /** What the answer says of its own bytes alone. */
  partDigest: PartDigest | undefined
  /** Bytes a second; 0 while unknown. */
  rateBps = 0
  receivedBytes = 0
  /** The body has as many bytes as it should, by its own word. */
  #isExact = false
  readonly #abort = new AbortController()
  #measuredBytes = 0
  #measuredMs = 0

  constructor(
    segment: Segment,
    granted: { readonly lease: Lease; readonly place: Place },
    how: { readonly owns: boolean; readonly nowMs: number },
  ) {
    this.segment = segment
    this.lease = granted.lease
    this.place = granted.place
    this.owns = how.owns
    this.startedMs = how.nowMs
    if (how.owns) this.#announce()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Bytes come now, but nothing is known of their rate. */
  get isUnmeasured(): boolean {
    return this.response !== undefined && this.rateBps === 0
  }

  /** All of the body has come that will, and it ends by itself. */
  get endsHere(): boolean {
    return this.#isExact && this.position === this.bodyEnd
  }

  answered(response: TransportResponse, start: number, end: number, nowMs: number): void {
    this.response = response
    this.position = start
    this.bodyEnd = end
    this.#isExact = parseContentLength(headerValue(response.headers, 'content-length')) === end - start
    this.#measuredMs = nowMs
  }

  /** From now on it is the writer of its segment. */
  takeOver(): void {
    this.owns = true
    this.segment.hedged = false
    this.#announce()
  }

  /** Goes on with another segment over the same body. */
  moveTo(segment: Segment): void {
    this.segment = segment
    this.#announce()
  }

  giveUp(): void {
    if (this.isGivenUp) return
    this.isGivenUp = true
    if (this.response) this.response.body.cancel()
    else this.#abort.abort()
  }

  /** Brings the rate up to date, where enough has come or long enough nothing. */
  measure(nowMs: number): void {
    if (!this.response) return
    const elapsedMs = nowMs - this.#measuredMs
    const bytes = this.receivedBytes - this.#measuredBytes
    const soon = elapsedMs >= soonestRateMs && bytes >= soonestRateBytes
    if (this.rateBps === 0 ? elapsedMs < firstRateMs && !soon : elapsedMs < soonestRateMs) return
    const rate = (bytes * 1000) / elapsedMs
    this.rateBps = this.rateBps === 0 ? rate : this.rateBps + (rate - this.rateBps) * weight
    this.#measuredBytes = this.receivedBytes
    this.#measuredMs = nowMs
    if (this.owns) this.segment.rateBps = this.rateBps
  }

  #announce(): void {
    this.segment.rateBps = this.rateBps
    this.segment.sinceMs = this.startedMs
  }
}

import { AnnouncedFile, partDigestOf } from '../verify/index.ts'
import type { MirrorSet } from '../mirrors/index.ts'
import { areWeak, refuseHtml } from './range-answer.ts'
import { askForRange, type RangeSource } from './range-request.ts'
import type { SeamCheck } from './seam-check.ts'
import type { SegmentConnection } from './segment-connection.ts'
import type { SegmentedTransferOptions } from './segmented-transfer-options.ts'

/** Sends the requests of one file's connections, and remembers what the answers have in common. */
export class ConnectionOpener {
  /** What servers say of the bytes of the whole file. */
  readonly announced: AnnouncedFile
  /** From the start of a request to its answer, smoothed; 0 while unknown. */
  waitMs = 0
  readonly #options: SegmentedTransferOptions
  readonly #mirrors: MirrorSet
  readonly #seams: () => SeamCheck
  readonly #source: RangeSource

  constructor(options: SegmentedTransferOptions, mirrors: MirrorSet, seams: () => SeamCheck) {
    this.#options = options
    this.#mirrors = mirrors
    this.#seams = seams
    this.announced = new AnnouncedFile(options.order.task.digests, options.digest)
    this.#source = {
      ...options,
      headers: options.order.task.headers,
      check: (response) => {
        refuseHtml(response, options.contentType)
        this.announced.check(response, mirrors.size)
      },
    }
  }

  /**
   * Asks for what the segment of a connection misses, or for the whole file where there are no ranges. `alone`: no
   * other connection is at work. Throws as `askForRange` does, and ERR_CONTENT_UNEXPECTED, ERR_DIGEST_MISMATCH.
   */
  async open(
    connection: SegmentConnection,
    how: { readonly alone: boolean; readonly whole: boolean },
  ): Promise<void> {
    const { validators, clock, lengthBytes } = this.#options
    const { segment, place } = connection
    connection.isWhole = how.whole
    const origin = this.#mirrors.originOf(place)
    const isUnsure = origin === undefined || areWeak(validators[origin])
    let seam = isUnsure ? this.#seams().before(segment.at) : undefined
    for (;;) {
      const wish = {
        place,
        origin,
        ...how,
        start: how.whole ? 0 : (seam?.start ?? segment.at),
        end: how.whole ? lengthBytes : segment.end,
        onHeaders: (from: string, isKnown: boolean) => {
          connection.lease.headers()
          connection.isKnown &&= isKnown
          this.#mirrors.answered(place, from)
        },
        signal: connection.signal,
      }
      const { response, start, end } = await askForRange(this.#source, wish)
      if (!connection.isKnown && !seam && start > 0) {
        // An origin that has given nothing yet: what it has is compared with what is there.
        seam = this.#seams().before(segment.at)
        if (seam) {
          response.body.cancel()
          continue
        }
      }
      connection.seam = seam
      connection.partDigest = partDigestOf(response)
      connection.isWhole = how.whole || start < wish.start
      const nowMs = clock.now()
      const waitMs = nowMs - connection.startedMs
      this.waitMs = this.waitMs === 0 ? waitMs : this.waitMs + (waitMs - this.waitMs) / 4
      connection.answered(response, start, end, nowMs)
      return
    }
  }
}

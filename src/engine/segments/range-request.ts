import { TrawlError, type Clock, type Place, type Validators } from '../../core/index.ts'
import {
  formatRange,
  headerValue,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from '../../http/index.ts'
import { judgeResponse } from '../transfer/judge-response.ts'
import type { HostQuirks } from './host-quirks.ts'
import { ifRangeOf, judgeRangeAnswer, validatorsOf, type RangeVerdict } from './range-answer.ts'

/** What requests for parts of one file have in common. */
export interface RangeSource {
  readonly transport: Transport
  readonly clock: Clock
  readonly headers: Readonly<Record<string, string>> | undefined
  readonly lengthBytes: number
  /** By the origin that answered, as far as known; what new origins say is added. */
  readonly validators: Record<string, Validators>
  readonly quirks: HostQuirks
  readonly hostOf: (url: string) => string
  /** Throws where an answer cannot be of this file for other reasons than its range. */
  readonly check: (response: TransportResponse) => void
}

export interface RangeWish {
  readonly place: Place
  /** The origin that is expected to answer; undefined where it is another each time. */
  readonly origin: string | undefined
  readonly start: number
  readonly end: number
  /** The server has no ranges: the whole file is asked for. */
  readonly whole: boolean
  /** No other connection is at work on the file, so that the whole is welcome where only a part was asked for. */
  readonly alone: boolean
  /** Called whenever headers came: from where, and whether bytes of the file came from there before. */
  readonly onHeaders: (origin: string, isKnown: boolean) => void
  readonly signal: AbortSignal
}

/** An answer whose body begins at `start` of the file and ends at `end`. */
export interface RangeReply {
  readonly response: TransportResponse
  readonly start: number
  readonly end: number
}

/**
 * Asks one place for a part of a file and makes sure that what comes is that part, of the version that was there
 * before. Where a server answers If-Range with the whole file, it is asked once more without, and the answer's own
 * validators decide; where only the tag differs, it is asked once more whether the tag stands still. Throws
 * ERR_ENTITY_CHANGED, ERR_RANGE_IGNORED, ERR_RANGE_INVALID, and what the transport and the status amount to.
 */
export async function askForRange(source: RangeSource, wish: RangeWish): Promise<RangeReply> {
  const { quirks, validators, hostOf } = source
  let condition = wish.whole ? undefined : conditionOf(source, wish.origin)
  let refusedCondition = false
  let rivalTag: string | undefined
  for (;;) {
    const response = await source.transport.send(requestOf(wish, source.headers, condition), {
      signal: wish.signal,
    })
    const origin = hostOf(response.url)
    wish.onHeaders(origin, validators[origin] !== undefined)
    const verdict = verdictOf(source, wish, response)
    if (verdict.kind === 'part') {
      if (refusedCondition) quirks.noteRefusedIfRange(origin)
      validators[origin] ??= validatorsOf(response)
      return { response, start: wish.start, end: verdict.end }
    }
    if (verdict.kind === 'whole') {
      if (condition === undefined) return wholeReply(source, wish, response)
      refusedCondition = true
    } else {
      const tag = headerValue(response.headers, 'etag')
      if (!verdict.tagOnly || rivalTag === tag) {
        response.body.cancel()
        throw new TrawlError('ERR_ENTITY_CHANGED', verdict.message, { context: { url: response.url } })
      }
      if (rivalTag !== undefined) {
        // A third tag, or the first one again: the file stands still, its tags do not.
        quirks.noteRestlessTags(origin)
        validators[origin] = withoutTag(validators[origin])
      }
      rivalTag = tag
    }
    response.body.cancel()
    condition = undefined
  }
}

/** The validators of an origin whose tags say nothing. */
export function withoutTag(validators: Validators | undefined): Validators {
  return validators?.lastModified === undefined ? {} : { lastModified: validators.lastModified }
}

function conditionOf({ quirks, validators }: RangeSource, origin: string | undefined): string | undefined {
  return origin === undefined || quirks.refusesIfRange(origin) ? undefined : ifRangeOf(validators[origin])
}

function verdictOf(source: RangeSource, wish: RangeWish, response: TransportResponse): RangeVerdict {
  const { clock, lengthBytes, validators, hostOf } = source
  const { start, end } = wish
  try {
    source.check(response)
    const error = response.status === 416 ? undefined : judgeResponse(response, clock)
    if (error) throw error
    const known = validators[hostOf(response.url)]
    return judgeRangeAnswer(response, { start, end, lengthBytes, validators: known })
  } catch (error) {
    response.body.cancel()
    throw error
  }
}

function wholeReply(source: RangeSource, wish: RangeWish, response: TransportResponse): RangeReply {
  if (wish.alone) {
    source.validators[source.hostOf(response.url)] ??= validatorsOf(response)
    return { response, start: 0, end: source.lengthBytes }
  }
  response.body.cancel()
  throw new TrawlError('ERR_RANGE_IGNORED', 'the server sent the whole file in answer to a range', {
    context: { url: response.url, status: response.status },
  })
}

function requestOf(
  { place, start, end, whole }: RangeWish,
  taskHeaders: Readonly<Record<string, string>> | undefined,
  condition: string | undefined,
): TransportRequest {
  const headers: Record<string, string> = { ...taskHeaders, ...place.headers }
  if (!whole) headers['range'] = formatRange(start, end)
  if (condition !== undefined) headers['if-range'] = condition
  return { method: 'GET', url: place.url, headers }
}

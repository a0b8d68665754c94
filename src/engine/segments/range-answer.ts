import { TrawlError, type Validators } from '../../core/index.ts'
import {
  headerValue,
  parseContentLength,
  parseContentRange,
  parseEntityTag,
  parseUnsatisfiedRange,
  type TransportResponse,
} from '../../http/index.ts'

export interface RangeQuestion {
  readonly start: number
  /** One after the last byte wanted. */
  readonly end: number
  readonly lengthBytes: number
  /** What the same origin said before; undefined for an origin that was not asked yet. */
  readonly validators: Validators | undefined
}

/** What came in answer to a range. */
export type RangeVerdict =
  /** The bytes from the start that was asked for up to `end`, which may be less than was asked for. */
  | { readonly kind: 'part'; readonly end: number }
  /** The whole file in place of a part of it; the same version as far as the answer tells. */
  | { readonly kind: 'whole' }
  /** Another version. `tagOnly`: only the entity tag says so; length and date, where told, are the same. */
  | { readonly kind: 'changed'; readonly tagOnly: boolean; readonly message: string }

/**
 * Judges an answer to a range request: does it hold the bytes that were asked for, of the version that was asked for
 * (RFC 9110, 14.4 and 15.3.7)? Throws ERR_RANGE_INVALID where it does not say, or says something else, and
 * ERR_RANGE_IGNORED for a 416 though the range is there.
 */
export function judgeRangeAnswer(response: TransportResponse, question: RangeQuestion): RangeVerdict {
  const { status, headers } = response
  if (status === 200) return judgeWhole(response, question)
  if (status === 416) return judgeUnsatisfied(response, question)
  if (status !== 206) throw refused(response, 'ERR_RANGE_INVALID', `the server answered ${status} to a range`)
  refuseCoding(response)
  const range = parseContentRange(headerValue(headers, 'content-range'))
  if (!range || range.unit !== 'bytes') {
    const several = headerValue(headers, 'content-type')?.toLowerCase().startsWith('multipart/byteranges')
    const what = several ? 'came as multipart/byteranges' : 'does not say which part it is'
    throw refused(response, 'ERR_RANGE_INVALID', `a partial answer ${what}`)
  }
  const { lengthBytes, start, end } = question
  if (range.totalBytes !== undefined && range.totalBytes !== lengthBytes) {
    return changed(false, `the file has ${range.totalBytes} bytes now, it had ${lengthBytes}`)
  }
  if (range.start !== start || range.end > end) {
    const [asked, came] = [`${start}-${end - 1}`, `${range.start}-${range.end - 1}`]
    throw refused(response, 'ERR_RANGE_INVALID', `bytes ${asked} were asked for, ${came} came`)
  }
  return differs(question.validators, validatorsOf(response)) ?? { kind: 'part', end: range.end }
}

function judgeWhole(response: TransportResponse, question: RangeQuestion): RangeVerdict {
  refuseCoding(response)
  const length = parseContentLength(headerValue(response.headers, 'content-length'))
  if (length !== undefined && length !== question.lengthBytes) {
    return changed(false, `the file has ${length} bytes now, it had ${question.lengthBytes}`)
  }
  return differs(question.validators, validatorsOf(response)) ?? { kind: 'whole' }
}

function judgeUnsatisfied(response: TransportResponse, question: RangeQuestion): RangeVerdict {
  const total = parseUnsatisfiedRange(headerValue(response.headers, 'content-range'))
  if (total !== undefined && total !== question.lengthBytes) {
    return changed(false, `the file has ${total} bytes now, it had ${question.lengthBytes}`)
  }
  throw refused(response, 'ERR_RANGE_IGNORED', 'the server answered 416 to a range that it has')
}

function refuseCoding(response: TransportResponse): void {
  const coding = headerValue(response.headers, 'content-encoding')?.trim().toLowerCase()
  if (coding === undefined || coding === '' || coding === 'identity') return
  throw refused(response, 'ERR_RANGE_INVALID', `a part of the file came as ${coding}`)
}

function refused(
  response: TransportResponse,
  code: 'ERR_RANGE_INVALID' | 'ERR_RANGE_IGNORED',
  message: string,
): TrawlError {
  return new TrawlError(code, message, { context: { url: response.url, status: response.status } })
}

function changed(tagOnly: boolean, message: string): RangeVerdict {
  return { kind: 'changed', tagOnly, message }
}

/**
 * Throws ERR_CONTENT_UNEXPECTED where a page of HTML comes in place of a part of a file that is none: a session has
 * ended, or a portal stands in between. What is there of the file stays.
 */
export function refuseHtml(response: TransportResponse, contentType: string | undefined): void {
  if (contentType === undefined || isHtml(contentType) || response.status >= 400) return
  if (!isHtml(headerValue(response.headers, 'content-type') ?? '')) return
  throw new TrawlError(
    'ERR_CONTENT_UNEXPECTED',
    'the server sent an HTML page instead of the rest of the file',
    {
      context: { url: response.url, status: response.status },
    },
  )
}

function isHtml(contentType: string): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(contentType)
}

export function validatorsOf(response: TransportResponse): Validators {
  const etag = headerValue(response.headers, 'etag')
  const lastModified = headerValue(response.headers, 'last-modified')
  return { ...(etag === undefined ? {} : { etag }), ...(lastModified === undefined ? {} : { lastModified }) }
}

/** The value for If-Range: a strong tag, else the date; undefined when neither can be used (RFC 9110, 13.1.5). */
export function ifRangeOf(validators: Validators | undefined): string | undefined {
  if (isStrong(validators?.etag)) return validators?.etag
  return validators?.lastModified
}

/** True when nothing identifies the version surely: then bytes that are there are compared too. */
export function areWeak(validators: Validators | undefined): boolean {
  return !isStrong(validators?.etag)
}

function isStrong(etag: string | undefined): boolean {
  const tag = parseEntityTag(etag)
  return tag !== undefined && !tag.weak
}

/**
 * Whether two answers of one origin speak of different versions. Different weak tags alone do not: some servers make
 * a new one for each answer; then the date decides.
 */
function differs(before: Validators | undefined, now: Validators): RangeVerdict | undefined {
  if (!before) return undefined
  const [was, is] = [parseEntityTag(before.etag), parseEntityTag(now.etag)]
  const dates = before.lastModified !== undefined && now.lastModified !== undefined
  const otherDate = dates && before.lastModified !== now.lastModified
  if (was && is && !was.weak && !is.weak) {
    return was.value === is.value ? undefined : changed(!otherDate, 'the file changed on the server')
  }
  return otherDate ? changed(false, 'the file changed on the server') : undefined
}

import { TrawlError, type Validators } from '../../core/index.ts'
import { headerValue, parseContentRange, parseEntityTag, type TransportResponse } from '../../http/index.ts'

export interface RangeQuestion {
  readonly start: number
  /** One after the last byte wanted. */
  readonly end: number
  readonly lengthBytes: number
  /** What the same origin said before; undefined for an origin that was not asked yet. */
  readonly validators: Validators | undefined
}

/**
 * Checks that an answer holds the bytes that were asked for, of the version that was asked for (RFC 9110, 14.4 and
 * 15.3.7). A shorter end is allowed. Throws ERR_RANGE_INVALID, ERR_RANGE_IGNORED (200 with the same version),
 * ERR_ENTITY_CHANGED.
 */
export function checkRangeAnswer(response: TransportResponse, question: RangeQuestion): void {
  const { status, headers, url } = response
  const fail = (
    code: 'ERR_RANGE_INVALID' | 'ERR_RANGE_IGNORED' | 'ERR_ENTITY_CHANGED',
    message: string,
  ): never => {
    throw new TrawlError(code, message, { context: { url, status } })
  }
  const changed = differs(question.validators, validatorsOf(response))
  if (status === 200) {
    const length = Number(headerValue(headers, 'content-length') ?? Number.NaN)
    if (changed || (Number.isFinite(length) && length !== question.lengthBytes)) {
      fail('ERR_ENTITY_CHANGED', 'the file changed on the server')
    }
    fail('ERR_RANGE_IGNORED', 'the server sent the whole file in answer to a range')
  }
  if (status === 416) fail('ERR_ENTITY_CHANGED', 'the server has no such range any more')
  if (status !== 206) fail('ERR_RANGE_INVALID', `the server answered ${status} to a range`)
  const range = parseContentRange(headerValue(headers, 'content-range'))
  if (!range || range.unit !== 'bytes') {
    fail('ERR_RANGE_INVALID', 'a partial answer does not say which part it is')
    return
  }
  if (range.start !== question.start || range.end > question.end) {
    fail(
      'ERR_RANGE_INVALID',
      `bytes ${question.start}-${question.end - 1} were asked for, ${range.start}-${range.end - 1} came`,
    )
  }
  if (range.totalBytes !== undefined && range.totalBytes !== question.lengthBytes) {
    fail('ERR_ENTITY_CHANGED', `the file has ${range.totalBytes} bytes now, it had ${question.lengthBytes}`)
  }
  if (changed) fail('ERR_ENTITY_CHANGED', 'the file changed on the server')
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
  const tag = parseEntityTag(validators?.etag)
  if (tag && !tag.weak) return validators?.etag
  return validators?.lastModified
}

/** True when nothing identifies the version surely: then bytes that are there are compared instead. */
export function areWeak(validators: Validators | undefined): boolean {
  const tag = parseEntityTag(validators?.etag)
  return !(tag && !tag.weak) && validators?.lastModified === undefined
}

/**
 * Whether two answers of one origin surely speak of different versions. Different weak tags alone do not: some
 * servers make a new one for each answer; then the date decides.
 */
function differs(before: Validators | undefined, now: Validators): boolean {
  if (!before) return false
  const [was, is] = [parseEntityTag(before.etag), parseEntityTag(now.etag)]
  if (was && is && !was.weak && !is.weak) return was.value !== is.value
  if (before.lastModified !== undefined && now.lastModified !== undefined) {
    return before.lastModified !== now.lastModified
  }
  return false
}

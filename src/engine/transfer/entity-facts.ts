import type { Validators } from '../../core/index.ts'
import {
  headerValue,
  parseAcceptRanges,
  parseContentLength,
  type TransportResponse,
} from '../../http/index.ts'
import { announcedDigest } from '../verify/index.ts'
import type { EntityFacts } from './transfer.ts'

/** What the headers of a good response say about the file behind it. */
export function entityFactsOf(response: TransportResponse): EntityFacts {
  const { headers } = response
  const etag = headerValue(headers, 'etag')
  const lastModified = headerValue(headers, 'last-modified')
  const length = parseContentLength(headerValue(headers, 'content-length'))
  const contentType = headerValue(headers, 'content-type')
  const contentDisposition = headerValue(headers, 'content-disposition')
  // Built by assignment: spreading conditional objects costs several times as much, once for each small file.
  const validators: { -readonly [K in keyof Validators]: Validators[K] } = {}
  if (etag !== undefined) validators.etag = etag
  if (lastModified !== undefined) validators.lastModified = lastModified
  const facts: { -readonly [K in keyof EntityFacts]: EntityFacts[K] } = {
    url: response.url,
    httpStatus: response.status,
    validators,
    headers,
  }
  if (length !== undefined) facts.lengthBytes = length
  if (contentType !== undefined) facts.contentType = contentType
  const ranges = headerValue(headers, 'accept-ranges')
  if (ranges !== undefined) {
    const accepts = parseAcceptRanges(ranges)
    if (accepts !== undefined) facts.acceptsRanges = accepts
  }
  const digest = announcedDigest(response)
  if (digest !== undefined) facts.digest = digest
  if (contentDisposition !== undefined) facts.contentDisposition = contentDisposition
  return facts
}

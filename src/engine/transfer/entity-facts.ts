import { headerValue, parseContentLength, parseEntityTag, parseHttpDate, type TransportResponse } from '../../http/index.ts'
import type { EntityFacts } from './transfer.ts'

/** What the headers of a good response say about the file behind it. */
export function entityFactsOf(response: TransportResponse): EntityFacts {
  const { headers } = response
  const etag = parseEntityTag(headerValue(headers, 'etag'))
  const modified = parseHttpDate(headerValue(headers, 'last-modified'))
  const length = parseContentLength(headerValue(headers, 'content-length'))
  const contentType = headerValue(headers, 'content-type')
  const contentDisposition = headerValue(headers, 'content-disposition')
  return {
    url: response.url,
    httpStatus: response.status,
    validators: {
      ...(etag === undefined ? {} : { etag }),
      ...(modified === undefined ? {} : { lastModifiedS: Math.floor(modified / 1000) }),
    },
    ...(length === undefined ? {} : { lengthBytes: length }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(contentDisposition === undefined ? {} : { contentDisposition }),
  }
}

import type { GetOptions } from '../config/index.ts'
import type { Place } from '../core/index.ts'
import { hostOf } from '../engine/index.ts'
import { formatWantDigest } from '../http/index.ts'
import type { FileRequest } from './file-tasks.ts'

/** The options without what differs by host: `withHostOptions` adds that to each request. */
export function withoutHostOptions(options: GetOptions): GetOptions {
  const { referer: _referer, ...rest } = options
  return { ...rest, headers: {}, split: 'auto' }
}

/**
 * A request with the headers of each of its hosts, and the number of connections of the first. What the request itself
 * says wins.
 */
export function withHostOptions(request: FileRequest, optionsOf: (host: string) => GetOptions): FileRequest {
  const { locator } = request
  if (locator.kind === 'source') return request
  const [first] = locator.places
  if (!first) return request
  const { split } = optionsOf(hostOf(first.url))
  const places = locator.places.map((place) => withHeaders(place, request, optionsOf))
  return {
    ...request,
    locator: { ...locator, places },
    ...(request.split !== undefined || split === 'auto' ? {} : { split }),
  }
}

function withHeaders(place: Place, request: FileRequest, optionsOf: (host: string) => GetOptions): Place {
  const common = headersOf(optionsOf(hostOf(place.url)))
  return common === undefined
    ? place
    : { ...place, headers: { ...common, ...request.headers, ...place.headers } }
}

/** Headers that the user wants sent with every file. Names in lower case; undefined where there are none. */
export function headersOf(
  options: Pick<GetOptions, 'headers' | 'referer' | 'digest'>,
): Readonly<Record<string, string>> | undefined {
  const headers: Record<string, string> = {}
  // A server that computes digests when asked (RFC 9530) makes the one computed here a check.
  if (options.digest !== undefined) headers['want-repr-digest'] = formatWantDigest([options.digest])
  for (const [name, value] of Object.entries(options.headers)) headers[name.toLowerCase()] = value
  if (options.referer !== undefined) headers['referer'] = options.referer
  return Object.keys(headers).length === 0 ? undefined : headers
}

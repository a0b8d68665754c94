import { createOriginTable } from '../origin-table.ts'
import type { Interceptor } from '../transport.ts'

/**
 * Adds headers to requests to certain origins, hop by hop, so that they never reach another one. Headers of the
 * request itself win. Keys are patterns as in `createOriginTable`, or `*` for every host that was asked for and not
 * come to by a redirect; header names are in lower case.
 *
 * @throws TrawlError ERR_CONFIG_INVALID for a pattern that is no host or origin
 */
export function originHeaders(
  table: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Interceptor {
  const { '*': everywhere, ...named } = table
  const find = createOriginTable(Object.entries(named))
  return (next) => (request, options) => {
    const extra = find(request.url) ?? (request.foreign ? undefined : everywhere)
    return extra === undefined
      ? next(request, options)
      : next({ ...request, headers: { ...extra, ...request.headers } }, options)
  }
}

/** Sends bearer tokens (RFC 6750) to certain origins. Keys are as those of `originHeaders`. */
export function bearerTokens(tokens: Readonly<Record<string, string>>): Interceptor {
  const table = Object.entries(tokens).map(([origin, token]) => [
    origin,
    { authorization: `Bearer ${token}` },
  ])
  return originHeaders(Object.fromEntries(table))
}

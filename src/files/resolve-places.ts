import { TrawlError, type Locator, type Resolver, type ResolveReason } from '../core/index.ts'
import { urlOf } from './url-of.ts'

/** Addresses of a file: one, several that are mirrors of the same bytes, or places with headers of their own. */
export type ResolvedPlaces = string | URL | readonly (string | URL)[] | Exclude<Locator, { kind: 'source' }>

/**
 * Turns a reference into addresses. Asked before the first request of an input `{ source, ref }`, and, for every file,
 * again with the reason `expired` when a server answers 401, 403 or 410, or a page of HTML in the middle of a file. A
 * file that was given by its address is asked about as `{ source: 'url', ref: ADDRESS }`. What it throws is tried again
 * as other failures are.
 */
export type ResolvePlaces = (
  reference: { readonly source: string; readonly ref: string },
  reason: ResolveReason,
  options: { readonly signal: AbortSignal },
) => ResolvedPlaces | Promise<ResolvedPlaces>

/** The resolver that a caller's function amounts to. Its `resolve` throws ERR_URL_INVALID and ERR_URL_SCHEME. */
export function resolverOf(resolve: ResolvePlaces): Resolver {
  return {
    async resolve({ source, ref }, reason, options) {
      return locatorOf(await resolve({ source, ref }, reason, options))
    },
  }
}

function locatorOf(found: unknown): Exclude<Locator, { kind: 'source' }> {
  if (typeof found === 'string' || found instanceof URL) {
    return { kind: 'mirrors', places: [{ url: urlOf(found) }] }
  }
  if (Array.isArray(found)) {
    return { kind: 'mirrors', places: found.map((url: unknown) => ({ url: urlOf(url) })) }
  }
  const { kind, places } = (found ?? {}) as { readonly kind?: unknown; readonly places?: unknown }
  if ((kind !== 'mirrors' && kind !== 'alternatives') || !Array.isArray(places)) {
    throw new TrawlError('ERR_RESOLVE_FAILED', `resolvePlaces() gave no address: ${JSON.stringify(found)}`, {
      retry: 'never',
    })
  }
  return {
    kind,
    places: places.map((place: { readonly url?: unknown }) => ({ ...place, url: urlOf(place.url) })),
  }
}

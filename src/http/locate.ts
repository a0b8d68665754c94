import { TrawlError } from '../core/index.ts'

/** An absolute URL cut in two: where to connect, and what to ask there. */
export interface RequestTarget {
  /** Scheme, host and port as the URL standard writes them: `https://example.org`, `http://[::1]:8080`. */
  readonly origin: string
  /** Path and query, starting with `/`, without a fragment. */
  readonly path: string
}

const maxKnownPrefixes = 1024
const plainPath = /^\/[\w\-.~%!$&()*+,;=:@/?]*$/
const dotSegment = /\/(?:\.|%2e)/i
const barePrefix = /^https?:\/\/[^/?#@\\]+$/i

/**
 * Cuts URLs apart. Prefixes seen before and paths of plain characters take a short way without the URL parser,
 * which gives the same answer.
 *
 * @throws TrawlError ERR_URL_INVALID, ERR_URL_SCHEME
 */
export function createLocate(): (url: string) => RequestTarget {
  const known = new Map<string, string>()
  return (url) => {
    const slash = url.indexOf('/', 8)
    const prefix = slash === -1 ? url : url.slice(0, slash)
    const origin = known.get(prefix)
    if (origin !== undefined) {
      const path = slash === -1 ? '/' : url.slice(slash)
      if (plainPath.test(path) && !dotSegment.test(path)) return { origin, path }
    }
    const parsed = parse(url)
    if (origin === undefined && barePrefix.test(prefix)) {
      if (known.size >= maxKnownPrefixes) known.clear()
      known.set(prefix, parsed.origin)
    }
    // Not pathname and search: these lose the mark of an empty query.
    return { origin: parsed.origin, path: parsed.href.slice(parsed.origin.length) }
  }
}

function parse(url: string): URL {
  let parsed: URL
  try {
    parsed = new URL(url)
  } catch (error) {
    throw new TrawlError('ERR_URL_INVALID', `not a URL: ${url}`, { cause: error, context: { url } })
  }
  if (parsed.protocol !== 'http:' && parsed.protocol !== 'https:') {
    throw new TrawlError('ERR_URL_SCHEME', `${parsed.protocol} is not supported: ${url}`, {
      context: { url },
    })
  }
  parsed.username = ''
  parsed.password = ''
  parsed.hash = ''
  return parsed
}

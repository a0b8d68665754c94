import { TrawlError } from '../core/index.ts'

const maxKnown = 1024

/**
 * Looks values up by origin. A pattern is an origin (`https://example.org:8443`), a host (`example.org`, any
 * scheme and port), or all hosts below one (`*.example.org`). The first pattern that fits wins.
 *
 * @throws TrawlError ERR_CONFIG_INVALID for a pattern that is none of these
 */
export function createOriginTable<T>(
  entries: readonly (readonly [string, T])[],
): (url: string) => T | undefined {
  const rules = entries.map(([pattern, value]) => [parsePattern(pattern), value] as const)
  const known = new Map<string, T | undefined>()
  return (url) => {
    const slash = url.indexOf('/', 8)
    const prefix = slash === -1 ? url : url.slice(0, slash)
    if (known.has(prefix)) return known.get(prefix)
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    const value = parsed === undefined ? undefined : rules.find(([fits]) => fits(parsed))?.[1]
    if (known.size >= maxKnown) known.clear()
    known.set(prefix, value)
    return value
  }
}

function parsePattern(pattern: string): (url: URL) => boolean {
  const text = pattern.trim().toLowerCase()
  if (text.includes('://')) {
    if (!URL.canParse(text)) throw invalid(pattern)
    const { origin } = new URL(text)
    return (url) => url.origin === origin
  }
  const host = text.replace(/^\*\./, '')
  if (!/^(?:[^\s/:@*?#]+(?::\d+)?|\[[0-9a-f:.]+\](?::\d+)?)$/.test(host)) throw invalid(pattern)
  if (text.startsWith('*.')) return (url) => url.hostname.endsWith(`.${host}`)
  return (url) => url.hostname === host || url.host === host
}

function invalid(pattern: string): TrawlError {
  return new TrawlError('ERR_CONFIG_INVALID', `not a host or origin: ${pattern}`, {
    hint: 'Write example.org, *.example.org or https://example.org:8443.',
  })
}

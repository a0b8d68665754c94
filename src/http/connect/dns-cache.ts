import { promises as dns } from 'node:dns'
import { isIP } from 'node:net'
import { performance } from 'node:perf_hooks'

/** One address of a host. */
export interface HostAddress {
  readonly address: string
  readonly family: 4 | 6
}

/** What a name resolved to, and for how long that holds where the resolver says. */
export interface HostAddresses {
  readonly addresses: readonly HostAddress[]
  readonly ttlMs?: number
}

/** Resolves a host name to its addresses; rejects with the resolver's own error. */
export type HostLookup = (hostname: string) => Promise<HostAddresses>

/** How long answers are kept. */
export interface DnsCacheOptions {
  readonly lookup: HostLookup
  /** For answers without a time of their own. Default 60 000. */
  readonly ttlMs?: number
  /** For names that do not exist. Default 5000. */
  readonly negativeTtlMs?: number
  /** Names kept; the oldest go first. Default 10 000. */
  readonly maxEntries?: number
}

interface Entry {
  readonly answer: Promise<HostAddresses>
  untilMs: number
}

/** A lookup that remembers answers, asks once for a name that many want, and is bounded. */
export function createDnsCache(options: DnsCacheOptions): HostLookup {
  const { lookup, ttlMs = 60_000, negativeTtlMs = 5000, maxEntries = 10_000 } = options
  const entries = new Map<string, Entry>()
  return (hostname) => {
    const known = entries.get(hostname)
    if (known !== undefined && performance.now() < known.untilMs) return known.answer
    entries.delete(hostname)
    for (const oldest of entries.keys()) {
      if (entries.size < maxEntries) break
      entries.delete(oldest)
    }
    const entry: Entry = { answer: lookup(hostname), untilMs: Number.POSITIVE_INFINITY }
    entries.set(hostname, entry)
    entry.answer.then(
      (found) => (entry.untilMs = performance.now() + (found.ttlMs ?? ttlMs)),
      (error: unknown) => (entry.untilMs = performance.now() + (isCertain(error) ? negativeTtlMs : 0)),
    )
    return entry.answer
  }
}

function isCertain(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTFOUND' || error.code === 'ENODATA')
}

/** The system's resolver (getaddrinfo): hosts file, mDNS and all. Runs on libuv's four threads. */
export const systemLookup: HostLookup = async (hostname) => {
  const found = await dns.lookup(hostname, { all: true, order: 'verbatim' })
  return { addresses: found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 })) }
}

/**
 * Asks DNS servers directly (c-ares): no threads, so thousands of names at one time, and real times to live.
 * Names that DNS does not know of (localhost, single labels, `.local`) go to the system's resolver.
 *
 * @param servers addresses of DNS servers, with a port where it is not 53; default are the system's.
 */
export function createDirectLookup(servers?: readonly string[]): HostLookup {
  const resolver = new dns.Resolver({ timeout: 3000, tries: 3 })
  if (servers !== undefined && servers.length > 0) resolver.setServers(servers)
  return async (hostname) => {
    if (isIP(hostname) !== 0 || isLocalName(hostname)) return systemLookup(hostname)
    const [six, four] = await Promise.allSettled([
      resolver.resolve6(hostname, { ttl: true }),
      resolver.resolve4(hostname, { ttl: true }),
    ])
    const records = [
      ...(six.status === 'fulfilled' ? six.value.map((one) => ({ ...one, family: 6 as const })) : []),
      ...(four.status === 'fulfilled' ? four.value.map((one) => ({ ...one, family: 4 as const })) : []),
    ]
    if (records.length === 0) throw moreTelling(six, four)
    // A zero would ask again for every connection of a burst.
    const ttlMs = Math.max(1, Math.min(...records.map(({ ttl }) => ttl))) * 1000
    return { addresses: records.map(({ address, family }) => ({ address, family })), ttlMs }
  }
}

function isLocalName(hostname: string): boolean {
  return !hostname.includes('.') || /\.(?:local|localhost|home\.arpa|internal)$/i.test(hostname)
}

/** An IPv6 answer without records says less than a failed question for IPv4. */
function moreTelling(six: PromiseSettledResult<unknown>, four: PromiseSettledResult<unknown>): unknown {
  const errors = [four, six].flatMap((result): unknown[] =>
    result.status === 'rejected' ? [result.reason] : [],
  )
  return errors.find((error) => !isCertain(error)) ?? errors[0] ?? new Error(`no addresses`)
}

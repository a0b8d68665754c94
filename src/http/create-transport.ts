import { parseNetrc, type Credentials } from './auth/netrc.ts'
import { createAddressGuard } from './connect/address-guard.ts'
import { createConnect, type ConnectorOptions, type TlsOptions } from './connect/connector.ts'
import { createDirectLookup, createDnsCache, systemLookup } from './connect/dns-cache.ts'
import { parseResolveOverrides } from './connect/resolve-overrides.ts'
import { createHostTransport } from './host-transport.ts'
import type { CookieJar } from './cookies/cookie-jar.ts'
import { cookies } from './interceptors/cookies.ts'
import { credentials, type CredentialOptions } from './interceptors/credentials.ts'
import { bearerTokens, originHeaders } from './interceptors/origin-headers.ts'
import { proxiedAddressGuard } from './interceptors/proxied-address-guard.ts'
import { redirects, type RedirectOptions } from './interceptors/redirects.ts'
import { heedRobots } from './robots/heed-robots.ts'
import { createOriginTable } from './origin-table.ts'
import type { ProxySettings } from './proxy/proxy-for.ts'
import { createProxyRoutes } from './proxy/proxy-route.ts'
import type { Interceptor, Transport } from './transport.ts'
import { createBaseTransport } from './base-transport.ts'
import { defaultUserAgent } from './user-agent.ts'

/** Everything about requests that is the same for a whole job, as plain data (and a cookie jar). */
export interface TransportOptions {
  /** Longest wait for response headers and between two chunks, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number
  /** Longest wait for a connection, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs?: number
  /** How long an idle connection is kept where the server does not say, in milliseconds. Default 10 000. */
  readonly keepAliveMs?: number
  /** Response headers longer than this are refused. Default 64 KiB. */
  readonly maxHeaderBytes?: number
  /** `auto` lets https servers choose HTTP/2. Default `off`. */
  readonly http2?: 'off' | 'auto'
  /** Default `trawl/VERSION`. */
  readonly userAgent?: string
  readonly tls?: TlsOptions
  /** An address of this machine, or the name of a network interface, to connect from. */
  readonly localAddress?: string
  /** Only IPv4 or only IPv6. */
  readonly family?: 4 | 6
  readonly dns?: DnsOptions
  readonly proxy?: ProxySettings
  /** Refuses addresses that are not public, except these. Default: no guard. */
  readonly addressGuard?: { readonly allow?: readonly string[] }
  readonly redirects?: RedirectOptions
  /** Asks for robots.txt and heeds it, on every hop. Default: not. */
  readonly heedRobots?: boolean
  readonly cookies?: CookieJar
  readonly credentials?: CredentialSettings
  /** Bearer tokens by host or origin; `*` is for all others, but for none that a redirect led to. */
  readonly bearerTokens?: Readonly<Record<string, string>>
  /** Headers by host or origin; names in lower case. */
  readonly originHeaders?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** Other ways for single hosts, the most precise pattern first; plain data too. The cookie jar is that of all. */
  readonly hosts?: readonly HostTransportOptions[]
}

/** How requests to the hosts of a pattern are made, in full. */
export interface HostTransportOptions {
  /** `example.org`, `example.org:8080` or `*.example.org`. */
  readonly pattern: string
  readonly options: Omit<TransportOptions, 'hosts' | 'cookies'>
}

/** How names are resolved. */
export interface DnsOptions {
  /** `system` asks getaddrinfo; `direct` asks DNS servers, which suits thousands of names. Default `system`. */
  readonly mode?: 'system' | 'direct'
  /** DNS servers for `direct`; default are the system's. */
  readonly servers?: readonly string[]
  /** How long answers of the system are kept, in milliseconds. Default 60 000. */
  readonly ttlMs?: number
  /** Addresses given by hand: `host:port:address[,address...]`. */
  readonly overrides?: readonly string[]
}

/** User names and passwords. */
export interface CredentialSettings {
  /** By host or origin, before the netrc; `*` is for all others, after it, but for none that a redirect led to. */
  readonly byOrigin?: Readonly<Record<string, Credentials>>
  /** The text of a netrc file. */
  readonly netrc?: string
  readonly scheme?: NonNullable<CredentialOptions['scheme']>
}

/**
 * The transport that everything uses: the base transport, and around it the interceptors that the options ask for, from
 * the inside out: address guard for proxies, headers and tokens by origin, credentials, cookies, redirects. Each
 * hop of a redirect passes all the others.
 *
 * @throws TrawlError ERR_CONFIG_INVALID, ERR_CONFIG_UNREADABLE (netrc)
 */
export function createTransport(options: TransportOptions = {}): Transport {
  const { hosts = [], ...everywhere } = options
  if (hosts.length === 0) return createOneWay(everywhere)
  const { cookies } = everywhere
  const shared = cookies === undefined ? {} : { cookies }
  return createHostTransport(
    [...hosts, { pattern: '*', options: everywhere }].map(({ pattern, options: own }) => ({
      pattern,
      transport: createOneWay({ ...own, ...shared, redirects: { max: 0 } }),
      redirects: own.redirects,
    })),
  )
}

function createOneWay(options: Omit<TransportOptions, 'hosts'>): Transport {
  const connector = connectorOptions(options)
  const direct = createConnect(connector)
  const base = createBaseTransport({
    ...options,
    userAgent: options.userAgent ?? defaultUserAgent,
    routeFor:
      options.proxy === undefined ? () => ({ connect: direct }) : createProxyRoutes(options.proxy, connector),
  })
  const send = interceptors(options, connector).reduce((next, intercept) => intercept(next), base.send)
  return { send, closeIdle: () => base.closeIdle(), close: () => base.close(), destroy: () => base.destroy() }
}

/** RFC 9309, 2.3.1.2. */
const robotsRedirects = 5

/** Innermost first. */
function interceptors(options: TransportOptions, connector: ConnectorOptions): readonly Interceptor[] {
  const chain: Interceptor[] = []
  if (connector.guard !== undefined && options.proxy !== undefined) {
    chain.push(proxiedAddressGuard(options.proxy, connector))
  }
  if (options.originHeaders !== undefined) chain.push(originHeaders(options.originHeaders))
  if (options.bearerTokens !== undefined) chain.push(bearerTokens(options.bearerTokens))
  // Always there, for user information in URLs; it costs a look at the URL.
  chain.push(credentials(credentialOptions(options.credentials)))
  if (options.cookies !== undefined) chain.push(cookies(options.cookies))
  if (options.heedRobots) {
    const userAgent = options.userAgent ?? defaultUserAgent
    chain.push(heedRobots({ userAgent, followRedirects: redirects({ max: robotsRedirects }) }))
  }
  chain.push(redirects(options.redirects))
  return chain
}

function credentialOptions(settings: CredentialSettings | undefined): CredentialOptions {
  if (settings === undefined) return {}
  const scheme = settings.scheme === undefined ? {} : { scheme: settings.scheme }
  const { byOrigin, netrc } = settings
  if (byOrigin === undefined && netrc === undefined) return scheme
  const { '*': everywhere, ...named } = byOrigin ?? {}
  const table = createOriginTable(Object.entries(named))
  const machines = netrc === undefined ? undefined : parseNetrc(netrc)
  return { ...scheme, everywhere, find: (url) => table(url.href) ?? machines?.find(url.hostname) }
}

function connectorOptions(options: TransportOptions): ConnectorOptions {
  const { mode, servers, ttlMs, overrides } = options.dns ?? {}
  const lookup = mode === 'direct' ? createDirectLookup(servers) : systemLookup
  return {
    ...options,
    timeoutMs: options.connectTimeoutMs ?? 10_000,
    allowHttp2: options.http2 === 'auto',
    lookup: createDnsCache({ lookup, ...(ttlMs === undefined ? {} : { ttlMs }) }),
    ...(overrides === undefined ? {} : { overrides: parseResolveOverrides(overrides) }),
    ...(options.addressGuard === undefined ? {} : { guard: createAddressGuard(options.addressGuard.allow) }),
  }
}

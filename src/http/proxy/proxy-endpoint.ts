import { TrawlError } from '../../core/index.ts'

/** A proxy as configured. */
export interface ProxyEndpoint {
  readonly kind: 'http' | 'socks4' | 'socks5'
  /** `http://host:port` or `https://host:port`; for SOCKS `http://host:port` without a meaning of its own. */
  readonly origin: string
  readonly protocol: 'http:' | 'https:'
  readonly hostname: string
  readonly port: number
  readonly username?: string
  readonly password?: string
  /** Without credentials, for messages. */
  readonly label: string
}

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/**
 * Reads a proxy URL: http, https, socks4, socks4a, socks5, socks5h, socks. Without a scheme it is http, as in the
 * environment variables of other tools. SOCKS proxies resolve names themselves, with or without the `h`.
 *
 * @throws TrawlError ERR_CONFIG_INVALID
 */
export function parseProxyUrl(text: string): ProxyEndpoint {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(full)) throw invalid(text, 'is not a URL')
  const url = new URL(full)
  const kind = kinds[url.protocol]
  if (kind === undefined) throw invalid(text, `has a scheme that is not supported (${url.protocol})`)
  if (url.hostname === '') throw invalid(text, 'has no host')
  const hostname = url.hostname.replace(/^\[|\]$/g, '')
  const port = url.port === '' ? (defaultPorts[url.protocol] ?? 1080) : Number(url.port)
  const protocol = url.protocol === 'https:' ? 'https:' : 'http:'
  return {
    kind,
    origin: `${protocol}//${url.hostname}:${port}`,
    protocol,
    hostname,
    port,
    label: `${url.protocol}//${url.hostname}:${port}`,
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
  }
}

const kinds: Readonly<Record<string, ProxyEndpoint['kind']>> = {
  'http:': 'http',
  'https:': 'http',
  'socks:': 'socks5',
  'socks5:': 'socks5',
  'socks5h:': 'socks5',
  'socks4:': 'socks4',
  'socks4a:': 'socks4',
}

function invalid(text: string, why: string): TrawlError {
  return new TrawlError('ERR_CONFIG_INVALID', `the proxy ${text} ${why}`, {
    hint: 'Write it as http://host:port, https://host:port or socks5://host:port.',
    context: { field: 'proxy' },
  })
}

/** Value of Proxy-Authorization (Basic, RFC 7617); undefined without credentials. */
export function proxyAuthorization(proxy: ProxyEndpoint): string | undefined {
  if (proxy.username === undefined) return undefined
  return `Basic ${Buffer.from(`${proxy.username}:${proxy.password ?? ''}`).toString('base64')}`
}

import ipaddr from 'ipaddr.js'

/** Which proxies to use, by the scheme of the URL asked for. */
export interface ProxySettings {
  readonly http?: string
  readonly https?: string
  /** For schemes that have none of their own. */
  readonly all?: string
  /** Hosts to reach without a proxy, in the form of NO_PROXY. */
  readonly noProxy?: string
}

/**
 * Proxy settings of an environment: `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`, in small or capital
 * letters, small ones first. HTTP_PROXY in capitals is not read where REQUEST_METHOD is set, because there a
 * client of a CGI program could set it by a header (CVE-2016-5385).
 */
export function proxySettings(env: Readonly<Record<string, string | undefined>>): ProxySettings {
  const value = (name: string): string | undefined => {
    const small = env[name]
    if (small !== undefined && small !== '') return small
    if (name === 'http_proxy' && env['REQUEST_METHOD'] !== undefined) return undefined
    const capital = env[name.toUpperCase()]
    return capital === '' ? undefined : capital
  }
  const [http, https, all, noProxy] = ['http_proxy', 'https_proxy', 'all_proxy', 'no_proxy'].map(value)
  return {
    ...(http === undefined ? {} : { http }),
    ...(https === undefined ? {} : { https }),
    ...(all === undefined ? {} : { all }),
    ...(noProxy === undefined ? {} : { noProxy }),
  }
}

/** The proxy for a URL, or undefined for a direct connection. */
export function proxyFor(url: string, settings: ProxySettings): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { protocol, hostname, port } = new URL(url)
  const proxy = (protocol === 'https:' ? settings.https : settings.http) ?? settings.all
  if (proxy === undefined || proxy === '') return undefined
  const wantedPort = port === '' ? (protocol === 'https:' ? '443' : '80') : port
  return isExempt(hostname, wantedPort, settings.noProxy ?? '') ? undefined : proxy
}

/**
 * The rules that curl, wget and others agree on: entries are split by commas or spaces; `*` is everything; a name
 * stands for itself and all names below it, with or without a dot in front; an entry may end with a port;
 * addresses may be CIDR blocks.
 */
function isExempt(hostname: string, port: string, noProxy: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .some((entry) => entry !== '' && matches(host, port, entry))
}

function matches(host: string, port: string, entry: string): boolean {
  if (entry === '*') return true
  const [pattern, wantedPort] = splitPort(entry)
  if (wantedPort !== undefined && wantedPort !== port) return false
  if (ipaddr.isValid(host)) return matchesAddress(host, pattern)
  const name = pattern.replace(/^\*?\./, '')
  return host === name || host.endsWith(`.${name}`)
}

function splitPort(entry: string): readonly [string, string | undefined] {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(entry)
  // Something with more colons is a bare IPv6 address or block.
  if (match === null) return [entry, undefined]
  return [(match[1] ?? '').replace(/^\[|\]$/g, ''), match[2]]
}

function matchesAddress(host: string, pattern: string): boolean {
  const address = ipaddr.process(host)
  try {
    if (!pattern.includes('/'))
      return ipaddr.isValid(pattern) && ipaddr.process(pattern).toString() === address.toString()
    const [block, bits] = ipaddr.parseCIDR(pattern)
    return block.kind() === address.kind() && address.match(block, bits)
  } catch {
    return false
  }
}

import type { Cookie, CookieJar as ToughJar } from 'tough-cookie'
import { formatNetscapeCookies, parseNetscapeCookies, type NetscapeCookie } from './netscape.ts'

/** Cookies of many hosts, kept and sent by the rules of RFC 6265bis and the public suffix list. */
export interface CookieJar {
  /** Value of the Cookie header for a URL; undefined when nothing fits. */
  headerFor(url: string): string | undefined
  /** Takes the Set-Cookie values of a response; those that the rules forbid are left out. */
  store(url: string, setCookie: readonly string[]): void
  /**
   * Adds the cookies of a Netscape file, such as a browser extension or curl writes, except expired ones.
   *
   * @throws TrawlError ERR_CONFIG_UNREADABLE, with file and line
   */
  load(text: string, file?: string): void
  /** All cookies, session cookies included, as a Netscape file. */
  toText(): string
}

/** An empty jar. Loads the cookie library on first use. */
export async function createCookieJar(): Promise<CookieJar> {
  const tough = await import('tough-cookie')
  const jar = new tough.CookieJar(undefined, { looseMode: true, rejectPublicSuffixes: true })
  return {
    headerFor(url) {
      const header = jar.getCookieStringSync(url)
      return header === '' ? undefined : header
    },
    store(url, setCookie) {
      for (const text of setCookie) jar.setCookieSync(text, url, { ignoreError: true })
    },
    load(text, file) {
      for (const cookie of parseNetscapeCookies(text, file)) add(jar, tough.Cookie, cookie)
    },
    toText() {
      const stored = jar.serializeSync()?.cookies ?? []
      const cookies = stored.flatMap((one) => tough.Cookie.fromJSON(one) ?? [])
      return formatNetscapeCookies(cookies.map(describe))
    },
  }
}

function add(jar: ToughJar, CookieClass: typeof Cookie, cookie: NetscapeCookie): void {
  const { domain, path, secure, expiresS } = cookie
  if (expiresS !== undefined && expiresS * 1000 <= Date.now()) return
  const made = new CookieClass({
    key: cookie.name,
    value: cookie.value,
    path,
    secure,
    httpOnly: cookie.httpOnly,
    ...(cookie.includeSubdomains ? { domain } : {}),
    ...(expiresS === undefined ? {} : { expires: new Date(expiresS * 1000) }),
  })
  const host = domain.includes(':') ? `[${domain}]` : domain
  jar.setCookieSync(made, `${secure ? 'https' : 'http'}://${host}${path}`, { ignoreError: true })
}

function describe(cookie: Cookie): NetscapeCookie {
  const expiresMs = cookie.expiryTime()
  const isSession = expiresMs === undefined || !Number.isFinite(expiresMs)
  return {
    domain: cookie.domain ?? '',
    includeSubdomains: cookie.hostOnly !== true,
    path: cookie.path ?? '/',
    secure: cookie.secure,
    httpOnly: cookie.httpOnly,
    name: cookie.key,
    value: cookie.value,
    ...(isSession ? {} : { expiresS: Math.floor(expiresMs / 1000) }),
  }
}

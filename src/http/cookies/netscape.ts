import { TrawlError } from '../../core/index.ts'

/** One line of a Netscape cookie file. */
export interface NetscapeCookie {
  /** Without a leading dot. */
  readonly domain: string
  readonly includeSubdomains: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly name: string
  readonly value: string
  /** Seconds since 1970; absent for a session cookie, which the file writes as 0. */
  readonly expiresS?: number
}

const httpOnlyMark = '#HttpOnly_'

/**
 * Reads a Netscape cookie file (`cookies.txt`): seven fields split by TABs: domain, whether subdomains are meant,
 * path, secure, expiry, name, value. `#` begins a comment, except the mark `#HttpOnly_`.
 *
 * @throws TrawlError ERR_CONFIG_UNREADABLE, with file and line
 */
export function parseNetscapeCookies(text: string, file = 'cookie file'): readonly NetscapeCookie[] {
  const cookies: NetscapeCookie[] = []
  text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .forEach((line, i) => {
      const httpOnly = line.startsWith(httpOnlyMark)
      const content = httpOnly ? line.slice(httpOnlyMark.length) : line
      if (content.trim() === '' || content.startsWith('#')) return
      const cookie = parseLine(content, httpOnly)
      if (cookie === undefined) {
        throw new TrawlError(
          'ERR_CONFIG_UNREADABLE',
          `${file}:${i + 1}: not a line of a Netscape cookie file`,
          {
            hint: 'Export the cookies in Netscape format (cookies.txt): seven fields, split by TABs.',
            context: { file, line: i + 1 },
          },
        )
      }
      cookies.push(cookie)
    })
  return cookies
}

function parseLine(line: string, httpOnly: boolean): NetscapeCookie | undefined {
  const fields = line.split('\t')
  // Some writers leave the last TAB out where the value is empty.
  const [domain = '', subdomains = '', path = '', secure = '', expires = '', name = '', value = ''] = fields
  if (fields.length < 6 || fields.length > 7 || domain === '') return undefined
  if (!/^(?:TRUE|FALSE)$/i.test(subdomains) || !/^(?:TRUE|FALSE)$/i.test(secure)) return undefined
  if (!/^-?\d+(?:\.\d+)?$/.test(expires)) return undefined
  const expiresS = Math.floor(Number(expires))
  return {
    domain: domain.replace(/^\./, '').toLowerCase(),
    includeSubdomains: subdomains.toUpperCase() === 'TRUE',
    path: path.startsWith('/') ? path : '/',
    secure: secure.toUpperCase() === 'TRUE',
    httpOnly,
    name,
    value,
    ...(expiresS === 0 ? {} : { expiresS }),
  }
}

/** Writes a Netscape cookie file that curl, wget, yt-dlp and this reader understand. */
export function formatNetscapeCookies(cookies: readonly NetscapeCookie[]): string {
  const lines = cookies
    // The format has no way to write these.
    .filter(({ name, value, path }) => !/[\t\r\n]/.test(name + value + path))
    .map((cookie) => {
      const domain = `${cookie.includeSubdomains ? '.' : ''}${cookie.domain}`
      const fields = [domain, flag(cookie.includeSubdomains), cookie.path, flag(cookie.secure)]
      fields.push(String(cookie.expiresS ?? 0), cookie.name, cookie.value)
      return `${cookie.httpOnly ? httpOnlyMark : ''}${fields.join('\t')}`
    })
  return ['# Netscape HTTP Cookie File', '', ...lines, ''].join('\n')
}

function flag(value: boolean): string {
  return value ? 'TRUE' : 'FALSE'
}

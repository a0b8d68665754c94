const label = '[a-z0-9_]+(?:-[a-z0-9_]+)*'
const name = `(?:${label}\\.)*[a-z](?:[a-z0-9_]|-[a-z0-9_])*`
const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const port = '(?::(?:[1-5]?\\d{1,4}))?'
const plain = new RegExp(`^https?://(?:${name}|${octet}(?:\\.${octet}){3})${port}(?:[/?#][!-~]*)?$`, 'i')

/**
 * True for http: and https: URLs of the common kind: ASCII, a host of plain labels or a dotted quad, no user
 * information. Whatever passes is a valid URL (WHATWG); what does not pass needs a closer look. Several times
 * cheaper than a parse, which counts in lists of millions.
 */
export function isPlainUrl(text: string): boolean {
  return plain.test(text)
}

/**
 * Why a text is not an address that can be downloaded: undefined when it is one, `'invalid'` when it is no URL,
 * `'scheme'` when it is one of another scheme.
 */
export function urlFault(text: string): 'invalid' | 'scheme' | undefined {
  if (isPlainUrl(text)) return undefined
  if (!URL.canParse(text)) return 'invalid'
  // "localhost:8080/x" and "example.org:80" parse as URLs of a scheme that nobody meant.
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text.trimStart())) return 'invalid'
  const { protocol, hostname } = new URL(text)
  if (protocol === 'http:' || protocol === 'https:') {
    return hostname !== '' && /^\s*https?:\/\//i.test(text) ? undefined : 'invalid'
  }
  return /^[a-z][a-z0-9+-]*:(?!\d)/i.test(text) ? 'scheme' : 'invalid'
}

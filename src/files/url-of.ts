import { TrawlError } from '../core/index.ts'

/** An address as text. Throws ERR_URL_INVALID and, for other schemes than http: and https:, ERR_URL_SCHEME. */
export function urlOf(given: unknown): string {
  const text = typeof given === 'string' || given instanceof URL ? String(given) : ''
  const url = URL.parse(text)
  if (!url) {
    throw new TrawlError('ERR_URL_INVALID', `not a URL: ${text || JSON.stringify(given)}`, {
      context: { url: text },
    })
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TrawlError('ERR_URL_SCHEME', `${url.protocol} is not supported: ${text}`, {
      context: { url: text },
    })
  }
  return text
}

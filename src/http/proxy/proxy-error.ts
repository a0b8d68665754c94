import { isTrawlError, TrawlError, type TrawlErrorOptions } from '../../core/index.ts'
import type { ProxyEndpoint } from './proxy-endpoint.ts'

/** The proxy itself could not be reached or did not do its part. */
export function proxyError(proxy: ProxyEndpoint, text: string, options: TrawlErrorOptions = {}): TrawlError {
  return new TrawlError('ERR_NET_PROXY', `proxy ${proxy.label}: ${text}`, {
    context: { proxy: proxy.label },
    ...options,
  })
}

/** A failed connection to the proxy, told as the proxy's failure. */
export function proxyUnreachable(proxy: ProxyEndpoint, error: unknown): TrawlError {
  if (isTrawlError(error) && (error.code === 'ERR_NET_PROXY' || error.code === 'ERR_TOO_MANY_FILES'))
    return error
  const text = error instanceof Error ? error.message : String(error)
  const retry = isTrawlError(error) ? error.retry : 'backoff'
  return proxyError(proxy, `cannot be reached: ${text}`, { cause: error, retry })
}

/** What a proxy answered to CONNECT, or 407 to a plain request. */
export function proxyRefused(proxy: ProxyEndpoint, status: number, target: string): TrawlError {
  if (status === 407) {
    return proxyError(proxy, 'wants other credentials (407)', {
      retry: 'never',
      hint: 'Give them in the proxy URL: http://user:password@host:port.',
      context: { proxy: proxy.label, status },
    })
  }
  const busy = status >= 500 || status === 429
  return proxyError(proxy, `refuses to connect to ${target} (${status})`, {
    // A gateway error speaks of the target, not of the proxy.
    scope: 'task',
    retry: busy ? 'backoff' : 'never',
    context: { proxy: proxy.label, status, target },
  })
}

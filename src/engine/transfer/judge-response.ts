import { TrawlError, type Clock } from '../../core/index.ts'
import { headerValue, parseRetryAfter, type TransportResponse } from '../../http/index.ts'

/**
 * The error that an answer's status amounts to, or undefined when its body is what was asked for (200, or 206 to a
 * range request). Retry-After makes 503 a wait for the whole host, as 429 is.
 */
export function judgeResponse(
  response: Pick<TransportResponse, 'status' | 'headers' | 'url'>,
  clock: Clock,
): TrawlError | undefined {
  const { status } = response
  if (status === 200 || status === 206) return undefined
  const retryAfterMs = parseRetryAfter(headerValue(response.headers, 'retry-after'), clock.wallMs())
  const context = { url: response.url, status }
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs }
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    return new TrawlError('ERR_HTTP_THROTTLED', `the server answered ${status}: slow down`, {
      context,
      ...wait,
    })
  }
  if (status === 404 || status === 410) {
    return new TrawlError('ERR_HTTP_NOT_FOUND', `the server answered ${status}: no such file`, { context })
  }
  if (status === 401 || status === 403 || status === 407) {
    return new TrawlError('ERR_HTTP_AUTH', `the server answered ${status}: not allowed`, { context })
  }
  if (status === 408 || status === 425 || status >= 500) {
    return new TrawlError('ERR_HTTP_SERVER', `the server answered ${status}`, { context, ...wait })
  }
  return new TrawlError('ERR_HTTP_STATUS', `the server answered ${status}`, { context })
}

import { TrawlError } from '../../core/index.ts'
import { decodeWireText } from '../headers/wire-text.ts'
import {
  headerValue,
  type Interceptor,
  type Send,
  type SendOptions,
  type TransportRequest,
  type TransportResponse,
} from '../transport.ts'

/** How far redirects are followed. */
export interface RedirectOptions {
  /** Default 20; 0 follows none and gives the redirect as the response. */
  readonly max?: number
  /** Follows a redirect from https to http. Default false. */
  readonly allowDowngrade?: boolean
  /** Names (lower case) of headers that must not reach another origin, besides those that look secret. */
  readonly secretHeaders?: readonly string[]
}

/** A page may send to itself once, to set a cookie; more often is a loop. */
const maxVisits = 2

const alwaysSecret = new Set(['authorization', 'cookie', 'cookie2', 'proxy-authorization'])
const looksSecret = /token|secret|api-?key|auth|session|credential|passw|signature/

/**
 * Follows 301, 302, 303, 307 and 308 (RFC 9110, 15.4). POST becomes GET after 301, 302 and 303. Credentials,
 * cookies and secret headers of the request stay with its origin. Rejects with ERR_HTTP_REDIRECT for loops, too
 * many hops, a step from https to http, and other schemes.
 */
export function redirects(options: RedirectOptions = {}): Interceptor {
  const max = options.max ?? 20
  const secret = new Set(options.secretHeaders)
  return (next) => {
    if (max === 0) return next
    const allowDowngrade = options.allowDowngrade === true
    // Not an async function: each small file passes here, and nearly none is redirected.
    return (request, sendOptions) =>
      next(request, sendOptions).then((response) =>
        isRedirect(response)
          ? follow(response, { request, next, sendOptions, max, secret, allowDowngrade })
          : response,
      )
  }
}

interface Walk {
  readonly request: TransportRequest
  readonly next: Send
  readonly sendOptions: SendOptions | undefined
  readonly max: number
  readonly secret: ReadonlySet<string>
  readonly allowDowngrade: boolean
}

async function follow(first: TransportResponse, walk: Walk): Promise<TransportResponse> {
  const asked: string[] = []
  let { request } = walk
  let response = first
  while (isRedirect(response)) {
    response.body.cancel()
    asked.push(request.url)
    const target = targetOf(request, response, walk)
    const visits = asked.filter((url) => url === target.href).length
    if (visits >= maxVisits) throw refused(request.url, `redirects run in a circle at ${target.href}`, asked)
    if (asked.length > walk.max) throw refused(request.url, `more than ${walk.max} redirects`, asked)
    request = nextRequest(request, response.status, target, walk.secret)
    response = await walk.next(request, walk.sendOptions)
  }
  return { ...response, redirects: asked }
}

function isRedirect({ status, headers }: TransportResponse): boolean {
  const follows = status === 301 || status === 302 || status === 303 || status === 307 || status === 308
  return follows && headers['location'] !== undefined
}

function targetOf(request: TransportRequest, response: TransportResponse, walk: Walk): URL {
  const from = new URL(request.url)
  const location = decodeWireText(headerValue(response.headers, 'location') ?? '')
  if (!URL.canParse(location, from.href)) throw refused(request.url, `redirect to no URL: ${location}`)
  const target = new URL(location, from)
  if (target.protocol !== 'http:' && target.protocol !== 'https:') {
    throw refused(request.url, `redirect to ${target.protocol} is refused`)
  }
  if (from.protocol === 'https:' && target.protocol === 'http:' && !walk.allowDowngrade) {
    throw refused(request.url, `redirect from https to http is refused: ${target.href}`)
  }
  target.username = ''
  target.password = ''
  target.hash = ''
  return target
}

function nextRequest(
  request: TransportRequest,
  status: number,
  target: URL,
  secret: ReadonlySet<string>,
): TransportRequest {
  const { body, ...rest } = request
  const becomesGet = request.method === 'POST' && status < 307
  const from = new URL(request.url)
  const leaves = from.origin !== target.origin
  if (!leaves) {
    target.username = from.username
    target.password = from.password
  }
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => {
      if (becomesGet && name.startsWith('content-')) return false
      // The new host is named by the URL.
      if (name === 'host') return !leaves
      return !leaves || !(alwaysSecret.has(name) || secret.has(name) || looksSecret.test(name))
    }),
  )
  return {
    ...rest,
    url: target.href,
    headers,
    method: becomesGet ? 'GET' : request.method,
    ...(becomesGet || body === undefined ? {} : { body }),
    ...(leaves ? { foreign: true } : {}),
  }
}

function refused(url: string, why: string, asked: readonly string[] = []): TrawlError {
  return new TrawlError('ERR_HTTP_REDIRECT', `${url}: ${why}`, {
    context: { url, ...(asked.length === 0 ? {} : { redirects: asked.length }) },
  })
}

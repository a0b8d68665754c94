import { parseChallenges, type Challenge } from '../auth/challenge.ts'
import { answerDigest, canAnswerDigest } from '../auth/digest.ts'
import type { Credentials } from '../auth/netrc.ts'
import type { Interceptor, TransportRequest, TransportResponse } from '../transport.ts'

const maxOrigins = 1024

/** Which credentials to use, and how. */
export interface CredentialOptions {
  /** Credentials for a URL without user information. */
  readonly find?: (url: URL) => Credentials | undefined
  /** For every other host, but not for one that a redirect led to. */
  readonly everywhere?: Credentials | undefined
  /**
   * `auto` waits for the server to ask and answers Digest or Basic; `basic` sends Basic unasked (RFC 7617);
   * `digest` never sends Basic. Default `auto`.
   */
  readonly scheme?: 'auto' | 'basic' | 'digest'
}

/** How an origin wants to be answered, once it has asked. */
type Scheme =
  | { readonly kind: 'basic' }
  | { readonly kind: 'digest'; readonly challenge: Challenge; count: number }

/**
 * Answers 401 with credentials from the URL (`https://user:password@host/`) or from `find`: Basic (RFC 7617) or
 * Digest (RFC 7616). What an origin wants is remembered, so that only its first request is asked twice; a Digest
 * nonce is used until the server calls it stale. A request with an Authorization header of its own is left alone.
 */
export function credentials(options: CredentialOptions = {}): Interceptor {
  const { find, everywhere, scheme = 'auto' } = options
  const known = new Map<string, Scheme>()
  const remember = (origin: string, answer: Scheme): void => {
    if (known.size >= maxOrigins) known.clear()
    known.set(origin, answer)
  }
  return (next) => {
    const authenticate = async (
      request: TransportRequest,
      url: URL,
      secret: Credentials,
      sendOptions: Parameters<typeof next>[1],
    ): Promise<TransportResponse> => {
      const first = known.get(url.origin) ?? (scheme === 'basic' ? { kind: 'basic' as const } : undefined)
      const response = await next(
        first === undefined ? request : authorised(request, url, secret, first),
        sendOptions,
      )
      if (response.status !== 401) return response
      const second = chooseScheme(response, first, scheme)
      if (second === undefined) return response
      remember(url.origin, second)
      response.body.cancel()
      return next(authorised(request, url, secret, second), sendOptions)
    }
    return (request, sendOptions) => {
      const inUrl = hasUserInfo(request.url)
      const isAsked = find !== undefined || everywhere !== undefined || inUrl
      if (!isAsked || !URL.canParse(request.url)) return next(request, sendOptions)
      const url = new URL(request.url)
      const secret = inUrl ? takeUserInfo(url) : (find?.(url) ?? (request.foreign ? undefined : everywhere))
      const clean = inUrl ? { ...request, url: url.href } : request
      if (secret === undefined || request.headers['authorization'] !== undefined)
        return next(clean, sendOptions)
      return authenticate(clean, url, secret, sendOptions)
    }
  }
}

function hasUserInfo(url: string): boolean {
  const at = url.indexOf('@')
  if (at === -1) return false
  // Within the authority, which may be followed by a query at once.
  return !/[/?#]/.test(url.slice(url.indexOf('//') + 2, at))
}

function takeUserInfo(url: URL): Credentials | undefined {
  const { username, password } = url
  url.username = ''
  url.password = ''
  if (username === '' && password === '') return undefined
  return { username: decode(username), password: decode(password) }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function chooseScheme(
  response: TransportResponse,
  tried: Scheme | undefined,
  allowed: 'auto' | 'basic' | 'digest',
): Scheme | undefined {
  const values = response.headers['www-authenticate'] ?? []
  const challenges = parseChallenges(typeof values === 'string' ? [values] : values)
  const digest = allowed === 'basic' ? undefined : challenges.find(canAnswerDigest)
  if (digest !== undefined) {
    // The same nonce again means that the password is wrong. Not all servers say `stale` of an old one.
    const isNew =
      tried?.kind !== 'digest' || tried.challenge.parameters['nonce'] !== digest.parameters['nonce']
    return isNew ? { kind: 'digest', challenge: digest, count: 0 } : undefined
  }
  const basic = allowed !== 'digest' && challenges.some((challenge) => challenge.scheme === 'basic')
  return basic && tried?.kind !== 'basic' ? { kind: 'basic' } : undefined
}

function authorised(
  request: TransportRequest,
  url: URL,
  secret: Credentials,
  scheme: Scheme,
): TransportRequest {
  const authorization = scheme.kind === 'basic' ? basic(secret) : digest(request, url, secret, scheme)
  return { ...request, headers: { ...request.headers, authorization } }
}

function basic({ username, password }: Credentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

function digest(
  request: TransportRequest,
  url: URL,
  secret: Credentials,
  scheme: Extract<Scheme, { kind: 'digest' }>,
): string {
  scheme.count++
  return answerDigest({
    challenge: scheme.challenge,
    credentials: secret,
    method: request.method,
    uri: url.pathname + url.search,
    count: scheme.count,
  })
}

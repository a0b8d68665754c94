import { isTrawlError, TrawlError, type ErrorCode, type TrawlErrorOptions } from '../core/index.ts'
import { ConnectionFault } from './h1/connection-fault.ts'

/** How far a request had come when it failed. */
export interface ExchangeProgress {
  readonly url: string
  readonly phase: 'connect' | 'headers' | 'body'
  readonly receivedBytes: number
  /** The announced length of the body, where there was one. */
  readonly expectedBytes?: number | undefined
}

const refused = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'EACCES',
  'EPERM',
  'EINVAL',
])

const dnsFailures = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
  'ENODATA',
  'ESERVFAIL',
  'EREFUSED',
  'EBADNAME',
  'EBADRESP',
])

const certificateErrors =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_TLS_CERT_|CRL_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_|HOSTNAME_MISMATCH|ERROR_IN_CERT_)/

const parserError = /^Response does not match the HTTP\/1\.1 protocol/

/** The code that says most about an error: of itself, of its parts (several addresses tried) or of its cause. */
function systemCode(error: unknown): string {
  const told = telling(error)
  const code = typeof told === 'object' && told !== null && 'code' in told ? told.code : undefined
  return typeof code === 'string' ? code : ''
}

function telling(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error
  const parts: unknown[] = error.errors
  // An address family that this machine cannot route to says nothing about the server.
  const unrouted = /^(?:ENETUNREACH|EADDRNOTAVAIL)$/
  const best = parts.find(
    (part) => part instanceof Error && 'code' in part && !unrouted.test(String(part.code)),
  )
  return best ?? parts[0] ?? error
}

/**
 * Why a connection could not be made, as ERR_NET_DNS, ERR_NET_CONNECT, ERR_NET_TIMEOUT, ERR_NET_TLS or
 * ERR_TOO_MANY_FILES. Errors that are already ours pass.
 */
export function connectError(
  error: Error,
  target: { readonly protocol: string; readonly hostname: string; readonly port: string },
): TrawlError {
  if (isTrawlError(error)) return error
  const code = systemCode(error)
  const tls = target.protocol === 'https:'
  const port = target.port === '' ? (tls ? '443' : '80') : target.port
  const place = `${target.hostname}:${port}`
  const context = { host: target.hostname, port: Number(port), systemCode: code, ...addresses(error) }
  const make = (to: ErrorCode, text: string, more: TrawlErrorOptions = {}): TrawlError =>
    new TrawlError(to, `${place}: ${text}`, { cause: error, context, ...more })
  if (code === 'EMFILE' || code === 'ENFILE') return make('ERR_TOO_MANY_FILES', 'no free file descriptor')
  if (dnsFailures.has(code) || lookupCall(error) !== '') return dnsError(code, lookupCall(error), make)
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return make('ERR_NET_TIMEOUT', 'no connection in time', { scope: 'host' })
  }
  if (refused.has(code)) return make('ERR_NET_CONNECT', code === 'ECONNREFUSED' ? 'refused' : code)
  if (certificateErrors.test(code)) return make('ERR_NET_TLS', `certificate not accepted (${code})`)
  // A handshake that breaks off, or an alert, is often a loaded server: it may work the next time.
  if (tls) return make('ERR_NET_TLS', `handshake failed (${code || error.message})`, { retry: 'backoff' })
  return make('ERR_NET_CONNECT', code || error.message)
}

/** `getaddrinfo`, `queryA` or the like when the error comes from a resolver, else an empty text. */
function lookupCall(error: Error): string {
  const told = telling(error)
  const call = told instanceof Error && 'syscall' in told ? String(told.syscall) : ''
  return /^(?:getaddrinfo|query)/.test(call) ? call : ''
}

function dnsError(
  code: string,
  call: string,
  make: (to: ErrorCode, text: string, more?: TrawlErrorOptions) => TrawlError,
): TrawlError {
  // glibc says EAI_AGAIN when it could not ask; the resolvers of other systems say ENOTFOUND also when offline.
  const asked = call.startsWith('query') || process.platform === 'linux'
  const certain = code === 'ENODATA' || (code === 'ENOTFOUND' && asked)
  if (certain) return make('ERR_NET_DNS', 'no such host', { retry: 'never' })
  return make('ERR_NET_DNS', `the name could not be resolved (${code})`, { scope: 'host' })
}

function addresses(error: Error): { readonly tried?: readonly string[] } {
  if (!(error instanceof AggregateError)) return {}
  const tried = error.errors.map((part: unknown) => {
    if (!(part instanceof Error)) return String(part)
    return 'address' in part ? `${String(part.address)} (${systemCode(part)})` : systemCode(part)
  })
  return { tried }
}

/**
 * Why a request failed after the connection stood: ERR_NET_RESET, ERR_NET_TIMEOUT, ERR_NET_STALLED,
 * ERR_LENGTH_MISMATCH, ERR_HTTP_PROTOCOL, ERR_CANCELLED or ERR_INPUT_INVALID (a header that cannot be sent).
 */
export function exchangeError(error: unknown, progress: ExchangeProgress): TrawlError {
  if (isTrawlError(error)) return error
  const code = systemCode(error)
  const text = error instanceof Error ? error.message : String(error)
  const make = (to: ErrorCode, message: string): TrawlError =>
    new TrawlError(to, `${progress.url}: ${message}`, { cause: error, context: contextOf(progress, code) })
  if (error instanceof ConnectionFault) return faultError(error, progress, make)
  switch (code) {
    case 'UND_ERR_HEADERS_TIMEOUT':
      return make('ERR_NET_TIMEOUT', 'no answer in time')
    case 'UND_ERR_BODY_TIMEOUT':
      return make('ERR_NET_STALLED', `nothing more came after ${progress.receivedBytes} bytes`)
    case 'UND_ERR_HEADERS_OVERFLOW':
      return make('ERR_HTTP_PROTOCOL', 'the headers are too long')
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      // undici also says this of headers with two lengths, before any body.
      if (progress.phase !== 'body') return make('ERR_HTTP_PROTOCOL', 'contradictory framing')
      return make('ERR_LENGTH_MISMATCH', lengthText(progress))
    case 'UND_ERR_INVALID_ARG':
    case 'UND_ERR_NOT_SUPPORTED':
      return make('ERR_INPUT_INVALID', `the request cannot be sent: ${text}`)
    case 'UND_ERR_ABORTED':
    case 'UND_ERR_DESTROYED':
    case 'UND_ERR_CLOSED':
      return make('ERR_CANCELLED', 'broken off')
    case 'EMFILE':
    case 'ENFILE':
      return make('ERR_TOO_MANY_FILES', 'no free file descriptor')
    default:
      return brokenError(code, text, progress, make)
  }
}

function faultError(
  { kind, message }: ConnectionFault,
  progress: ExchangeProgress,
  make: (to: ErrorCode, message: string) => TrawlError,
): TrawlError {
  switch (kind) {
    case 'headers-timeout':
      return make('ERR_NET_TIMEOUT', 'no answer in time')
    case 'body-timeout':
      return make('ERR_NET_STALLED', `nothing more came after ${progress.receivedBytes} bytes`)
    case 'headers-too-long':
      return make('ERR_HTTP_PROTOCOL', 'the headers are too long')
    case 'protocol':
      return make('ERR_HTTP_PROTOCOL', message)
    default:
      return closedError(message, progress, make)
  }
}

/** A clean close is a server that thinks it is done; a reset is a broken line. */
function closedError(
  text: string,
  progress: ExchangeProgress,
  make: (to: ErrorCode, message: string) => TrawlError,
): TrawlError {
  if (progress.phase !== 'body') {
    return make('ERR_NET_RESET', `the connection broke before an answer (${text})`)
  }
  if (progress.expectedBytes !== undefined) return make('ERR_LENGTH_MISMATCH', lengthText(progress))
  return make('ERR_NET_RESET', `the connection broke after ${progress.receivedBytes} bytes (${text})`)
}

function brokenError(
  code: string,
  text: string,
  progress: ExchangeProgress,
  make: (to: ErrorCode, message: string) => TrawlError,
): TrawlError {
  // The parser's own codes do not reach us; only its words do.
  if (parserError.test(text)) {
    if (!text.includes('Invalid EOF state')) return make('ERR_HTTP_PROTOCOL', text)
    return make('ERR_NET_RESET', `the body ended in the middle, after ${progress.receivedBytes} bytes`)
  }
  if (code === 'UND_ERR_SOCKET' && text.startsWith('bad ')) return make('ERR_HTTP_PROTOCOL', text)
  if (code === 'UND_ERR_SOCKET') return closedError(text, progress, make)
  const after = progress.phase === 'body' ? `after ${progress.receivedBytes} bytes` : 'before an answer'
  return make('ERR_NET_RESET', `the connection broke ${after} (${code || text})`)
}

function lengthText(progress: ExchangeProgress): string {
  return `${progress.receivedBytes} of ${progress.expectedBytes ?? 'unknown'} bytes arrived`
}

function contextOf(progress: ExchangeProgress, code: string): Record<string, unknown> {
  return {
    url: progress.url,
    systemCode: code === '' ? undefined : code,
    receivedBytes: progress.phase === 'body' ? progress.receivedBytes : undefined,
    expectedBytes: progress.expectedBytes,
  }
}

/** The request was given up, by its signal or because the transport was destroyed. */
export function cancelledError(url: string, reason: unknown): TrawlError {
  if (isTrawlError(reason) && reason.code === 'ERR_CANCELLED') return reason
  return new TrawlError('ERR_CANCELLED', `${url}: cancelled`, { cause: reason, context: { url } })
}

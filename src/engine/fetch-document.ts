import { isTrawlError, toTrawlError, TrawlError, type Clock } from '../core/index.ts'
import {
  decodedBody,
  headerValue,
  type ResponseHeaders,
  type Transport,
  type TransportResponse,
} from '../http/index.ts'
import type { Governor, Lease } from './governor/index.ts'
import { reportOf } from './governor/index.ts'
import { hostOf } from './run/host-of.ts'
import { decideRetry, defaultRetryOptions, type RetryOptions } from './run/retry-policy.ts'
import { refusePart } from './transfer/answer-checks.ts'
import { judgeResponse } from './transfer/judge-response.ts'

/** The largest document that is taken into memory. */
const maxDocumentBytes = 16 * 1024 * 1024

/** A small document in memory. */
export interface Document {
  /** After redirects. */
  readonly url: string
  readonly status: number
  readonly headers: ResponseHeaders
  readonly bytes: Buffer
}

export interface FetchDocumentOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly maxBytes?: number
  readonly retry?: RetryOptions
  /** Told before each further try. */
  readonly onRetry?: (retry: DocumentRetry) => void
  readonly signal?: AbortSignal
}

/** Why a document is asked for again, and when. */
export interface DocumentRetry {
  readonly error: TrawlError
  /** Failed tries so far. */
  readonly tries: number
  readonly delayMs: number
}

export type FetchDocument = (url: string, options?: FetchDocumentOptions) => Promise<Document>

/**
 * Fetches small documents into memory, such as manifests: each request holds a lease of the governor, and failures
 * that may pass are tried again as those of files are. A status is a value: 401 and 404 resolve, and so does the last
 * 503. Rejects with what the transport throws, ERR_TOO_LARGE (16 MiB) and ERR_CANCELLED.
 */
export function createDocumentFetcher(parts: {
  readonly transport: Transport
  readonly governor: Governor
  readonly clock: Clock
}): FetchDocument {
  return async (url, options = {}) => {
    const { signal, retry = defaultRetryOptions } = options
    const host = hostOf(url)
    let attempts = 0
    let throttles = 0
    for (;;) {
      const lease = await acquire(parts.governor, host, signal)
      const tried = await attempt(parts, lease, url, options)
      if (tried.error === undefined) return tried.document
      const { error } = tried
      attempts++
      const decision = decideRetry(error, { attempts, throttles }, retry)
      if (!decision.retry) {
        if (tried.document) return tried.document
        throw decision.error ?? error
      }
      if (!decision.spends) {
        throttles++
        attempts--
      }
      const { delayMs, pauseHostMs } = decision
      options.onRetry?.({ error, tries: attempts + throttles, delayMs: pauseHostMs ?? delayMs })
      if (pauseHostMs !== undefined) parts.governor.pauseHost(host, pauseHostMs, error.message)
      if (delayMs > 0) await pause(parts.clock, delayMs, signal)
    }
  }
}

type Tried =
  | { readonly error?: undefined; readonly document: Document }
  | { readonly error: TrawlError; readonly document?: Document }

async function attempt(
  parts: { readonly transport: Transport; readonly clock: Clock },
  lease: Lease,
  url: string,
  options: FetchDocumentOptions,
): Promise<Tried> {
  const { headers = {}, signal } = options
  try {
    const response = await parts.transport.send(
      { method: 'GET', url, headers: lowerCase(headers) },
      signal ? { signal } : {},
    )
    lease.headers()
    const bytes = await takeBody(response, lease, options.maxBytes ?? maxDocumentBytes)
    const document = { url: response.url, status: response.status, headers: response.headers, bytes }
    const error = judgeResponse(response, parts.clock)
    lease.release(error ? reportOf(error) : { result: 'ok' })
    // What trying again cannot change is an answer, not an error.
    return error === undefined || error.retry === 'never' ? { document } : { document, error }
  } catch (thrown) {
    const error = toTrawlError(thrown)
    lease.release(reportOf(error))
    return { error }
  }
}

async function takeBody(response: TransportResponse, lease: Lease, maxBytes: number): Promise<Buffer> {
  try {
    refusePart(response)
  } catch (error) {
    response.body.cancel()
    throw error
  }
  const chunks: Buffer[] = []
  let size = 0
  const coding = headerValue(response.headers, 'content-encoding')?.trim().toLowerCase()
  // Some servers send it whatever is asked for.
  const decoded = coding === undefined ? undefined : decodedBody(response.body, coding)
  const end = await (decoded ?? response.body).drain((chunk) => {
    size += chunk.length
    if (size > maxBytes) return false
    chunks.push(chunk)
    lease.bytes(chunk.length)
    return undefined
  })
  if (end === 'end') return Buffer.concat(chunks)
  throw new TrawlError('ERR_TOO_LARGE', `${response.url} has more than ${maxBytes} bytes`, {
    context: { url: response.url },
  })
}

function acquire(governor: Governor, host: string, signal: AbortSignal | undefined): Promise<Lease> {
  const lease = signal?.aborted ? undefined : governor.tryAcquire(host)
  if (lease) return Promise.resolve(lease)
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      stop()
      signal?.removeEventListener('abort', abort)
    }
    const abort = (): void => {
      leave()
      reject(cancelled(signal))
    }
    const stop = governor.onCapacity(() => {
      const granted = governor.tryAcquire(host)
      if (!granted) return
      leave()
      resolve(granted)
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

function pause(clock: Clock, delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      stop()
      reject(cancelled(signal))
    }
    const stop = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', abort)
      resolve()
    })
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}

function cancelled(signal: AbortSignal | undefined): TrawlError {
  const reason: unknown = signal?.reason
  return isTrawlError(reason) ? reason : new TrawlError('ERR_CANCELLED', 'cancelled', { cause: reason })
}

function lowerCase(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

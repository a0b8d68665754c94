/**
 * Sends one request and gives its response. The seam between the engine and the network.
 *
 * - May be called concurrently; does not limit or retry: the governor and the engine do.
 * - Resolves when the headers are there. Statuses are values: 404 and 503 resolve.
 * - Rejects with `TrawlError` only: ERR_URL_INVALID, ERR_URL_SCHEME, ERR_NET_*, ERR_HTTP_PROTOCOL,
 *   ERR_HTTP_REDIRECT, ERR_TOO_MANY_FILES, ERR_INPUT_INVALID (a header that cannot be sent), ERR_CANCELLED (the
 *   signal fired, or the transport is closed).
 * - Every response body must be drained or cancelled, or its connection is lost to the pool.
 */
export interface Transport {
  readonly send: Send
  /** Closes connections that no request uses now: they hold file descriptors. */
  closeIdle(): void
  /** Waits for requests in flight, then closes all connections. */
  close(): Promise<void>
  /** Breaks everything off now. Bodies in flight reject with ERR_CANCELLED. */
  destroy(): Promise<void>
}

export type Send = (request: TransportRequest, options?: SendOptions) => Promise<TransportResponse>

/** Behaviour around sending (redirects, cookies, authentication) is a wrapper of the same function. */
export type Interceptor = (next: Send) => Send

export interface SendOptions {
  readonly signal?: AbortSignal
}

export interface TransportRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  /** Absolute http: or https: URL; a fragment is not sent. */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** A redirect led here from another origin: what is meant for any host that a user names is not for this one. */
  readonly foreign?: boolean
  /**
   * Longest wait for the response headers and between two chunks of the body; default is the transport's. It is
   * looked at about once a second, so a wait may be a second longer.
   */
  readonly timeoutMs?: number
}

/** Names in lower case; repeated fields as a list. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

export interface TransportResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  /** The URL that answered, after redirects. */
  readonly url: string
  /** URLs asked before this one, when redirected. */
  readonly redirects?: readonly string[]
  readonly httpVersion?: string
  readonly remoteAddress?: string
  readonly body: ResponseBody
}

/**
 * What to do with a chunk: nothing, or a promise to wait for before the next one (some chunks are kept meanwhile,
 * then the connection is paused), or `false` to stop and close the connection. The chunk may be kept, but pins up
 * to 64 KiB.
 */
export type ChunkConsumer = (chunk: Buffer) => void | false | Promise<void | false>

export interface ResponseBody {
  /**
   * Hands all chunks in order to `consume`. Resolves `'end'` at the clean end of the body (length or last chunk
   * seen, or connection closed when neither was announced) and `'stopped'` when the consumer said `false`.
   * Rejects with ERR_NET_RESET, ERR_NET_STALLED, ERR_LENGTH_MISMATCH, ERR_HTTP_PROTOCOL, ERR_CANCELLED, or what
   * the consumer threw. May be called once. Chunks that arrive before the call are kept, within bounds.
   */
  drain(consume: ChunkConsumer): Promise<'end' | 'stopped'>
  /**
   * Gives the body up: reads a short rest so that the connection can be used again, else closes it. A `drain` under
   * way resolves `'stopped'`.
   */
  cancel(): void
}

/** A single header as text; the first when repeated. */
export function headerValue(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

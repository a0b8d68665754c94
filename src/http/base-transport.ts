import type { Dispatcher } from 'undici'
import { TrawlError, toTrawlError } from '../core/index.ts'
import { createConnect } from './connect/connector.ts'
import { createDnsCache, systemLookup } from './connect/dns-cache.ts'
import type { Connect, ConnectionOptions } from './connection.ts'
import { ConnectionWatch } from './h1/connection-watch.ts'
import { Exchange } from './exchange.ts'
import { createLanes, type Lane } from './lanes.ts'
import { createLocate, type RequestTarget } from './locate.ts'
import { cancelledError } from './network-error.ts'
import { Roster } from './roster.ts'
import type { RouteFor } from './route.ts'
import { SignalGroups } from './signal-groups.ts'
import type { SendOptions, Transport, TransportRequest, TransportResponse } from './transport.ts'

/** How connections are made and how long is waited. */
export interface BaseTransportOptions {
  /** Longest wait for response headers and between two chunks, in milliseconds. Default 30 000; 0 is for ever. */
  readonly timeoutMs?: number
  /** Longest wait for a connection with its TLS handshake, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs?: number
  /** How long an idle connection is kept, where the server does not say, in milliseconds. Default 10 000. */
  readonly keepAliveMs?: number
  /** Response headers longer than this are refused. Default 64 KiB. */
  readonly maxHeaderBytes?: number
  /** `auto` lets https servers choose HTTP/2. Default `off`: it brings files no faster. */
  readonly http2?: 'off' | 'auto'
  /** Sent with every request that does not have it. */
  readonly userAgent?: string
  /** The way to each origin; default is a plain TCP or TLS connection. */
  readonly routeFor?: RouteFor
}

/**
 * The transport below all others: kept-alive connections, no redirects, cookies or retries. HTTP/1.1 is spoken here,
 * HTTP/2 by undici (docs/adr/0007-own-http1.md). Only a
 * kept-alive connection that died unnoticed is replaced, once, before the first byte of an answer to GET or
 * HEAD. `Accept-Encoding: identity` is sent unless the request says otherwise. User information in URLs is not
 * sent.
 */
export function createBaseTransport(options: BaseTransportOptions = {}): Transport {
  return new BaseTransport(options)
}

class BaseTransport implements Transport {
  readonly #locate = createLocate()
  readonly #lanes: ReturnType<typeof createLanes>
  readonly #signals = new SignalGroups<Exchange>()
  readonly #inFlight = new Roster<Exchange>('seat')
  readonly #userAgent: string | undefined
  #closed = false
  #onIdle: (() => void) | undefined

  constructor(options: BaseTransportOptions) {
    const connections: Omit<ConnectionOptions, 'connect'> = {
      timeoutMs: options.timeoutMs ?? 30_000,
      keepAliveMs: options.keepAliveMs ?? 10_000,
      maxHeaderBytes: options.maxHeaderBytes ?? 64 * 1024,
      watch: new ConnectionWatch(),
    }
    const allowHttp2 = options.http2 === 'auto'
    const routeFor = options.routeFor ?? directRoute(options.connectTimeoutMs ?? 10_000, allowHttp2)
    this.#lanes = createLanes({ connections, allowHttp2, routeFor })
    this.#userAgent = options.userAgent
  }

  readonly send = (request: TransportRequest, options?: SendOptions): Promise<TransportResponse> => {
    const signal = options?.signal
    if (signal?.aborted === true) return Promise.reject(cancelledError(request.url, signal.reason))
    if (this.#closed) return Promise.reject(cancelledError(request.url, 'the transport is closed'))
    let target: RequestTarget
    let lane: Lane
    try {
      target = this.#locate(request.url)
      lane = this.#lanes.get(target.origin)
    } catch (error) {
      return Promise.reject(toTrawlError(error))
    }
    return new Promise((resolve, reject) => {
      const group = signal === undefined ? undefined : this.#signals.of(signal)
      const exchange = new Exchange({
        request,
        dispatch: dispatchOptions(request, target, lane, this.#userAgent),
        lane,
        resolve,
        reject,
        onSettled: (self) => {
          group?.remove(self)
          this.#inFlight.remove(self)
          if (this.#onIdle !== undefined && this.#inFlight.size === 0) this.#onIdle()
        },
      })
      group?.add(exchange)
      this.#inFlight.add(exchange)
      exchange.start(false)
    })
  }

  closeIdle(): void {
    for (const pool of this.#lanes.pools()) pool.closeIdle()
  }

  async close(): Promise<void> {
    this.#closed = true
    const closing = this.#lanes.pools().map((pool) => pool.close())
    if (this.#inFlight.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    await Promise.all(closing)
    await Promise.all(this.#lanes.pools().map((pool) => pool.destroy()))
  }

  async destroy(): Promise<void> {
    this.#closed = true
    const pools = this.#lanes.pools()
    const reason = new TrawlError('ERR_CANCELLED', 'the transport was destroyed')
    for (const exchange of this.#inFlight.list()) exchange.abort(reason)
    await Promise.all(pools.map((pool) => pool.destroy()))
  }
}

function dispatchOptions(
  request: TransportRequest,
  target: RequestTarget,
  lane: Lane,
  userAgent: string | undefined,
): Dispatcher.DispatchOptions {
  const headers: string[] = []
  let encodingGiven = false
  let agentGiven = userAgent === undefined
  for (const name in request.headers) {
    headers.push(name, request.headers[name] ?? '')
    if (name === 'accept-encoding') encodingGiven = true
    else if (name === 'user-agent') agentGiven = true
  }
  if (!encodingGiven) headers.push('accept-encoding', 'identity')
  if (!agentGiven && userAgent !== undefined) headers.push('user-agent', userAgent)
  const { method, body, timeoutMs } = request
  const { forward } = lane
  if (body === undefined && timeoutMs === undefined && forward === undefined) {
    return { method, path: target.path, headers }
  }
  if (forward !== undefined) {
    if (request.headers['host'] === undefined) headers.push('host', target.origin.slice('http://'.length))
    headers.push(...forward.headers)
  }
  const options = {
    method,
    path: forward === undefined ? target.path : target.origin + target.path,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(timeoutMs === undefined ? {} : { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }),
    // Else undici would take the name for TLS from the Host header, which is not the proxy's.
    ...(forward === undefined ? {} : { servername: forward.servername }),
  }
  return options
}

function directRoute(timeoutMs: number, allowHttp2: boolean): RouteFor {
  const connect: Connect = createConnect({
    timeoutMs,
    allowHttp2,
    lookup: createDnsCache({ lookup: systemLookup }),
  })
  return () => ({ connect })
}

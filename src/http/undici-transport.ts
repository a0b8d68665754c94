import { buildConnector, type Dispatcher } from 'undici'
import { TrawlError, toTrawlError } from '../core/index.ts'
import type { Connect, ConnectionOptions } from './connection.ts'
import { Exchange } from './exchange.ts'
import { createLocate, type RequestTarget } from './locate.ts'
import { cancelledError } from './network-error.ts'
import { OriginPool, type CarrierPool } from './origin-pool.ts'
import { SignalGroups } from './signal-groups.ts'
import type { SendOptions, Transport, TransportRequest, TransportResponse } from './transport.ts'

/** How connections are made and how long is waited. */
export interface UndiciTransportOptions {
  /** Longest wait for response headers and between two chunks, in milliseconds. Default 30 000; 0 is for ever. */
  readonly timeoutMs?: number
  /** Longest wait for a connection with its TLS handshake, in milliseconds. Default 10 000. */
  readonly connectTimeoutMs?: number
  /** How long an idle connection is kept, where the server does not say, in milliseconds. Default 10 000. */
  readonly keepAliveMs?: number
  /** Response headers longer than this are refused. Default 64 KiB. */
  readonly maxHeaderBytes?: number
  /** Opens sockets; default is a plain TCP or TLS connection. */
  readonly connect?: Connect
}

/**
 * A transport over undici's low-level dispatch: HTTP/1.1, kept-alive connections, no redirects, cookies or
 * retries. Only a kept-alive connection that died unnoticed is replaced, once, before the first byte of an
 * answer to GET or HEAD. `Accept-Encoding: identity` is sent unless the request says otherwise.
 */
export function createUndiciTransport(options: UndiciTransportOptions = {}): Transport {
  return new UndiciTransport(options)
}

class UndiciTransport implements Transport {
  readonly #connections: ConnectionOptions
  readonly #locate = createLocate()
  readonly #pools = new Map<string, CarrierPool>()
  readonly #signals = new SignalGroups<Exchange>()
  readonly #inFlight = new Set<Exchange>()
  #closed = false
  #onIdle: (() => void) | undefined

  constructor(options: UndiciTransportOptions) {
    const connectTimeoutMs = options.connectTimeoutMs ?? 10_000
    this.#connections = {
      timeoutMs: options.timeoutMs ?? 30_000,
      keepAliveMs: options.keepAliveMs ?? 10_000,
      maxHeaderBytes: options.maxHeaderBytes ?? 64 * 1024,
      connect: options.connect ?? plainConnect(connectTimeoutMs),
    }
  }

  readonly send = (request: TransportRequest, options?: SendOptions): Promise<TransportResponse> => {
    const signal = options?.signal
    if (signal?.aborted === true) return Promise.reject(cancelledError(request.url, signal.reason))
    if (this.#closed) return Promise.reject(cancelledError(request.url, 'the transport is closed'))
    let target: RequestTarget
    try {
      target = this.#locate(request.url)
    } catch (error) {
      return Promise.reject(toTrawlError(error))
    }
    return new Promise((resolve, reject) => {
      const group = signal === undefined ? undefined : this.#signals.of(signal)
      const exchange = new Exchange({
        request,
        dispatch: dispatchOptions(request, target.path),
        pool: this.#pool(target.origin),
        resolve,
        reject,
        onSettled: (self) => {
          group?.delete(self)
          this.#inFlight.delete(self)
          if (this.#onIdle !== undefined && this.#inFlight.size === 0) this.#onIdle()
        },
      })
      group?.add(exchange)
      this.#inFlight.add(exchange)
      exchange.start(false)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    const pools = [...this.#pools.values()]
    const closing = pools.map((pool) => pool.close())
    if (this.#inFlight.size > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve))
    await Promise.all(closing)
    await Promise.all(pools.map((pool) => pool.destroy()))
  }

  async destroy(): Promise<void> {
    this.#closed = true
    const pools = [...this.#pools.values()]
    const reason = new TrawlError('ERR_CANCELLED', 'the transport was destroyed')
    for (const exchange of this.#inFlight) exchange.abort(reason)
    await Promise.all(pools.map((pool) => pool.destroy()))
  }

  #pool(origin: string): CarrierPool {
    let pool = this.#pools.get(origin)
    if (pool === undefined) {
      // Forgotten with its last connection: a list may name millions of hosts.
      pool = new OriginPool(origin, this.#connections, () => this.#pools.delete(origin))
      this.#pools.set(origin, pool)
    }
    return pool
  }
}

function dispatchOptions(request: TransportRequest, path: string): Dispatcher.DispatchOptions {
  const headers: string[] = []
  let encodingGiven = false
  for (const name in request.headers) {
    headers.push(name, request.headers[name] ?? '')
    if (name === 'accept-encoding') encodingGiven = true
  }
  if (!encodingGiven) headers.push('accept-encoding', 'identity')
  const { method, body, timeoutMs } = request
  if (body === undefined && timeoutMs === undefined) return { method, path, headers }
  return {
    method,
    path,
    headers,
    ...(body === undefined ? {} : { body }),
    ...(timeoutMs === undefined ? {} : { headersTimeout: timeoutMs, bodyTimeout: timeoutMs }),
  }
}

function plainConnect(timeoutMs: number): Connect {
  // Returns the socket, though its type does not say so; that is only used to give it up early.
  return buildConnector({ allowH2: false, timeout: timeoutMs })
}

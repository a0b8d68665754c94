import type { Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import type { Connect } from '../connection.ts'
import { connectError } from '../network-error.ts'
import { deliver, targetPort, type TunnelOptions } from './http-tunnel.ts'
import { proxyError, proxyUnreachable } from './proxy-error.ts'

/** Reaches origins through a SOCKS proxy: version 5 (RFC 1928, 1929) or 4a. Names are resolved by the proxy. */
export function createSocksTunnel(options: TunnelOptions): Connect {
  return (target, done) => {
    const opening = new SocksOpening(options, target)
    void deliver(options, target, opening.run(), done)
    return opening
  }
}

class SocksOpening {
  readonly #options: TunnelOptions
  readonly #target: buildConnector.Options
  #socket: Socket | undefined
  #given = false

  constructor(options: TunnelOptions, target: buildConnector.Options) {
    this.#options = options
    this.#target = target
  }

  destroy(): void {
    this.#given = true
    this.#socket?.destroy(new Error('given up'))
  }

  async run(): Promise<Socket> {
    const { proxy, timeoutMs, resolve } = this.#options
    const { hostname } = this.#target
    const port = targetPort(this.#target)
    const host = resolve === undefined ? hostname : await resolve(hostname, port)
    this.#socket = await this.#reachProxy()
    if (this.#given) this.#socket.destroy()
    try {
      const { SocksClient } = await import('socks')
      const { socket } = await SocksClient.createConnection({
        proxy: {
          host: proxy.hostname,
          port: proxy.port,
          type: proxy.kind === 'socks4' ? 4 : 5,
          ...(proxy.username === undefined ? {} : { userId: proxy.username, password: proxy.password ?? '' }),
        },
        command: 'connect',
        destination: { host, port },
        existing_socket: this.#socket,
        timeout: timeoutMs,
      })
      return socket
    } catch (error) {
      throw this.#explain(error, `${hostname}:${port}`)
    }
  }

  #reachProxy(): Promise<Socket> {
    const { proxy, connectProxy } = this.#options
    const to = { hostname: proxy.hostname, host: proxy.hostname, protocol: 'http:', port: String(proxy.port) }
    return new Promise((resolve, reject) => {
      connectProxy(to, (error, socket) => {
        if (error === null) resolve(socket)
        else reject(proxyUnreachable(proxy, connectError(error, to)))
      })
    })
  }

  #explain(error: unknown, target: string): TrawlError {
    if (isTrawlError(error)) return error
    const text = error instanceof Error ? error.message : String(error)
    if (/(?:HostUnreachable|NetworkUnreachable|ConnectionRefused|TTLExpired)/.test(text)) {
      return new TrawlError('ERR_NET_CONNECT', `${target}: ${text}`, { cause: error, context: { target } })
    }
    const final = /Authentication|NotAllowed|NoAccepted|not supported/i.test(text)
    return proxyError(this.#options.proxy, text, { cause: error, ...(final ? { retry: 'never' } : {}) })
  }
}

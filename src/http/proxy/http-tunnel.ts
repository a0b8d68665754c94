import { Socket } from 'node:net'
import type { buildConnector, Client as UndiciClient } from 'undici'
import { isTrawlError } from '../../core/index.ts'
import type { Connect, Opening } from '../connection.ts'
import { connectError } from '../network-error.ts'
import { loadClient } from '../undici.ts'
import { proxyAuthorization, type ProxyEndpoint } from './proxy-endpoint.ts'
import { proxyError, proxyRefused, proxyUnreachable } from './proxy-error.ts'

/** What a tunnel needs besides the proxy. */
export interface TunnelOptions {
  readonly proxy: ProxyEndpoint
  /** Opens the connection to the proxy. */
  readonly connectProxy: Connect
  /** Puts TLS on a socket that is open, for https targets. */
  readonly upgrade: Connect
  readonly timeoutMs: number
  /** Gives the address to ask the proxy for; without it the proxy gets the name and resolves it. */
  readonly resolve?: (hostname: string, port: number) => Promise<string>
}

/** Reaches https origins through an HTTP proxy by CONNECT (RFC 9110, 9.3.6). */
export function createHttpTunnel(options: TunnelOptions): Connect {
  return (target, done) => {
    const abort = new AbortController()
    const opening = open(options, target, abort.signal)
    const delivery = deliver(options, target, opening, done)
    return {
      destroy: (reason) => {
        abort.abort()
        void delivery.then((socket) => socket?.destroy(reason))
      },
    }
  }
}

/** Hands a socket that reaches the target on, with TLS where the target wants it; or tells why there is none. */
export async function deliver(
  options: Pick<TunnelOptions, 'upgrade'>,
  target: buildConnector.Options,
  opening: Promise<Socket>,
  done: buildConnector.Callback,
): Promise<Socket | undefined> {
  let socket: Socket
  try {
    socket = await opening
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)), null)
    return undefined
  }
  if (target.protocol === 'https:') options.upgrade({ ...target, httpSocket: socket }, done)
  else done(null, socket)
  return socket
}

/** The port of a target, written or implied. */
export function targetPort(target: buildConnector.Options): number {
  if (target.port !== '') return Number(target.port)
  return target.protocol === 'https:' ? 443 : 80
}

async function open(
  options: TunnelOptions,
  target: buildConnector.Options,
  signal: AbortSignal,
): Promise<Socket> {
  const { proxy, timeoutMs } = options
  const port = targetPort(target)
  const host = options.resolve === undefined ? target.hostname : await options.resolve(target.hostname, port)
  const path = `${host.includes(':') ? `[${host}]` : host}:${port}`
  let reached = false
  let opening: Opening | undefined
  const Client = loadClient()
  const client = new Client(proxy.origin, {
    allowH2: false,
    headersTimeout: timeoutMs,
    connect: (to, done) => {
      opening = options.connectProxy(to, (error, socket) => {
        // undici would try some of its own error codes again and again; ours are final.
        if (error !== null) return done(proxyUnreachable(proxy, connectError(error, to)), null)
        reached = true
        done(null, socket)
      })
    },
  })
  const giveUp = (): void => {
    opening?.destroy(new Error('given up'))
    void client.destroy()
  }
  signal.addEventListener('abort', giveUp)
  try {
    const { status, socket } = await askTunnel(client, path, proxyAuthorization(proxy))
    if (status >= 200 && status < 300) return socket
    socket.on('error', () => {}).destroy()
    throw proxyRefused(proxy, status, path)
  } catch (error) {
    if (isTrawlError(error)) throw error
    const text = error instanceof Error ? error.message : String(error)
    throw proxyError(proxy, reached ? `no tunnel: ${text}` : text, { cause: error })
  } finally {
    signal.removeEventListener('abort', giveUp)
    void client.destroy()
  }
}

/** Sends CONNECT; the socket is the tunnel when the status says so. */
function askTunnel(
  client: UndiciClient,
  path: string,
  authorization: string | undefined,
): Promise<{ readonly status: number; readonly socket: Socket }> {
  const headers = {
    host: path,
    ...(authorization === undefined ? {} : { 'proxy-authorization': authorization }),
  }
  return new Promise((resolve, reject) => {
    client.dispatch(
      { path, method: 'CONNECT', headers },
      {
        onRequestStart() {},
        onRequestUpgrade(_controller, status, _headers, socket) {
          if (socket instanceof Socket) resolve({ status, socket })
          else reject(new Error('the tunnel is no socket'))
        },
        onResponseError: (_controller, error) => reject(error),
      },
    )
  })
}

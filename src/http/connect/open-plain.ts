import { connect, type LookupFunction } from 'node:net'
import type { buildConnector } from 'undici'
import type { ConnectTarget, Opening } from '../connection.ts'

/** How plain sockets to one port are opened. */
export interface PlainOptions {
  readonly port: number
  readonly timeoutMs: number
  readonly lookup: LookupFunction
  readonly family?: 4 | 6 | undefined
}

const probeIdleMs = 60_000

/**
 * Opens a TCP connection, IPv6 and IPv4 addresses raced. undici's connector does the same, but passes on no buffer to
 * receive into. Calls `done` once, with ETIMEDOUT where it took too long.
 */
export function openPlain(
  options: PlainOptions,
  target: ConnectTarget,
  done: buildConnector.Callback,
): Opening {
  const { port, timeoutMs, lookup, family } = options
  const { hostname, localAddress, onread } = target
  const socket = connect({
    host: hostname,
    port,
    lookup,
    autoSelectFamily: true,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: probeIdleMs,
    ...(family === undefined ? {} : { family }),
    ...(localAddress === undefined || localAddress === null ? {} : { localAddress }),
    ...(onread === undefined ? {} : { onread }),
  })
  const timer = setTimeout(() => {
    socket.destroy(Object.assign(new Error('no connection in time'), { code: 'ETIMEDOUT' }))
  }, timeoutMs)
  const failed = (error: Error): void => {
    clearTimeout(timer)
    done(error, null)
  }
  socket.once('error', failed)
  socket.once('connect', () => {
    clearTimeout(timer)
    socket.removeListener('error', failed)
    done(null, socket)
  })
  return socket
}

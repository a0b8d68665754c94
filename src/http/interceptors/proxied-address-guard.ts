import { resolveHost, type ConnectorOptions } from '../connect/connector.ts'
import { connectError } from '../network-error.ts'
import { proxyFor, type ProxySettings } from '../proxy/proxy-for.ts'
import type { Interceptor } from '../transport.ts'

/**
 * Checks the addresses of hosts that a proxy will connect to, before the proxy is asked. Direct connections are
 * checked where they are made. What the proxy then resolves the name to cannot be seen from here.
 */
export function proxiedAddressGuard(settings: ProxySettings, options: ConnectorOptions): Interceptor {
  return (next) => async (request, sendOptions) => {
    if (proxyFor(request.url, settings) !== undefined) {
      const { hostname, port, protocol } = new URL(request.url)
      const host = hostname.replace(/^\[|\]$/g, '')
      try {
        await resolveHost(options, host, port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port))
      } catch (error) {
        throw error instanceof Error ? connectError(error, { protocol, hostname: host, port }) : error
      }
    }
    return next(request, sendOptions)
  }
}

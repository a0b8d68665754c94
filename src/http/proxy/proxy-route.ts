import { createConnect, resolveHost, type ConnectorOptions } from '../connect/connector.ts'
import type { Route, RouteFor } from '../route.ts'
import { connectError } from '../network-error.ts'
import type { Connect } from '../connection.ts'
import { createHttpTunnel, type TunnelOptions } from './http-tunnel.ts'
import { parseProxyUrl, proxyAuthorization, type ProxyEndpoint } from './proxy-endpoint.ts'
import { proxyRefused, proxyUnreachable } from './proxy-error.ts'
import { proxyFor, type ProxySettings } from './proxy-for.ts'
import { createSocksTunnel } from './socks-tunnel.ts'

/**
 * The way to each origin with proxies: direct, by a tunnel (https through an HTTP proxy, anything through SOCKS),
 * or by requests in absolute form (http through an HTTP proxy).
 *
 * @throws TrawlError ERR_CONFIG_INVALID for a proxy URL that cannot be used
 */
export function createProxyRoutes(settings: ProxySettings, options: ConnectorOptions): RouteFor {
  const direct: Route = { connect: createConnect(options) }
  const routes = new Map<string, (protocol: string) => Route>()
  const routeVia = (url: string): ((protocol: string) => Route) => {
    let route = routes.get(url)
    if (route === undefined) {
      route = createProxyRoute(parseProxyUrl(url), options)
      routes.set(url, route)
    }
    return route
  }
  // A proxy URL that is wrong is told now, not with the first request.
  for (const url of [settings.http, settings.https, settings.all]) if (url !== undefined) routeVia(url)
  return (origin) => {
    const proxy = proxyFor(origin, settings)
    return proxy === undefined ? direct : routeVia(proxy)(new URL(origin).protocol)
  }
}

function createProxyRoute(proxy: ProxyEndpoint, options: ConnectorOptions): (protocol: string) => Route {
  const { guard, ...unguarded } = options
  // The guard is about targets; a proxy was named by whoever runs this, and often stands on a private address.
  const connectProxy = createConnect({ ...unguarded, allowHttp2: false })
  const tunnel: TunnelOptions = {
    proxy,
    connectProxy,
    upgrade: createConnect(unguarded),
    timeoutMs: options.timeoutMs,
    ...(guard === undefined ? {} : { resolve: (host, port) => firstAddress(options, host, port) }),
  }
  if (proxy.kind !== 'http') {
    const connect = createSocksTunnel(tunnel)
    return () => ({ connect })
  }
  const connect = createHttpTunnel(tunnel)
  const forwarded = createForward(proxy, connectProxy)
  return (protocol) => (protocol === 'https:' ? { connect } : forwarded)
}

async function firstAddress(options: ConnectorOptions, hostname: string, port: number): Promise<string> {
  const [first] = await resolveHost(options, hostname, port)
  return first?.address ?? hostname
}

function createForward(proxy: ProxyEndpoint, connectProxy: Connect): Route {
  const authorization = proxyAuthorization(proxy)
  return {
    connect: (target, done) =>
      connectProxy(target, (error, socket) => {
        if (error === null) done(null, socket)
        else done(proxyUnreachable(proxy, connectError(error, target)), null)
      }),
    forward: {
      proxyOrigin: proxy.origin,
      servername: proxy.hostname,
      headers: authorization === undefined ? [] : ['proxy-authorization', authorization],
      refused: (target) => proxyRefused(proxy, 407, target),
    },
  }
}

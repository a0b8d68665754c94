import { matchesHost } from '../config/index.ts'
import { redirects, type RedirectOptions } from './interceptors/redirects.ts'
import type { Send, Transport } from './transport.ts'

/** How requests to some hosts are made. */
export interface HostWay {
  /** `example.org`, `example.org:8080`, `*.example.org` or `*`. */
  readonly pattern: string
  /** Sends one hop: redirects are values. */
  readonly transport: Transport
  readonly redirects: RedirectOptions | undefined
}

const maxHosts = 4096

/**
 * One transport of several ways: each hop, also of a redirect, goes the way of its host, so that what is meant for one
 * host never reaches another. Of several patterns the first that matches counts; `*` must be the last. The first host of
 * a request says how far redirects are followed.
 */
export function createHostTransport(ways: readonly HostWay[]): Transport {
  const known = new Map<string, { readonly way: HostWay; readonly send: Send }>()
  const everywhere = ways.at(-1)
  const hop: Send = (request, options) => {
    const { way } = find(request.url)
    // A host that was named is no stranger, whoever led to it.
    const known = request.foreign && way !== everywhere ? { ...request, foreign: false } : request
    return way.transport.send(known, options)
  }
  const followers = new Map(ways.map((way) => [way, redirects(way.redirects)(hop)]))
  const find = (url: string): { readonly way: HostWay; readonly send: Send } => {
    const host = URL.parse(url)?.host ?? ''
    let found = known.get(host)
    if (!found) {
      const way = ways.find(({ pattern }) => matchesHost(pattern, host)) ?? everywhere
      if (!way) throw new Error('a transport without a way')
      found = { way, send: followers.get(way) ?? hop }
      if (known.size >= maxHosts) known.clear()
      known.set(host, found)
    }
    return found
  }
  const each = async (act: (transport: Transport) => Promise<void>): Promise<void> => {
    await Promise.all(ways.map(({ transport }) => act(transport)))
  }
  return {
    send: (request, options) => find(request.url).send(request, options),
    closeIdle: () => ways.forEach(({ transport }) => transport.closeIdle()),
    close: () => each((transport) => transport.close()),
    destroy: () => each((transport) => transport.destroy()),
  }
}

import type { ConnectionOptions } from './connection.ts'
import { OriginPool, type CarrierPool } from './origin-pool.ts'
import type { Forward, RouteFor } from './route.ts'
import { SharedPool } from './shared-pool.ts'

/** Proxied origins remembered at one time; they hold no connections of their own. */
const maxForwarded = 4096

/** How the requests to one origin go out. */
export interface Lane {
  readonly pool: CarrierPool
  readonly forward?: Forward
}

/** The lanes of a transport. */
export interface Lanes {
  /** The lane to an origin; made when it is first asked for. */
  get(origin: string): Lane
  /** All pools that hold connections. */
  pools(): readonly CarrierPool[]
}

/** What lanes are made of. */
export interface LanesOptions {
  readonly connections: Omit<ConnectionOptions, 'connect'>
  readonly allowHttp2: boolean
  readonly routeFor: RouteFor
}

/** Lanes by origin. A lane is forgotten with its last connection: a list may name millions of hosts. */
export function createLanes(options: LanesOptions): Lanes {
  const { connections, allowHttp2, routeFor } = options
  const lanes = new Map<string, Lane>()
  const proxies = new Map<string, CarrierPool>()
  const forwarded = new Map<string, Lane>()

  const make = (origin: string): Lane => {
    const { connect, forward } = routeFor(origin)
    if (forward === undefined) {
      const shared = allowHttp2 && origin.startsWith('https:')
      const pool = new (shared ? SharedPool : OriginPool)(origin, { ...connections, connect }, () => {
        if (lanes.get(origin) === lane) lanes.delete(origin)
      })
      const lane: Lane = { pool }
      lanes.set(origin, lane)
      return lane
    }
    let pool = proxies.get(forward.proxyOrigin)
    if (pool === undefined) {
      pool = new OriginPool(forward.proxyOrigin, { ...connections, connect }, () => {})
      proxies.set(forward.proxyOrigin, pool)
    }
    const lane = { pool, forward }
    if (forwarded.size >= maxForwarded) forwarded.clear()
    forwarded.set(origin, lane)
    return lane
  }

  return {
    get: (origin) => lanes.get(origin) ?? forwarded.get(origin) ?? make(origin),
    pools: () => [...[...lanes.values()].map(({ pool }) => pool), ...proxies.values()],
  }
}

import type { TrawlError } from '../core/index.ts'
import type { Connect } from './connection.ts'

/** The way to an origin. */
export interface Route {
  readonly connect: Connect
  /** Set where requests go to a proxy in absolute form: plain HTTP through an HTTP proxy (RFC 9112, 3.2.2). */
  readonly forward?: Forward
}

/** A proxy that takes requests for other origins. */
export interface Forward {
  readonly proxyOrigin: string
  /** For TLS to the proxy itself. */
  readonly servername: string
  /** Names and values in turn, such as Proxy-Authorization. */
  readonly headers: readonly string[]
  /** The error for 407. */
  readonly refused: (target: string) => TrawlError
}

/** Chooses the way to an origin, once per origin. */
export type RouteFor = (origin: string) => Route

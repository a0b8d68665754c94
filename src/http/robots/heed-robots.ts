import { isTrawlError, systemClock, TrawlError, type Clock } from '../../core/index.ts'
import { parseRetryAfter } from '../headers/index.ts'
import {
  headerValue,
  type Interceptor,
  type Send,
  type SendOptions,
  type TransportResponse,
} from '../transport.ts'
import { robotsPolicyOf, type RobotsPolicy } from './robots-policy.ts'

export interface RobotsOptions {
  /** Product token, or a User-Agent that begins with it. */
  readonly userAgent: string
  readonly clock?: Clock
  /** Follows the redirects of robots.txt itself, which know no robots.txt. Default none. */
  readonly followRedirects?: Interceptor
  /** Policies kept; the oldest go first. Default 20,000. */
  readonly maxHosts?: number
}

const robotsBytes = 512 * 1024
/** RFC 9309, 2.4: not longer than a day. */
const keptMs = 24 * 3600 * 1000
/** A host that failed is not asked again for each of its rows. */
const failureKeptMs = 10_000

interface Entry {
  readonly policy: Promise<RobotsPolicy>
  untilMs: number
}

/**
 * Heeds robots.txt (RFC 9309): asks for it before the first request to an origin, once, under the lease of that
 * request. Belongs below the redirects, so that each hop is looked at. Rejects with ERR_ROBOTS_DISALLOWED for what is
 * disallowed, and with the error of robots.txt itself where the host cannot be reached or fails: then nothing is allowed,
 * and the error says why.
 */
export function heedRobots(options: RobotsOptions): Interceptor {
  const { userAgent, clock = systemClock, maxHosts = 20_000 } = options
  const known = new Map<string, Entry>()
  return (next) => {
    const ask = options.followRedirects?.(next) ?? next
    const policyOf = (origin: string, sendOptions?: SendOptions): Promise<RobotsPolicy> => {
      const found = known.get(origin)
      if (found && clock.now() < found.untilMs) return found.policy
      known.delete(origin)
      for (const oldest of known.keys()) {
        if (known.size < maxHosts) break
        known.delete(oldest)
      }
      const entry: Entry = {
        policy: askRobots(ask, origin, { userAgent, clock, sendOptions }),
        untilMs: Infinity,
      }
      known.set(origin, entry)
      entry.policy.then(
        () => (entry.untilMs = clock.now() + keptMs),
        (error: unknown) => {
          entry.untilMs = clock.now() + (isCancelled(error) ? 0 : failureKeptMs)
        },
      )
      return entry.policy
    }
    return async (request, sendOptions) => {
      const policy = await policyOf(new URL(request.url).origin, sendOptions)
      if (!policy.isAllowed(request.url)) {
        throw new TrawlError('ERR_ROBOTS_DISALLOWED', 'robots.txt disallows it', {
          context: { url: request.url },
        })
      }
      return next(request, sendOptions)
    }
  }
}

interface Asking {
  readonly userAgent: string
  readonly clock: Clock
  readonly sendOptions: SendOptions | undefined
}

async function askRobots(send: Send, origin: string, asking: Asking): Promise<RobotsPolicy> {
  const url = `${origin}/robots.txt`
  const response = await send({ method: 'GET', url, headers: { accept: 'text/plain' } }, asking.sendOptions)
  const { status } = response
  if (status === 429 || status >= 500) {
    response.body.cancel()
    const retryAfterMs = parseRetryAfter(headerValue(response.headers, 'retry-after'), asking.clock.wallMs())
    const code = status === 429 || retryAfterMs !== undefined ? 'ERR_HTTP_THROTTLED' : 'ERR_HTTP_SERVER'
    throw new TrawlError(code, `robots.txt: the server answered ${status}`, {
      context: { url, status },
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }
  if (status < 200 || status >= 300) {
    response.body.cancel()
    return robotsPolicyOf({ status, text: '' }, asking.userAgent)
  }
  return robotsPolicyOf({ status, text: await textOf(response) }, asking.userAgent)
}

async function textOf(response: TransportResponse): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  await response.body.drain((chunk) => {
    chunks.push(Buffer.from(chunk))
    length += chunk.length
    return length < robotsBytes ? undefined : false
  })
  return Buffer.concat(chunks).toString('utf8')
}

function isCancelled(error: unknown): boolean {
  return isTrawlError(error) && error.code === 'ERR_CANCELLED'
}

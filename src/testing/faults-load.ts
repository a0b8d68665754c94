import type { Behaviour, Fault, Reply } from './behaviour.ts'
import { respond } from './respond.ts'

/** Counts the requests under it that are being answered. */
function counting(choose: (active: number) => Behaviour): Behaviour {
  let active = 0
  return async (request) => {
    active++
    let reply: Reply
    try {
      reply = await choose(active)(request)
    } catch (error) {
      active--
      throw error
    }
    return {
      ...reply,
      onSent: () => {
        active--
        reply.onSent?.()
      },
    }
  }
}

/** At most so many requests at one time; the others get `excess`: 429 or 503, or a reset connection. */
function limitActive(limit: number, excess: 429 | 503 | 'rst' = 429, retryAfter?: string): Fault {
  const refusal = excess === 'rst' ? respond.hangUp('rst') : respond.throttle(retryAfter, excess)
  return (inner) => counting((active) => (active > limit ? refusal : inner))
}

/** How a server slows down under load. */
export interface Collapse {
  /** Requests at one time that it can bear. */
  readonly above: number
  /** Time for one answer while it can. */
  readonly serviceMs: number
  /** Above the limit the time grows with the excess to this power. Default 2. */
  readonly power?: number
}

/** A server that gets slower, so that its goodput falls, above a number of requests at one time. */
function collapsing(collapse: Collapse): Fault {
  return (inner) =>
    counting((active) => async (request) => {
      const reply = await inner(request)
      const excess = Math.max(1, active / collapse.above)
      const latencyMs = (reply.latencyMs ?? 0) + collapse.serviceMs * excess ** (collapse.power ?? 2)
      return { ...reply, latencyMs }
    })
}

/** So many requests in any span of time; the others get 429 with Retry-After. */
function limitRequestRate(limit: number, spanMs: number, retryAfter = '1'): Fault {
  return (inner) => {
    const refusal = respond.throttle(retryAfter)
    const times: number[] = []
    return (request) => {
      while (times[0] !== undefined && request.atMs - times[0] >= spanMs) times.shift()
      if (times.length >= limit) return refusal(request)
      times.push(request.atMs)
      return inner(request)
    }
  }
}

/** Faults that depend on how much is asked at one time. */
export const loadFaults = { limitActive, collapsing, limitRequestRate } as const

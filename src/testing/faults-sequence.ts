import type { Behaviour, Fault, OriginRequest } from './behaviour.ts'
import { respond } from './respond.ts'

/** One behaviour after the other, request by request; the last one stays. */
function inTurn(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  return (request) => {
    const at = Math.min(request.count, behaviours.length) - 1
    return (behaviours[at] ?? behaviours[0])(request)
  }
}

/** Behaviours round and round, such as range support that comes and goes. */
function toggling(...behaviours: readonly [Behaviour, ...Behaviour[]]): Behaviour {
  return (request) => (behaviours[(request.count - 1) % behaviours.length] ?? behaviours[0])(request)
}

/** The first `times` requests get `fault`, the others do not. */
function firstTimes(times: number, fault: Fault): Fault {
  return (inner) => {
    const faulty = fault(inner)
    return (request) => (request.count <= times ? faulty : inner)(request)
  }
}

/** Only the nth request, from 1, gets `fault`. */
function onNth(n: number, fault: Fault): Fault {
  return (inner) => {
    const faulty = fault(inner)
    return (request) => (request.count === n ? faulty : inner)(request)
  }
}

/** Every nth request gets `fault`. */
function everyNth(n: number, fault: Fault): Fault {
  return (inner) => {
    const faulty = fault(inner)
    return (request) => (request.count % n === 0 ? faulty : inner)(request)
  }
}

/** Requests that fulfil a condition get `fault`. */
function when(condition: (request: OriginRequest) => boolean, fault: Fault): Fault {
  return (inner) => {
    const faulty = fault(inner)
    return (request) => (condition(request) ? faulty : inner)(request)
  }
}

/** In place of the answer, another behaviour. */
function instead(behaviour: Behaviour): Fault {
  return () => behaviour
}

/** When a signed URL stops working: after so many requests, or so many milliseconds after the first. */
export interface Expiry {
  readonly afterRequests?: number
  readonly afterMs?: number
  /** Default 403. */
  readonly status?: 401 | 403 | 404 | 410
}

/** A URL that is good for a while only. */
function expiring(expiry: Expiry): Fault {
  return (inner) => {
    const expired = respond.status(expiry.status ?? 403, {}, 'Request has expired\n')
    let firstAtMs: number | undefined
    return (request) => {
      firstAtMs ??= request.atMs
      const tooMany = expiry.afterRequests !== undefined && request.count > expiry.afterRequests
      const tooLate = expiry.afterMs !== undefined && request.atMs - firstAtMs > expiry.afterMs
      return (tooMany || tooLate ? expired : inner)(request)
    }
  }
}

/** A path that is good for one request, by its query: `?ticket=1` twice gives 410. */
function singleUse(parameter = 'ticket'): Fault {
  return (inner) => {
    const used = new Set<string>()
    const gone = respond.status(410, {}, 'This link was used\n')
    return (request) => {
      const ticket = request.query.get(parameter)
      if (ticket === null || used.has(ticket)) return gone(request)
      used.add(ticket)
      return inner(request)
    }
  }
}

/** A redirect to a fresh single-use link on `path` for every request. */
function redirectToTicket(path: string, parameter = 'ticket'): Behaviour {
  return respond.redirect((request) => `${path}?${parameter}=${request.count}`)
}

/** Behaviours and faults that depend on which request it is. */
export const sequenceFaults = {
  inTurn,
  toggling,
  firstTimes,
  onNth,
  everyNth,
  when,
  instead,
  expiring,
  singleUse,
  redirectToTicket,
} as const

import {
  formatDuration,
  isTrawlError,
  systemClock,
  TrawlError,
  type Clock,
  type ErrorCode,
} from '../../core/index.ts'
import { hostOf, wrapGovernor, type Governor, type Lease } from '../../engine/index.ts'
import type { Interceptor, TransportResponse } from '../../http/index.ts'

export interface HostPatienceOptions {
  /** A host may refuse everything, or be silent, for so long. */
  readonly patienceMs: number
  readonly clock?: Clock
}

/** What a host is given up for, besides refusals: nothing comes of it at all. */
const silent: ReadonlySet<ErrorCode> = new Set([
  'ERR_HTTP_THROTTLED',
  'ERR_NET_CONNECT',
  'ERR_NET_DNS',
  'ERR_NET_RESET',
  'ERR_NET_TIMEOUT',
  'ERR_NET_TLS',
])

/** Fewer failures are chance: a file alone is tried as often. */
const leastFailures = 6

interface Streak {
  sinceMs: number
  lastMs: number
  count: number
}

interface GivenUp {
  readonly error: TrawlError
  /** Then it is asked once more. */
  readonly untilMs: number
}

/**
 * Gives hosts up that refuse everything (429, or 503 with Retry-After) or do not answer for too long: their rows fail at
 * once, without being asked for, so that one such host does not hold up the end of a dataset for days. After the same
 * time it is asked once more. Both parts belong together: the interceptor stands above all others, the governor lets
 * requests to hosts that were given up through to it.
 */
export class HostPatience {
  readonly #patienceMs: number
  readonly #clock: Clock
  /** Failures of hosts with nothing else between them. */
  readonly #streaks = new Map<string, Streak>()
  readonly #givenUp = new Map<string, GivenUp>()
  readonly #listeners = new Set<(host?: string) => void>()

  constructor(options: HostPatienceOptions) {
    this.#patienceMs = options.patienceMs
    this.#clock = options.clock ?? systemClock
  }

  readonly intercept: Interceptor = (next) => async (request, sendOptions) => {
    const host = hostOf(request.url)
    const known = this.#known(host)
    if (known !== undefined) throw known
    let response: TransportResponse
    try {
      response = await next(request, sendOptions)
    } catch (error) {
      if (!isTrawlError(error) || !silent.has(error.code)) throw error
      throw this.#judge(host, error) ?? error
    }
    const refusal = judgeRefusal(response)
    if (refusal === undefined) {
      this.#streaks.delete(host)
      return response
    }
    const end = this.#judge(host, refusal)
    if (end === undefined) return response
    response.body.cancel()
    throw end
  }

  /** The same governor, but for hosts that were given up. */
  gate(governor: Governor): Governor {
    return wrapGovernor(governor, {
      tryAcquire: (host) => (this.#known(host) ? freeLease(host) : governor.tryAcquire(host)),
      onCapacity: (listen) => {
        const stop = governor.onCapacity(listen)
        this.#listeners.add(listen)
        return () => {
          stop()
          this.#listeners.delete(listen)
        }
      },
      pausedForMs: (host) => (this.#known(host) ? 0 : governor.pausedForMs(host)),
    })
  }

  /** Why a host is not asked now; undefined where it may be. */
  #known(host: string): TrawlError | undefined {
    if (this.#givenUp.size === 0) return undefined
    const found = this.#givenUp.get(host)
    if (found === undefined || this.#clock.now() < found.untilMs) return found?.error
    // The next failure gives it up again: the streak goes on.
    this.#givenUp.delete(host)
    const streak = this.#streaks.get(host)
    if (streak) streak.lastMs = this.#clock.now()
    return undefined
  }

  /** The error to end with where this was one failure too much. */
  #judge(host: string, error: TrawlError): TrawlError | undefined {
    const nowMs = this.#clock.now()
    const streak = this.#streaks.get(host) ?? { sinceMs: nowMs, lastMs: nowMs, count: 0 }
    this.#streaks.set(host, streak)
    // Nobody knows what was in a long gap, unless it was asked for.
    const isAnew = error.code !== 'ERR_HTTP_THROTTLED' && nowMs - streak.lastMs > this.#patienceMs
    if (isAnew) Object.assign(streak, { sinceMs: nowMs, count: 0 })
    streak.count++
    streak.lastMs = nowMs
    const silentMs = nowMs - streak.sinceMs
    if (silentMs < this.#patienceMs || streak.count < leastFailures) return undefined
    const end = endOf(host, error, silentMs)
    this.#givenUp.set(host, { error: end, untilMs: nowMs + this.#patienceMs })
    // Never inside a request of the governor's caller.
    setImmediate(() => {
      for (const listen of this.#listeners) listen(host)
    })
    return end
  }
}

function endOf(host: string, error: TrawlError, silentMs: number): TrawlError {
  const { code, message, context } = error
  return new TrawlError(code, `${message}; nothing else came from ${host} for ${formatDuration(silentMs)}`, {
    cause: error,
    context,
    retry: 'never',
    hint: 'Its rows are not asked for now. Later: trawl dataset retry. See --host-patience.',
  })
}

function judgeRefusal({ status, headers }: TransportResponse): TrawlError | undefined {
  if (status !== 429 && (status !== 503 || headers['retry-after'] === undefined)) return undefined
  return new TrawlError('ERR_HTTP_THROTTLED', `the server answered ${status}`, { context: { status } })
}

/** For a request that is never sent. */
function freeLease(host: string): Lease {
  return { host, headers() {}, bytes() {}, release() {} }
}

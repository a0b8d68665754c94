import { toTrawlError, TrawlError, type Clock, type Place } from '../../core/index.ts'
import { headerValue, type Transport, type TransportResponse } from '../../http/index.ts'
import type { Lease, LeaseReport } from '../governor/index.ts'
import { entityFactsOf } from './entity-facts.ts'
import { fetchWhole } from './fetch-whole.ts'
import { judgeResponse } from './judge-response.ts'
import type {
  Executor,
  ExecutorProperties,
  TransferCallbacks,
  TransferOrder,
  TransferResult,
} from './transfer.ts'

export interface LocalExecutorOptions {
  readonly transport: Transport
  readonly clock: Clock
  /** `loop` is one transfer at a time, for comparison. */
  readonly mode?: 'async' | 'loop'
  readonly signal: AbortSignal
}

/** Carries out transfers in this process, on its event loop. */
export function createLocalExecutor(options: LocalExecutorOptions): Executor {
  const mode = options.mode ?? 'async'
  const properties: ExecutorProperties = {
    mode,
    functions: true,
    ...(mode === 'loop' ? { maxTransfers: 1 } : {}),
  }
  return {
    properties,
    execute: (order, lease, callbacks) => new Attempt(options, order, lease, callbacks).run(),
    close: () => Promise.resolve(),
  }
}

/** One attempt at one file. */
class Attempt {
  readonly #options: LocalExecutorOptions
  readonly #order: TransferOrder
  readonly #lease: Lease
  readonly #callbacks: TransferCallbacks
  #fetchedBytes = 0
  #httpStatus: number | undefined

  constructor(
    options: LocalExecutorOptions,
    order: TransferOrder,
    lease: Lease,
    callbacks: TransferCallbacks,
  ) {
    this.#options = options
    this.#order = order
    this.#lease = lease
    this.#callbacks = callbacks
  }

  async run(): Promise<TransferResult> {
    try {
      const result = await this.#transfer()
      this.#lease.release({ result: 'ok' })
      return result
    } catch (thrown) {
      const error = toTrawlError(thrown)
      this.#lease.release(reportOf(error))
      return {
        result: 'failed',
        error,
        fetchedBytes: this.#fetchedBytes,
        ...(this.#httpStatus === undefined ? {} : { httpStatus: this.#httpStatus }),
      }
    }
  }

  async #transfer(): Promise<TransferResult> {
    const order = this.#order
    const place = order.places[order.attempt % order.places.length]
    if (!place) throw new TrawlError('ERR_INTERNAL', 'a transfer without a place')
    const response = await this.#send(place)
    this.#lease.headers()
    this.#httpStatus = response.status
    try {
      const error = judgeResponse(response, this.#options.clock.wallMs()) ?? refuseEncoded(response)
      if (error) throw error
      const facts = entityFactsOf(response)
      const verdict = this.#callbacks.entity(order, facts)
      if (verdict.verdict === 'skip') {
        response.body.cancel()
        const { reason, path } = verdict
        return { result: 'skipped', reason, fetchedBytes: 0, ...(path === undefined ? {} : { path }) }
      }
      const generation = (order.kept?.generation ?? 0) + 1
      verdict.sink.open([], generation, facts.lengthBytes)
      return await fetchWhole({
        order,
        received: (count) => this.#received(count),
        response,
        facts,
        sink: verdict.sink,
        generation,
        wait: (delayMs) => this.#wait(delayMs),
      })
    } catch (error) {
      response.body.cancel()
      throw error
    }
  }

  #send(place: Place): Promise<TransportResponse> {
    const { task } = this.#order
    const headers = task.headers || place.headers ? { ...task.headers, ...place.headers } : noHeaders
    return this.#options.transport.send({ method: 'GET', url: place.url, headers }, this.#options)
  }

  #received(count: number): number {
    this.#fetchedBytes += count
    this.#lease.bytes(count)
    return this.#callbacks.received(this.#order, this.#lease.host, count)
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#options.clock.after(delayMs, resolve))
  }
}

const noHeaders: Readonly<Record<string, string>> = {}

function reportOf(error: TrawlError): LeaseReport {
  if (error.code === 'ERR_CANCELLED') return { result: 'cancelled' }
  if (error.code === 'ERR_HTTP_THROTTLED') return { result: 'throttled', error }
  return { result: 'error', error }
}

/** A coding that was not asked for changes the bytes: they would not be the file's. */
function refuseEncoded(response: TransportResponse): TrawlError | undefined {
  const coding = headerValue(response.headers, 'content-encoding')?.trim().toLowerCase()
  if (coding === undefined || coding === '' || coding === 'identity') return undefined
  return new TrawlError(
    'ERR_HTTP_ENCODED',
    `the server sent the file as ${coding} although identity was asked for`,
    {
      context: { url: response.url },
    },
  )
}

import { toTrawlError, TrawlError, type Clock, type Place } from '../../core/index.ts'
import { headerValue, type Transport, type TransportResponse } from '../../http/index.ts'
import type { Sink } from '../../storage/index.ts'
import type { Lease, LeaseReport } from '../governor/index.ts'
import { entityFactsOf } from './entity-facts.ts'
import { judgeResponse } from './judge-response.ts'
import type {
  EntityFacts,
  Executor,
  ExecutorProperties,
  TransferCallbacks,
  TransferOrder,
  TransferResult,
} from './transfer.ts'
import { WholeBody } from './whole-body.ts'

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
    execute: (order, lease, callbacks) =>
      new Promise((resolve) => new Attempt(options, order, lease, callbacks, resolve).start()),
    close: () => Promise.resolve(),
  }
}

/**
 * One attempt at one file, as callbacks and not as an async function: this is on the path of every small file, and
 * each async frame costs about a microsecond and a kilobyte.
 */
class Attempt {
  readonly #options: LocalExecutorOptions
  readonly #order: TransferOrder
  readonly #lease: Lease
  readonly #callbacks: TransferCallbacks
  readonly #resolve: (result: TransferResult) => void
  #fetchedBytes = 0
  #response: TransportResponse | undefined

  constructor(
    options: LocalExecutorOptions,
    order: TransferOrder,
    lease: Lease,
    callbacks: TransferCallbacks,
    resolve: (result: TransferResult) => void,
  ) {
    this.#options = options
    this.#order = order
    this.#lease = lease
    this.#callbacks = callbacks
    this.#resolve = resolve
  }

  start(): void {
    const order = this.#order
    const place = order.places[order.attempt % order.places.length]
    if (!place) return this.#fail(new TrawlError('ERR_INTERNAL', 'a transfer without a place'))
    this.#send(place).then(
      (response) => this.#answered(response),
      (error: unknown) => this.#fail(error),
    )
  }

  #answered(response: TransportResponse): void {
    this.#response = response
    this.#lease.headers()
    try {
      const error = judgeResponse(response, this.#options.clock) ?? refuseEncoded(response)
      if (error) throw error
      const facts = entityFactsOf(response)
      const verdict = this.#callbacks.entity(this.#order, facts)
      if (verdict.verdict === 'skip') {
        response.body.cancel()
        const { reason, path } = verdict
        return this.#end({
          result: 'skipped',
          reason,
          fetchedBytes: 0,
          ...(path === undefined ? {} : { path }),
        })
      }
      this.#takeWhole(response, facts, verdict.sink)
    } catch (error) {
      response.body.cancel()
      this.#fail(error)
    }
    return undefined
  }

  #takeWhole(response: TransportResponse, facts: EntityFacts, sink: Sink): void {
    const generation = (this.#order.kept?.generation ?? 0) + 1
    sink.open([], generation, facts.lengthBytes)
    const whole = new WholeBody({
      task: this.#order.task,
      facts,
      sink,
      generation,
      received: (count) => this.#received(count),
      wait: (delayMs) => this.#wait(delayMs),
    })
    response.body
      .drain((chunk) => whole.take(chunk))
      .then(
        () => this.#end(whole.staged()),
        (error: unknown) => this.#fail(error),
      )
      .catch((error: unknown) => this.#fail(error))
  }

  #end(result: TransferResult): void {
    this.#lease.release(wentWell)
    this.#resolve(result)
  }

  #fail(thrown: unknown): void {
    const error = toTrawlError(thrown)
    this.#lease.release(reportOf(error))
    const httpStatus = this.#response?.status
    this.#resolve({
      result: 'failed',
      error,
      fetchedBytes: this.#fetchedBytes,
      ...(httpStatus === undefined ? {} : { httpStatus }),
    })
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
const wentWell: LeaseReport = { result: 'ok' }

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

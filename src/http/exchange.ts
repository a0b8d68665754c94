import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'
import { TrawlError } from '../core/index.ts'
import type { Carrier } from './connection.ts'
import { cancelledError, exchangeError } from './network-error.ts'
import type { Lane } from './lanes.ts'
import type { Abortable } from './signal-groups.ts'
import type { ChunkConsumer, ResponseBody, TransportRequest, TransportResponse } from './transport.ts'

/** Bytes kept for a consumer that has not come yet or is busy, before the connection is paused. */
const maxKeptBytes = 256 * 1024
/** A rest up to this length is read on `cancel`, which is cheaper than a new connection. */
const maxDiscardBytes = 64 * 1024

const ended: Promise<'end'> = Promise.resolve('end')

/** What an exchange needs to run. */
export interface ExchangeOptions {
  readonly request: TransportRequest
  readonly dispatch: Dispatcher.DispatchOptions
  readonly lane: Lane
  readonly resolve: (response: TransportResponse) => void
  readonly reject: (error: TrawlError) => void
  /** Called once, when nothing can happen any more. */
  readonly onSettled: (exchange: Exchange) => void
}

/**
 * One request and its response: the handler that the carrier calls and the body that the user drains, in one object,
 * because a small file should cost little more than its dispatch.
 */
export class Exchange implements Dispatcher.DispatchHandler, ResponseBody, Abortable {
  seat = 0
  signalSeat = 0
  readonly #options: ExchangeOptions
  #carrier: Carrier | undefined
  #controller: Dispatcher.DispatchController | undefined
  /** The response headers were handed out. */
  #answered = false
  /** The carrier was given back; nothing more comes from it. */
  #over = false
  #firstByte = false
  #retried = false
  #receivedBytes = 0
  #expectedBytes: number | undefined

  #kept: Buffer[] | undefined
  #keptBytes = 0
  #consume: ChunkConsumer | undefined
  /** The consumer asked to wait; no chunk is handed out meanwhile. */
  #waiting = false
  #finish: ((how: 'end' | 'stopped') => void) | undefined
  #fail: ((error: unknown) => void) | undefined
  /** The body's result is decided: the drain promise is settled or the body was given up. */
  #done = false
  #error: TrawlError | undefined
  #discardedBytes = 0

  constructor(options: ExchangeOptions) {
    this.#options = options
  }

  /** Sends the request over a carrier of the pool. */
  start(fresh: boolean): void {
    const { lane, dispatch } = this.#options
    this.#carrier = lane.pool.acquire(fresh)
    this.#carrier.dispatch(dispatch, this)
  }

  /** Breaks the exchange off, wherever it is. */
  abort(reason: unknown): void {
    if (this.#over) return
    const error = cancelledError(this.#options.request.url, reason)
    this.#break(error)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(this.#error ?? new Error('given up'))
  }

  onResponseStarted(): void {
    this.#firstByte = true
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    if (status < 200 || this.#over) return
    const { request, resolve, lane } = this.#options
    if (status === 407 && lane.forward !== undefined) return this.#break(lane.forward.refused(request.url))
    const announced = headers['content-length']
    if (announced !== undefined && request.method !== 'HEAD' && status !== 204 && status !== 304) {
      this.#expectedBytes = Number(announced)
    }
    this.#answered = true
    resolve({
      status,
      headers,
      url: request.url,
      httpVersion: this.#carrier?.httpVersion ?? '1.1',
      ...(this.#carrier?.remoteAddress === undefined ? {} : { remoteAddress: this.#carrier.remoteAddress }),
      body: this,
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    // The parser says so when it is resumed with nothing to read; waiting on it would spin.
    if (chunk.length === 0) return
    this.#receivedBytes += chunk.length
    if (this.#done) return this.#discard(chunk)
    if (this.#consume === undefined || this.#waiting || this.#kept !== undefined) return this.#keep(chunk)
    this.#hand(chunk)
  }

  onResponseEnd(): void {
    if (this.#over) return
    this.#over = true
    this.#carrier?.release()
    this.#carrier = undefined
    // It holds the raw headers, and with them the whole block that was read.
    this.#controller = undefined
    this.#options.onSettled(this)
    if (this.#consume !== undefined && !this.#waiting && this.#kept === undefined) this.#conclude('end')
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, cause: unknown): void {
    if (this.#over) return
    if (this.#mayRetry(cause)) {
      this.#retried = true
      const dead = this.#carrier
      this.#controller = undefined
      this.start(true)
      // After the new one is taken, or the pool would be empty in between and forgotten.
      dead?.discard()
      return
    }
    const phase = this.#answered ? 'body' : this.#controller === undefined ? 'connect' : 'headers'
    this.#over = true
    this.#carrier?.discard()
    this.#carrier = undefined
    this.#error = exchangeError(cause, {
      url: this.#options.request.url,
      phase,
      receivedBytes: this.#receivedBytes,
      expectedBytes: this.#expectedBytes,
    })
    this.#options.onSettled(this)
    if (!this.#answered) return this.#options.reject(this.#error)
    // What arrived before the break is handed out first: a resumed transfer need not fetch it again.
    if (this.#consume !== undefined && !this.#waiting && this.#kept === undefined) this.#crash(this.#error)
  }

  drain(consume: ChunkConsumer): Promise<'end' | 'stopped'> {
    if (this.#consume !== undefined || this.#done) {
      const error = this.#error ?? new TrawlError('ERR_INTERNAL', 'the body was already drained or cancelled')
      return Promise.reject(error)
    }
    this.#consume = consume
    if (this.#over && this.#kept === undefined && this.#error === undefined) {
      this.#done = true
      return ended
    }
    const result = new Promise<'end' | 'stopped'>((resolve, reject) => {
      this.#finish = resolve
      this.#fail = reject
    })
    this.#pump()
    return result
  }

  cancel(): void {
    if (this.#done) return
    this.#done = true
    this.#kept = undefined
    this.#finish?.('stopped')
    if (this.#over) return
    const left = (this.#expectedBytes ?? this.#receivedBytes) - this.#receivedBytes
    if (left > maxDiscardBytes) return this.#break(cancelledError(this.#options.request.url, undefined))
    this.#resume()
  }

  /** The rest of a cancelled body, which is read only as far as it is cheaper than a new connection. */
  #discard(chunk: Buffer): void {
    this.#discardedBytes += chunk.length
    if (this.#over || this.#discardedBytes <= maxDiscardBytes) return
    this.#break(cancelledError(this.#options.request.url, undefined))
  }

  /** A kept-alive connection died before the first byte of an answer: RFC 9112, 9.3.1. */
  #mayRetry(cause: unknown): boolean {
    if (this.#retried || this.#firstByte || this.#carrier === undefined || !this.#carrier.reused) return false
    // What was not sent yet may be sent again, whatever it is.
    if (this.#options.request.method === 'POST' && this.#controller !== undefined) return false
    const error = exchangeError(cause, { url: '', phase: 'headers', receivedBytes: 0 })
    return error.code === 'ERR_NET_RESET'
  }

  #keep(chunk: Buffer): void {
    this.#kept ??= []
    this.#kept.push(chunk)
    this.#keptBytes += chunk.length
    if (this.#keptBytes >= maxKeptBytes) this.#controller?.pause()
  }

  /** Gives one chunk to the consumer. */
  #hand(chunk: Buffer): void {
    let answer: void | false | Promise<void | false>
    try {
      answer = this.#consume?.(chunk)
    } catch (error) {
      return this.#crash(error)
    }
    if (answer === undefined) return
    if (answer === false) return this.#conclude('stopped')
    // The connection goes on meanwhile, until enough is kept.
    this.#waiting = true
    answer.then(
      (later) => this.#goOn(later),
      (error: unknown) => this.#crash(error),
    )
  }

  /** The consumer is ready for more, or wants no more. */
  #goOn(answer: void | false): void {
    this.#waiting = false
    if (this.#done) return
    if (answer === false) this.#conclude('stopped')
    else this.#pump()
  }

  /** Hands out what was kept, then lets the connection go on or ends the body. */
  #pump(): void {
    while (this.#kept !== undefined && !this.#done) {
      const kept: Buffer[] = this.#kept
      this.#kept = undefined
      this.#keptBytes = 0
      for (let i = 0; i < kept.length; i++) {
        const chunk = kept[i]
        if (chunk !== undefined) this.#hand(chunk)
        if (this.#done) return
        if (this.#waiting) return this.#keepRest(kept, i + 1)
      }
    }
    if (this.#done) return
    if (!this.#over) return this.#resume()
    if (this.#error === undefined) this.#conclude('end')
    else this.#crash(this.#error)
  }

  #keepRest(chunks: readonly Buffer[], from: number): void {
    for (const chunk of chunks.slice(from)) this.#keep(chunk)
  }

  #resume(): void {
    const controller = this.#controller
    // Not from here: the reader may be in the middle of another response, and cannot be entered twice.
    if (controller?.paused === true) queueMicrotask(() => controller.resume())
  }

  #conclude(how: 'end' | 'stopped'): void {
    if (this.#done) return
    this.#done = true
    this.#kept = undefined
    if (!this.#over) this.#break(cancelledError(this.#options.request.url, undefined))
    this.#finish?.(how)
  }

  #crash(error: unknown): void {
    if (this.#done) return
    this.#done = true
    this.#kept = undefined
    if (!this.#over) this.#break(cancelledError(this.#options.request.url, error))
    this.#fail?.(error)
  }

  /** Closes the connection and tells whoever waits. */
  #break(error: TrawlError): void {
    this.#over = true
    this.#error = error
    this.#kept = undefined
    this.#options.onSettled(this)
    const carrier = this.#carrier
    this.#carrier = undefined
    if (this.#controller === undefined) carrier?.discard()
    else {
      this.#controller.abort(error)
      carrier?.discard()
    }
    if (!this.#answered) this.#options.reject(error)
    else if (!this.#done && this.#consume !== undefined) {
      this.#done = true
      this.#fail?.(error)
    }
  }
}

import type { buildConnector, Dispatcher, Pool } from 'undici'
import type { Carrier, ConnectionOptions } from './connection.ts'
import { isAscii, utf8AsLatin1 } from './headers/wire-text.ts'
import { connectError } from './network-error.ts'
import type { CarrierPool } from './origin-pool.ts'
import { loadPool } from './undici.ts'

/** Streams of one HTTP/2 session; with more requests, another session is opened. */
const maxStreams = 100

/**
 * Carriers for one https origin that may speak HTTP/2: the first connection learns by ALPN what the server
 * prefers. With HTTP/2 many requests share one session; with HTTP/1.1 each has its own connection.
 */
export class SharedPool implements CarrierPool, Carrier {
  remoteAddress: string | undefined
  httpVersion = '1.1'
  readonly #pool: Pool
  readonly #onEmpty: () => void
  #active = 0
  #served = 0
  #connected = 0

  constructor(origin: string, options: ConnectionOptions, onEmpty: () => void) {
    this.#onEmpty = onEmpty
    const PoolClass = loadPool()
    this.#pool = new PoolClass(origin, {
      allowH2: true,
      h2Options: { maxConcurrentStreams: maxStreams },
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      keepAliveTimeout: options.keepAliveMs,
      maxHeaderSize: options.maxHeaderBytes,
      connect: (target, done) => this.#open(options, target, done),
    })
    this.#pool.on('connect', () => this.#connected++)
    this.#pool.on('disconnect', () => {
      this.#connected--
      this.#served = 0
      this.#tellEmpty()
    })
  }

  get reused(): boolean {
    return this.#served > 0
  }

  acquire(): Carrier {
    this.#active++
    return this
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const given = options.headers as readonly string[]
    const headers = given.every(isAscii) ? options.headers : given.map((each) => utf8AsLatin1(each))
    this.#pool.dispatch({ ...options, headers: headers as string[] }, handler)
  }

  release(): void {
    this.#served++
    this.#active--
    this.#tellEmpty()
  }

  discard(): void {
    this.#active--
    this.#tellEmpty()
  }

  /** Sessions are few, and closed by undici when they are idle. */
  closeIdle(): void {}

  async close(): Promise<void> {
    await this.#pool.close()
  }

  async destroy(): Promise<void> {
    await this.#pool.destroy()
  }

  #open(options: ConnectionOptions, target: buildConnector.Options, done: buildConnector.Callback): void {
    options.connect(target, (error, socket) => {
      if (error !== null) return done(connectError(error, target), null)
      this.remoteAddress = socket.remoteAddress
      this.httpVersion = 'alpnProtocol' in socket && socket.alpnProtocol === 'h2' ? '2' : '1.1'
      done(null, socket)
    })
  }

  #tellEmpty(): void {
    if (this.#active === 0 && this.#connected === 0) this.#onEmpty()
  }
}

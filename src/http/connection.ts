import type { Client as UndiciClient, buildConnector, Dispatcher } from 'undici'
import { connectError } from './network-error.ts'
import { Client } from './undici.ts'

/** Something that is being opened and may be given up. */
export interface Opening {
  destroy(error?: Error): void
}

/** Opens a socket to an origin and calls `done` once, unless it was given up. */
export type Connect = (target: buildConnector.Options, done: buildConnector.Callback) => Opening | undefined

/** Limits that hold for every connection of a transport. */
export interface ConnectionOptions {
  readonly connect: Connect
  readonly timeoutMs: number
  readonly keepAliveMs: number
  readonly maxHeaderBytes: number
}

/** What carries one request: a connection of its own, or a share of an HTTP/2 session. */
export interface Carrier {
  /** True when an earlier response came over the same socket, so that the socket may have died unnoticed. */
  readonly reused: boolean
  readonly remoteAddress: string | undefined
  readonly httpVersion: string
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void
  /** The response ended cleanly: the carrier may take the next request. */
  release(): void
  /** The request failed or was broken off: the carrier is not used again. */
  discard(): void
}

/** Told by a connection about its end, so that the pool forgets it. */
export interface ConnectionOwner {
  released(connection: Connection): void
  gone(connection: Connection): void
}

/** One HTTP/1.1 connection: an undici client that carries one request at a time. */
export class Connection implements Carrier {
  /** Set by the owner while no request is on the connection. */
  idle = false
  remoteAddress: string | undefined
  readonly httpVersion = '1.1'
  readonly #client: UndiciClient
  readonly #owner: ConnectionOwner
  #served = 0
  #connecting: Opening | undefined

  constructor(origin: string, options: ConnectionOptions, owner: ConnectionOwner) {
    this.#owner = owner
    this.#client = new Client(origin, {
      allowH2: false,
      // With 2, undici resumes a client at once after a response; the owner never sends two requests at a time.
      pipelining: 2,
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      keepAliveTimeout: options.keepAliveMs,
      maxHeaderSize: options.maxHeaderBytes,
      connect: (target, done) => this.#open(options.connect, target, done),
    })
    this.#client.on('disconnect', () => {
      this.#served = 0
      if (this.idle) this.#owner.gone(this)
    })
  }

  get reused(): boolean {
    return this.#served > 0
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#client.dispatch(options, handler)
  }

  release(): void {
    this.#served++
    this.#owner.released(this)
  }

  discard(): void {
    this.#owner.gone(this)
    void this.destroy()
  }

  /** Closes the socket, also one that is still being opened. */
  destroy(): Promise<void> {
    this.#connecting?.destroy(new Error('given up'))
    return this.#client.destroy()
  }

  #open(connect: Connect, target: buildConnector.Options, done: buildConnector.Callback): void {
    let finished = false
    const opened = connect(target, (error, socket) => {
      finished = true
      this.#connecting = undefined
      // undici would try socket errors of its own again and again; ours are final.
      if (error !== null) return done(connectError(error, target), null)
      this.remoteAddress = socket.remoteAddress
      done(null, socket)
    })
    if (!finished) this.#connecting = opened
  }
}

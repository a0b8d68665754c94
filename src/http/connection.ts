import type { OnReadOpts, Socket } from 'node:net'
import type { buildConnector, Dispatcher } from 'undici'
import { connectError } from './network-error.ts'
import { ConnectionFault } from './h1/connection-fault.ts'
import type { ConnectionWatch, Watched } from './h1/connection-watch.ts'
import { keepBytes, receiveBuffer, ReceiveWindow } from './h1/receive-buffer.ts'
import { writeRequestHead } from './h1/request-head.ts'
import type { ResponseHead } from './h1/response-head.ts'
import { ResponseReader } from './h1/response-reader.ts'

/** Something that is being opened and may be given up. */
export interface Opening {
  destroy(error?: Error): void
}

/** What a socket is opened to. `onread` is where a plain socket puts its bytes; others say them as events. */
export type ConnectTarget = buildConnector.Options & { readonly onread?: OnReadOpts }

/** Opens a socket to an origin and calls `done` once, unless it was given up. */
export type Connect = (target: ConnectTarget, done: buildConnector.Callback) => Opening | undefined

/** Limits that hold for every connection of a transport. */
export interface ConnectionOptions {
  readonly connect: Connect
  readonly timeoutMs: number
  readonly keepAliveMs: number
  readonly maxHeaderBytes: number
  readonly watch: ConnectionWatch
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

/** Bodies of which more is missing are read into buffers of their own; the copy would cost more than they do. */
const longBodyBytes = 256 * 1024
/** A server closes its side earlier than it said, seen from here. */
const keepAliveMarginMs = 1500

/**
 * One HTTP/1.1 connection that carries one request at a time. Calls the handler as undici calls it, at a fraction
 * of the cost for each request.
 */
export class Connection implements Carrier, Watched, Dispatcher.DispatchController {
  /** Set by the owner while no request is on the connection. */
  idle = false
  remoteAddress: string | undefined
  readonly httpVersion = '1.1'
  paused = false
  aborted = false
  reason: Error | null = null
  readonly #origin: URL
  readonly #options: ConnectionOptions
  readonly #owner: ConnectionOwner
  readonly #reader: ResponseReader
  #socket: Socket | undefined
  #opening: Opening | undefined
  #handler: Dispatcher.DispatchHandler | undefined
  #request: Dispatcher.DispatchOptions | undefined
  #served = 0
  #reusable = true
  #destroyed = false
  /** Bytes came since the last look. */
  #heard = true
  #quietSinceMs = 0
  #keepAliveMs: number
  #unreffed = false
  /** The answer began, and of its body so much is to come. */
  #answered = false
  #leftBytes = 0
  #window: ReceiveWindow | undefined
  /** The buffer of the last read was one of the window. */
  #windowed = false

  constructor(origin: string, options: ConnectionOptions, owner: ConnectionOwner) {
    this.#origin = new URL(origin)
    this.#options = options
    this.#owner = owner
    this.#keepAliveMs = options.keepAliveMs
    this.#reader = new ResponseReader(
      {
        head: (head) => this.#head(head),
        data: (buffer, start, end) => this.#data(buffer, start, end),
        done: (keepAlive) => this.#done(keepAlive),
        fault: (fault) => this.#broken(fault),
      },
      options.maxHeaderBytes,
    )
    options.watch.add(this)
  }

  get reused(): boolean {
    return this.#served > 0
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#handler = handler
    this.#request = options
    this.#heard = true
    if (this.#socket !== undefined) this.#send(this.#socket, options)
    else this.#open(options)
  }

  release(): void {
    this.#served++
    if (this.#reusable && !this.#destroyed) this.#owner.released(this)
    else this.discard()
  }

  discard(): void {
    this.#owner.gone(this)
    void this.destroy()
  }

  /** Closes the socket, also one that is still being opened. */
  destroy(): Promise<void> {
    this.#destroyed = true
    this.#handler = undefined
    this.#reader.stop()
    this.#options.watch.remove(this)
    this.#opening?.destroy(new Error('given up'))
    this.#opening = undefined
    const socket = this.#socket
    if (socket === undefined || socket.closed) return Promise.resolve()
    return new Promise((resolve) => {
      socket.once('close', () => resolve())
      socket.destroy()
    })
  }

  abort(reason: Error): void {
    this.aborted = true
    this.reason = reason
    this.#broken(reason)
  }

  pause(): void {
    if (this.paused) return
    this.paused = true
    this.#window?.shrink()
    this.#socket?.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    this.#heard = true
    this.#socket?.resume()
  }

  look(nowMs: number, grace: boolean): void {
    if (this.#heard || this.paused || grace) {
      this.#heard = false
      this.#quietSinceMs = nowMs
      return
    }
    const quietMs = nowMs - this.#quietSinceMs
    if (this.#handler === undefined) this.#lookIdle(quietMs)
    else if (this.#socket !== undefined) this.#lookWaiting(quietMs)
  }

  #lookIdle(quietMs: number): void {
    if (!this.idle) return
    if (!this.#unreffed) this.#socket?.unref()
    this.#unreffed = true
    if (quietMs >= this.#keepAliveMs) this.discard()
  }

  #lookWaiting(quietMs: number): void {
    const { headersTimeout, bodyTimeout } = this.#request ?? {}
    const limitMs = (this.#answered ? bodyTimeout : headersTimeout) ?? this.#options.timeoutMs
    if (limitMs === 0 || quietMs < limitMs) return
    this.#broken(
      this.#answered
        ? new ConnectionFault('body-timeout', 'nothing more came in time')
        : new ConnectionFault('headers-timeout', 'no answer in time'),
    )
  }

  #open(request: Dispatcher.DispatchOptions): void {
    let finished = false
    let plain = false
    const { protocol, hostname, host, port } = this.#origin
    const { servername } = request as { readonly servername?: string }
    const target: ConnectTarget = {
      protocol,
      hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
      host,
      port,
      ...(servername === undefined ? {} : { servername }),
      onread: {
        // Asked for when the socket gets its handle, and after each read; undefined leaves the buffer as it is.
        buffer: () => {
          if (plain) return this.#nextBuffer() as Buffer
          plain = true
          return receiveBuffer
        },
        callback: (count, buffer) => {
          this.#receive(buffer as Buffer, count)
          return !this.paused
        },
      },
    }
    const opening = this.#options.connect(target, (error, socket) => {
      finished = true
      this.#opening = undefined
      // Errors of the connection name it; the handler's own name the request.
      if (error !== null) return this.#broken(connectError(error, target))
      if (this.#destroyed) return void socket.destroy()
      this.#opened(socket, plain)
    })
    if (!finished) this.#opening = opening
  }

  #opened(socket: Socket, plain: boolean): void {
    this.#socket = socket
    this.remoteAddress = socket.remoteAddress
    if (!plain) socket.on('data', (chunk: Buffer) => this.#receive(chunk, chunk.length))
    socket.on('error', (error: Error) => this.#broken(error))
    socket.on('end', () => {
      this.#reader.finish()
      this.#lost()
    })
    socket.on('close', () => {
      this.#broken(new ConnectionFault('closed', 'closed'))
      this.#lost()
    })
    this.#heard = true
    if (this.#request) this.#send(socket, this.#request)
  }

  #send(socket: Socket, request: Dispatcher.DispatchOptions): void {
    const { method, path, headers, body } = request
    if (this.#unreffed) socket.ref()
    this.#unreffed = false
    this.#answered = false
    this.aborted = false
    this.paused = false
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body as Uint8Array | null | undefined)
    let head: string
    try {
      head = writeRequestHead({
        method,
        path,
        host: this.#origin.host,
        headers: headers as readonly string[],
        bodyBytes: bytes?.length,
      })
    } catch (error) {
      return this.#broken(error as Error)
    }
    this.#handler?.onRequestStart?.(this, undefined)
    if (this.#handler === undefined) return
    this.#reader.begin(method)
    socket.write(head, 'latin1')
    if (bytes && bytes.length > 0) socket.write(bytes)
  }

  #receive(buffer: Buffer, count: number): void {
    this.#heard = true
    if (this.#windowed) this.#window?.take(count)
    if (this.#reader.isExpecting) {
      if (!this.#answered) this.#handler?.onResponseStarted?.()
      this.#reader.read(buffer, 0, count)
    } else if (this.#handler === undefined) {
      // Nothing was asked for: whatever this is, what follows could not be told from an answer.
      this.#reusable = false
      if (this.idle) this.discard()
    }
  }

  #nextBuffer(): Buffer | undefined {
    if (this.#answered && this.#leftBytes > longBodyBytes) {
      this.#windowed = true
      this.#window ??= new ReceiveWindow()
      return this.#window.next()
    }
    if (!this.#windowed) return undefined
    this.#windowed = false
    this.#window?.close()
    return receiveBuffer
  }

  #head(head: ResponseHead): void {
    this.#answered = true
    this.#leftBytes = head.framing === 'length' ? head.lengthBytes : head.framing === 'none' ? 0 : Infinity
    if (head.keepAliveMs !== undefined) {
      this.#keepAliveMs = Math.min(
        this.#options.keepAliveMs,
        Math.max(0, head.keepAliveMs - keepAliveMarginMs),
      )
    }
    this.#handler?.onResponseStart?.(this, head.status, head.headers)
  }

  #data(buffer: Buffer, start: number, end: number): void {
    this.#leftBytes -= end - start
    if (buffer === receiveBuffer) {
      this.#handler?.onResponseData?.(this, keepBytes(buffer, start, end))
    } else {
      if (this.#windowed) this.#window?.lend(end - start)
      this.#handler?.onResponseData?.(this, buffer.subarray(start, end))
    }
  }

  #done(keepAlive: boolean): void {
    const handler = this.#handler
    this.#handler = undefined
    this.#request = undefined
    this.#reusable = keepAlive
    this.#leftBytes = 0
    if (this.paused) this.resume()
    handler?.onResponseEnd?.(this, {})
    if (!keepAlive) this.#lost()
  }

  /** The request that is on the connection fails, and the connection with it. */
  #broken(error: Error): void {
    const handler = this.#handler
    this.#handler = undefined
    this.#reusable = false
    this.#reader.stop()
    const wasIdle = this.idle
    this.#socket?.destroy()
    // Without a socket the handler was never told of its controller.
    handler?.onResponseError?.(this, error)
    if (wasIdle) this.#lost()
  }

  /** The socket is of no more use. */
  #lost(): void {
    this.#reusable = false
    if (this.idle) this.#owner.gone(this)
    if (!this.#destroyed && this.#handler === undefined) void this.destroy()
  }
}

import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Behaviour, OriginRequest, Reply } from './behaviour.ts'
import { Rate } from './rate.ts'
import { writeReply } from './reply-writer.ts'
import { RequestReader, type RawRequest } from './request-reader.ts'
import { respond } from './respond.ts'

/** Limits and surroundings of a fault origin. */
export interface FaultOriginOptions {
  /** Serves HTTPS with this key and certificate (PEM); with `ca`, clients must show a certificate of it. */
  readonly tls?: {
    readonly key: string | Buffer
    readonly cert: string | Buffer
    readonly ca?: string | Buffer
  }
  /** Bytes a second over each connection. */
  readonly connectionRateBps?: number
  /** Bytes a second over all connections. */
  readonly totalRateBps?: number
  /** After this many connections have been accepted, the port is closed: more are refused. */
  readonly refuseAfterConnections?: number
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string
  readonly port?: number
}

/** One line of the request log. */
export interface LoggedRequest {
  readonly method: string
  /** Path and query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly range: string | undefined
  readonly atMs: number
  readonly connection: number
}

/** A scriptable HTTP/1.1 server that does what real servers do wrong. Listens on a free port. */
export interface FaultOrigin {
  /** `http://127.0.0.1:PORT`, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Everything that was asked, in order. */
  readonly requests: readonly LoggedRequest[]
  /** Connections accepted so far. */
  readonly connections: number
  /** Connections that stand now. */
  readonly openConnections: number
  /** Most requests that were being answered at one time. */
  readonly maxActive: number
  /** Body bytes sent so far. */
  readonly sentBytes: number
  /** Answers for a path (without query), or for all that begin with it when it ends with `*`. Later calls win. */
  route(path: string, behaviour: Behaviour): void
  /** Empties the log and the counts of requests, also those of the routes. */
  reset(): void
  /** Closes the port: connections are refused until `accept`. Those that stand go on. */
  refuse(): Promise<void>
  /** Listens again on the same port. */
  accept(): Promise<void>
  /** Resets all connections that stand, as a network that went away. */
  breakConnections(): void
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts a fault origin. */
export async function createFaultOrigin(options: FaultOriginOptions = {}): Promise<FaultOrigin> {
  const origin = new RunningOrigin(options)
  await origin.accept()
  return origin
}

interface Route {
  readonly behaviour: Behaviour
  count: number
}

class RunningOrigin implements FaultOrigin {
  readonly requests: LoggedRequest[] = []
  connections = 0
  maxActive = 0
  sentBytes = 0
  port: number
  readonly #options: FaultOriginOptions
  readonly #host: string
  readonly #routes = new Map<string, Route>()
  readonly #sockets = new Set<Socket>()
  readonly #totalRate: Rate | undefined
  readonly #startedAt = performance.now()
  #server: Server | undefined
  #active = 0

  constructor(options: FaultOriginOptions) {
    this.#options = options
    this.#host = options.host ?? '127.0.0.1'
    this.port = options.port ?? 0
    this.#totalRate = options.totalRateBps === undefined ? undefined : new Rate(options.totalRateBps)
  }

  get url(): string {
    const host = this.#host.includes(':') ? `[${this.#host}]` : this.#host
    return `${this.#options.tls === undefined ? 'http' : 'https'}://${host}:${this.port}`
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  route(path: string, behaviour: Behaviour): void {
    this.#routes.set(path, { behaviour, count: 0 })
  }

  reset(): void {
    this.requests.length = 0
    this.connections = 0
    this.maxActive = 0
    this.sentBytes = 0
    for (const route of this.#routes.values()) route.count = 0
  }

  async accept(): Promise<void> {
    if (this.#server !== undefined) return
    const server = this.#createServer()
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ port: this.port, host: this.#host, backlog: 1024 }, resolve)
    })
    const address = server.address()
    if (typeof address === 'object' && address !== null) this.port = address.port
    this.#server = server
  }

  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    // The port closes at once; the callback waits for connections that stand, which we do not want to.
    server?.close()
    await new Promise((resolve) => setImmediate(resolve))
  }

  breakConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  async close(): Promise<void> {
    await this.refuse()
    const closed = [...this.#sockets].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve).destroy()),
    )
    await Promise.all(closed)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #createServer(): Server {
    const { tls } = this.#options
    if (tls === undefined) return createServer((socket) => this.#serve(socket, socket))
    const strict = tls.ca !== undefined
    const below = new Map<number | undefined, Socket>()
    const secure = createTlsServer({ ...tls, requestCert: strict, rejectUnauthorized: strict }, (socket) => {
      const tcp = below.get(socket.remotePort)
      if (tcp !== undefined) this.#serve(socket, tcp)
    })
    secure.on('tlsClientError', () => {})
    // A TLS socket does not tell the socket below it, which alone can be reset; the port does.
    return createServer((tcp) => {
      const { remotePort } = tcp
      below.set(remotePort, tcp)
      tcp.on('close', () => below.delete(remotePort)).on('error', () => {})
      secure.emit('connection', tcp)
    })
  }

  /** `tcp` is the socket below, which is `socket` itself where there is no TLS. */
  #serve(socket: Socket, tcp: Socket): void {
    const number = ++this.connections
    this.#sockets.add(tcp)
    tcp.on('error', () => {})
    tcp.on('close', () => {
      this.#sockets.delete(tcp)
      socket.destroy()
    })
    socket.setNoDelay(true)
    socket.on('error', () => {})
    if (this.connections === this.#options.refuseAfterConnections) void this.refuse()
    const { connectionRateBps } = this.#options
    const rates = connectionRateBps === undefined ? [] : [new Rate(connectionRateBps)]
    if (this.#totalRate !== undefined) rates.push(this.#totalRate)
    const reader = new RequestReader()
    let busy = false
    const work = async (): Promise<void> => {
      if (busy) return
      busy = true
      for (let raw = reader.next(); raw !== undefined; raw = reader.next()) {
        if (!(await this.#answer(raw, { socket, tcp, number, rates }))) break
      }
      busy = false
    }
    socket.on('data', (chunk: Buffer) => {
      reader.push(chunk)
      void work()
    })
  }

  async #answer(
    raw: RawRequest,
    connection: {
      readonly socket: Socket
      readonly tcp: Socket
      readonly number: number
      readonly rates: readonly Rate[]
    },
  ): Promise<boolean> {
    this.#active++
    this.maxActive = Math.max(this.maxActive, this.#active)
    let reply: Reply | undefined
    try {
      const route = this.#find(raw.target.split('?')[0] ?? '')
      route.count++
      const request = this.#describe(raw, connection.number, route.count)
      this.requests.push({
        method: raw.method,
        path: raw.target,
        headers: raw.headers,
        range: request.range,
        atMs: request.atMs,
        connection: connection.number,
      })
      reply = await route.behaviour(request)
      const rates =
        reply.rateBps === undefined ? connection.rates : [...connection.rates, new Rate(reply.rateBps)]
      const reusable = await writeReply(reply, {
        socket: connection.socket,
        method: raw.method,
        rates,
        onBytes: (count) => (this.sentBytes += count),
        reset: () => void connection.tcp.resetAndDestroy(),
      })
      if (!reusable || raw.headers['connection'] !== 'close') return reusable
      connection.socket.end()
      return false
    } finally {
      this.#active--
      reply?.onSent?.()
    }
  }

  #find(path: string): Route {
    const exact = this.#routes.get(path)
    if (exact !== undefined) return exact
    let best = ''
    for (const pattern of this.#routes.keys()) {
      const matches = pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1))
      if (matches && pattern.length > best.length) best = pattern
    }
    return this.#routes.get(best) ?? { behaviour: respond.status(404), count: 0 }
  }

  #describe(raw: RawRequest, connection: number, count: number): OriginRequest {
    const mark = raw.target.indexOf('?')
    return {
      method: raw.method,
      path: mark === -1 ? raw.target : raw.target.slice(0, mark),
      query: new URLSearchParams(mark === -1 ? '' : raw.target.slice(mark + 1)),
      target: raw.target,
      headers: raw.headers,
      range: raw.headers['range'],
      body: raw.body,
      count,
      connection,
      origin: this.url,
      active: this.#active,
      atMs: performance.now() - this.#startedAt,
    }
  }
}

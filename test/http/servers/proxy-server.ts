import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer as createNetServer, type Server, type Socket } from 'node:net'
import type { TestCertificate } from './test-certificate.ts'

/** A proxy on a free port of this machine. */
export interface TestProxy {
  readonly port: number
  /** What clients asked for: `CONNECT host:port`, `GET http://...`, `SOCKS host:port`. */
  readonly asked: readonly string[]
  close(): Promise<void>
}

/** What a test proxy does. */
export interface TestProxyOptions {
  /** `user:password` that clients must give. */
  readonly credentials?: string
  /** Serves the proxy itself over TLS. */
  readonly tls?: TestCertificate
  /** Where to go in place of a host that was asked for. */
  readonly hosts?: Readonly<Record<string, string>>
  /** Status for CONNECT in place of a tunnel. */
  readonly refuseWith?: number
}

function hostOf(options: TestProxyOptions, host: string): string {
  return options.hosts?.[host] ?? host
}

/** An HTTP proxy: CONNECT and requests in absolute form. */
export async function startHttpProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = []
  const server = options.tls === undefined ? createHttpServer() : createHttpsServer({ ...options.tls })
  const isAllowed = (header: string | undefined): boolean =>
    options.credentials === undefined ||
    header === `Basic ${Buffer.from(options.credentials).toString('base64')}`
  server.on('request', (req, res) => {
    asked.push(`${req.method} ${req.url}`)
    if (!isAllowed(req.headers['proxy-authorization'])) {
      res.writeHead(407, { 'proxy-authenticate': 'Basic realm="test"' }).end()
      return
    }
    const url = new URL(req.url ?? '')
    url.hostname = hostOf(options, url.hostname)
    const { 'proxy-authorization': _secret, ...headers } = req.headers
    const upstream = httpRequest(url, { method: req.method, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.on('error', () => res.destroy())
      answer.pipe(res)
    })
    upstream.on('error', () => res.destroy())
    res.on('close', () => upstream.destroy())
    req.pipe(upstream)
  })
  server.on('connect', (req, socket: Socket, head: Buffer) => {
    asked.push(`CONNECT ${req.url}`)
    socket.on('error', () => {})
    if (!isAllowed(req.headers['proxy-authorization'])) {
      socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n',
      )
      return
    }
    if (options.refuseWith !== undefined) {
      socket.end(`HTTP/1.1 ${options.refuseWith} No\r\n\r\n`)
      return
    }
    const [host = '', port = ''] = (req.url ?? '').split(':')
    const upstream = connect(Number(port), hostOf(options, host))
    const refuse = (): void => void socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
    upstream.on('error', refuse).on('connect', () => {
      upstream.off('error', refuse)
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      upstream.write(head)
      join(socket, upstream)
    })
  })
  return listen(server, asked)
}

/** A SOCKS5 proxy (RFC 1928) with CONNECT, with or without a password (RFC 1929). */
export async function startSocksProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const asked: string[] = []
  const server = createNetServer((socket) => {
    socket.on('error', () => {})
    void serveSocks(socket, options, asked).catch(() => socket.destroy())
  })
  return listen(server, asked)
}

async function serveSocks(socket: Socket, options: TestProxyOptions, asked: string[]): Promise<void> {
  const read = createReader(socket)
  const [, methods = 0] = await read(2)
  await read(methods)
  const needsPassword = options.credentials !== undefined
  socket.write(Buffer.from([5, needsPassword ? 2 : 0]))
  if (needsPassword) {
    const [, userLength = 0] = await read(2)
    const user = (await read(userLength)).toString()
    const [passwordLength = 0] = await read(1)
    const password = (await read(passwordLength)).toString()
    const right = `${user}:${password}` === options.credentials
    socket.write(Buffer.from([1, right ? 0 : 1]))
    if (!right) {
      socket.end()
      return
    }
  }
  const [, , , kind = 0] = await read(4)
  let host: string
  if (kind === 1) host = [...(await read(4))].join('.')
  else if (kind === 3) host = (await read((await read(1))[0] ?? 0)).toString()
  else throw new Error('no IPv6 here')
  const port = (await read(2)).readUInt16BE(0)
  asked.push(`SOCKS ${host}:${port}`)
  const upstream = connect(port, hostOf(options, host))
  const refuse = (): void => void socket.end(socksAnswer(5))
  upstream.on('error', refuse).on('connect', () => {
    upstream.off('error', refuse)
    socket.write(socksAnswer(0))
    read.stop()
    join(socket, upstream)
  })
}

function socksAnswer(code: number): Buffer {
  return Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0])
}

interface Reader {
  (count: number): Promise<Buffer>
  stop(): void
}

function createReader(socket: Socket): Reader {
  let got = Buffer.alloc(0)
  let wake: (() => void) | undefined
  const onData = (chunk: Buffer): void => {
    got = Buffer.concat([got, chunk])
    wake?.()
  }
  socket.on('data', onData)
  const read = async (count: number): Promise<Buffer> => {
    while (got.length < count) await new Promise<void>((resolve) => (wake = resolve))
    const taken = got.subarray(0, count)
    got = got.subarray(count)
    return taken
  }
  return Object.assign(read, { stop: () => void socket.off('data', onData) })
}

function join(a: Socket, b: Socket): void {
  a.pipe(b).pipe(a)
  a.on('close', () => b.destroy())
  b.on('close', () => a.destroy())
  b.on('error', () => a.destroy())
}

async function listen(server: Server, asked: readonly string[]): Promise<TestProxy> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    asked,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

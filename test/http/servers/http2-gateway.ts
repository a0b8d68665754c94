import { request as httpRequest } from 'node:http'
import { constants, createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { Socket } from 'node:net'
import type { TestCertificate } from './test-certificate.ts'

/** An HTTPS server that speaks HTTP/2 in front of an HTTP/1.1 origin. */
export interface Http2Gateway {
  readonly url: string
  /** Sessions and HTTP/1.1 connections accepted so far. */
  readonly connections: number
  /** HTTP versions of the requests seen. */
  readonly versions: readonly string[]
  breakConnections(): void
  close(): Promise<void>
}

/** Forwards every request to the origin; a broken answer breaks the stream. */
export async function startHttp2Gateway(originUrl: string, tls: TestCertificate): Promise<Http2Gateway> {
  const sockets = new Set<Socket>()
  const versions: string[] = []
  let connections = 0
  const server = createSecureServer({ ...tls, allowHTTP1: true }, (req, res) => {
    versions.push(req.httpVersion)
    forward(originUrl, req, res)
  })
  server.on('secureConnection', (socket: Socket) => {
    connections++
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket)).on('error', () => {})
  })
  server.on('sessionError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `https://localhost:${port}`,
    get connections() {
      return connections
    },
    versions,
    breakConnections: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function forward(originUrl: string, req: Http2ServerRequest, res: Http2ServerResponse): void {
  const headers = Object.fromEntries(Object.entries(req.headers).filter(([name]) => !name.startsWith(':')))
  const breakOff = (): void => {
    if (req.httpVersion === '2.0') res.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
    else req.socket.destroy()
  }
  const upstream = httpRequest(`${originUrl}${req.url}`, { method: req.method, headers, agent: false })
  upstream.on('response', (answer) => {
    const kept = Object.entries(answer.headers).filter(
      ([name]) => !['connection', 'transfer-encoding', 'keep-alive'].includes(name),
    )
    res.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept))
    answer.on('error', breakOff)
    answer.pipe(res)
  })
  upstream.on('error', breakOff)
  res.on('close', () => upstream.destroy())
  req.pipe(upstream)
}

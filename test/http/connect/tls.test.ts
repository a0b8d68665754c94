import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createTransport,
  type Transport,
  type TransportOptions,
  type TransportResponse,
} from '../../../src/http/index.ts'
import {
  body,
  createFaultOrigin,
  respond,
  type FaultOrigin,
  type FaultOriginOptions,
} from '../../../src/testing/index.ts'
import { describeWith } from '../../programs.ts'
import { startHttp2Gateway, type Http2Gateway } from '../servers/http2-gateway.ts'
import { makeCertificate } from '../servers/test-certificate.ts'

describeWith(['openssl'], 'TLS', () => {
  const tls = makeCertificate()
  const mine = makeCertificate('client.test')
  let transport: Transport
  let closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    await transport.destroy()
    for (const close of closing) await close()
    closing = []
  })

  async function start(options: FaultOriginOptions): Promise<FaultOrigin> {
    const origin = await createFaultOrigin(options)
    closing.push(() => origin.close())
    origin.route('/f', respond.withRange(body('/f', 20_000)))
    return origin
  }

  async function get(url: string, options: TransportOptions): Promise<TransportResponse> {
    transport = createTransport(options)
    const response = await transport.send({ method: 'GET', url, headers: {} })
    response.body.cancel()
    return response
  }

  test('a certificate that nobody vouches for is refused, for good', async () => {
    const origin = await start({ tls })
    await expect(get(`${origin.url}/f`, {})).rejects.toMatchObject({
      code: 'ERR_NET_TLS',
      retry: 'never',
      context: { systemCode: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    })
    expect(origin.requests).toHaveLength(0)
  })

  test('a redirect from https to http is refused before anything is sent there, unless it is allowed', async () => {
    const [origin, open] = [await start({ tls }), await start({})]
    origin.route('/moved', respond.redirect(`${open.url}/f`))
    const ca = [tls.cert]
    await expect(get(`${origin.url}/moved`, { tls: { ca } })).rejects.toMatchObject({
      code: 'ERR_HTTP_REDIRECT',
      retry: 'never',
    })
    expect(open.requests).toHaveLength(0)
    await transport.destroy()
    const allowed = await get(`${origin.url}/moved`, { tls: { ca }, redirects: { allowDowngrade: true } })
    expect([allowed.status, allowed.url]).toEqual([200, `${open.url}/f`])
  })

  test('it is accepted with the authority, or when told to', async () => {
    const origin = await start({ tls })
    expect((await get(`${origin.url}/f`, { tls: { ca: [mine.cert, tls.cert] } })).status).toBe(200)
    await transport.destroy()
    expect((await get(`${origin.url}/f`, { tls: { insecure: true } })).status).toBe(200)
  })

  test('a certificate for another host is refused, for good', async () => {
    const origin = await start({ tls: mine })
    await expect(get(`${origin.url}/f`, { tls: { ca: mine.cert } })).rejects.toMatchObject({
      code: 'ERR_NET_TLS',
      retry: 'never',
      context: { systemCode: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
  })

  test('a client certificate is shown to who asks', async () => {
    const origin = await start({ tls: { ...tls, ca: mine.cert } })
    await expect(get(`${origin.url}/f`, { tls: { ca: tls.cert } })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_NET_(?:TLS|RESET)$/),
    })
    await transport.destroy()
    const options = { tls: { ca: tls.cert, cert: mine.cert, key: mine.key } }
    expect((await get(`${origin.url}/f`, options)).status).toBe(200)
  })

  async function gateway(): Promise<{ readonly origin: FaultOrigin; readonly front: Http2Gateway }> {
    const origin = await start({})
    const front = await startHttp2Gateway(origin.url, tls)
    closing.push(() => front.close())
    return { origin, front }
  }

  async function getMany(url: string, count: number): Promise<readonly (string | undefined)[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const response = await transport.send({ method: 'GET', url, headers: {} })
        await response.body.drain(() => {})
        return response.httpVersion
      }),
    )
  }

  describe('a server that does not do its part', () => {
    let server: Server
    let port = 0
    let behave: 'hang-up' | 'http' | 'silent'
    beforeEach(async () => {
      server = createServer((socket) => {
        socket.on('error', () => {})
        if (behave === 'http') socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
        else if (behave === 'hang-up') socket.resetAndDestroy()
        closing.push(async () => void socket.destroy())
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      port = typeof address === 'object' && address !== null ? address.port : 0
      closing.push(async () => void server.close())
    })

    test.each([
      ['hang-up', 'ERR_NET_TLS'],
      ['http', 'ERR_NET_TLS'],
      ['silent', 'ERR_NET_TIMEOUT'],
    ] as const)('%s', async (how, code) => {
      behave = how
      await expect(get(`https://127.0.0.1:${port}/`, { connectTimeoutMs: 500 })).rejects.toMatchObject({
        code,
        retry: 'backoff',
      })
    })
  })

  describe('HTTP/2', () => {
    test('many requests share one session', async () => {
      const { front } = await gateway()
      transport = createTransport({ http2: 'auto', tls: { ca: tls.cert } })
      expect(new Set(await getMany(`${front.url}/f`, 40))).toEqual(new Set(['2']))
      expect(new Set(await getMany(`${front.url}/f`, 40))).toEqual(new Set(['2']))
      expect(front.connections).toBe(1)
    })

    test('is not spoken unless asked for', async () => {
      const { front } = await gateway()
      transport = createTransport({ tls: { ca: tls.cert } })
      expect(await getMany(`${front.url}/f`, 2)).toEqual(['1.1', '1.1'])
      expect(front.versions).toEqual(['1.1', '1.1'])
    })

    test('a server without it gets HTTP/1.1, with as many connections as requests', async () => {
      const origin = await start({ tls })
      transport = createTransport({ http2: 'auto', tls: { ca: tls.cert } })
      expect(await getMany(`${origin.url}/f`, 8)).toEqual(Array.from({ length: 8 }, () => '1.1'))
      expect(origin.connections).toBeGreaterThan(1)
    })

    test('a session that breaks is replaced', async () => {
      const { front } = await gateway()
      transport = createTransport({ http2: 'auto', tls: { ca: tls.cert } })
      await getMany(`${front.url}/f`, 3)
      front.breakConnections()
      expect(await getMany(`${front.url}/f`, 3)).toEqual(['2', '2', '2'])
    })
  })
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTransport, type Transport, type TransportOptions } from '../../../src/http/index.ts'
import { body, createFaultOrigin, respond, type FaultOrigin } from '../../../src/testing/index.ts'
import { describeWith } from '../../programs.ts'
import {
  startHttpProxy,
  startSocksProxy,
  type TestProxy,
  type TestProxyOptions,
} from '../servers/proxy-server.ts'
import { makeCertificate } from '../servers/test-certificate.ts'

let origin: FaultOrigin
let proxy: TestProxy
let transport: Transport
beforeEach(async () => {
  origin = await createFaultOrigin()
  origin.route('/f', respond.withRange(body('/f', 50_000)))
})
afterEach(async () => {
  await transport.destroy()
  await proxy.close()
  await origin.close()
})

async function get(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await transport.send({ method: 'GET', url, headers })
  let size = 0
  await response.body.drain((chunk) => void (size += chunk.length))
  return size
}

async function http(options: TestProxyOptions, user = '', more: TransportOptions = {}): Promise<void> {
  proxy = await startHttpProxy(options)
  transport = createTransport({ ...more, proxy: { all: `http://${user}127.0.0.1:${proxy.port}` } })
}

async function socks(options: TestProxyOptions, user = '', more: TransportOptions = {}): Promise<void> {
  proxy = await startSocksProxy(options)
  transport = createTransport({ ...more, proxy: { all: `socks5://${user}127.0.0.1:${proxy.port}` } })
}

describe('an HTTP proxy and plain HTTP', () => {
  test('asks in absolute form, with the host of the target, over one connection for several hosts', async () => {
    await http({ hosts: { 'one.test': '127.0.0.1', 'two.test': '127.0.0.1' } })
    expect(await get(`http://one.test:${origin.port}/f?x=1`)).toBe(50_000)
    expect(await get(`http://two.test:${origin.port}/f`)).toBe(50_000)
    expect(proxy.asked).toEqual([
      `GET http://one.test:${origin.port}/f?x=1`,
      `GET http://two.test:${origin.port}/f`,
    ])
    expect(origin.requests.map(({ headers }) => headers['host'])).toEqual([
      `one.test:${origin.port}`,
      `two.test:${origin.port}`,
    ])
  })

  test('a Host header of the request is the only one', async () => {
    proxy = await startHttpProxy({})
    // Two of one name would be told with a comma between them.
    transport = createTransport({ proxy: { all: origin.url } })
    origin.route('*', respond.status(200))
    await get('http://far.test/f', { host: 'own.test' })
    expect(origin.requests.map(({ headers }) => headers['host'])).toEqual(['own.test'])
  })

  test('gives credentials, which do not reach the target', async () => {
    await http({ credentials: 'me:secret' }, 'me:secret@')
    expect(await get(`${origin.url}/f`)).toBe(50_000)
    expect(origin.requests[0]?.headers['proxy-authorization']).toBeUndefined()
  })

  test('tells of wrong credentials without telling them', async () => {
    await http({ credentials: 'me:secret' }, 'me:wrong@')
    const failure = get(`${origin.url}/f`)
    await expect(failure).rejects.toMatchObject({
      code: 'ERR_NET_PROXY',
      retry: 'never',
      context: { status: 407 },
    })
    await expect(failure).rejects.toMatchObject({ message: expect.not.stringContaining('wrong') })
    expect(origin.requests).toHaveLength(0)
  })

  test('hosts of NO_PROXY are asked directly', async () => {
    proxy = await startHttpProxy()
    transport = createTransport({ proxy: { http: `http://127.0.0.1:${proxy.port}`, noProxy: '127.0.0.0/8' } })
    expect(await get(`${origin.url}/f`)).toBe(50_000)
    expect(proxy.asked).toEqual([])
  })

  test('a proxy that is not there', async () => {
    await http({})
    await proxy.close()
    await expect(get(`${origin.url}/f`)).rejects.toMatchObject({
      code: 'ERR_NET_PROXY',
      retry: 'backoff',
      scope: 'job',
    })
  })
})

describe('a SOCKS proxy', () => {
  test('gets the name, not an address', async () => {
    await socks({ hosts: { 'one.test': '127.0.0.1' } })
    expect(await get(`http://one.test:${origin.port}/f`)).toBe(50_000)
    expect(proxy.asked).toEqual([`SOCKS one.test:${origin.port}`])
  })

  test('gives credentials, and tells of wrong ones', async () => {
    await socks({ credentials: 'me:secret' }, 'me:secret@')
    expect(await get(`${origin.url}/f`)).toBe(50_000)
    await transport.destroy()
    await proxy.close()
    await socks({ credentials: 'me:secret' }, 'me:wrong@')
    await expect(get(`${origin.url}/f`)).rejects.toMatchObject({ code: 'ERR_NET_PROXY', retry: 'never' })
  })

  test('tells a target that refuses from a proxy that is not there', async () => {
    await socks({})
    await origin.refuse()
    await expect(get(`${origin.url}/f`)).rejects.toMatchObject({ code: 'ERR_NET_CONNECT' })
    await proxy.close()
    await expect(get(`${origin.url}/f`)).rejects.toMatchObject({ code: 'ERR_NET_PROXY' })
  })

  test('a request that is given up leaves no connection behind', async () => {
    await socks({})
    const stop = new AbortController()
    const request = { method: 'GET', url: `${origin.url}/f`, headers: {} } as const
    const answer = transport.send(request, { signal: stop.signal })
    setTimeout(() => stop.abort(), 1)
    await answer.then(
      (response) => response.body.cancel(),
      (error: unknown) => expect(error).toMatchObject({ code: 'ERR_CANCELLED' }),
    )
    expect(await get(`${origin.url}/f`)).toBe(50_000)
  })
})

describe('the address guard and proxies', () => {
  test('a private target is refused before the proxy is asked', async () => {
    for (const use of [http, socks]) {
      await use({}, '', { addressGuard: {}, dns: { overrides: ['inner.test:*:10.0.0.1'] } })
      for (const host of [`127.0.0.1:${origin.port}`, 'inner.test', '[::ffff:10.0.0.1]']) {
        await expect(get(`http://${host}/f`)).rejects.toMatchObject({ code: 'ERR_NET_ADDRESS_REFUSED' })
      }
      expect(proxy.asked).toEqual([])
      await transport.destroy()
      await proxy.close()
    }
    await http({})
  })

  test('a SOCKS proxy gets the address that was checked', async () => {
    await socks({ hosts: { '192.0.2.1': '127.0.0.1' } }, '', {
      addressGuard: { allow: ['192.0.2.0/24'] },
      dns: { overrides: ['pub.test:*:192.0.2.1'] },
    })
    expect(await get(`http://pub.test:${origin.port}/f`)).toBe(50_000)
    expect(proxy.asked).toEqual([`SOCKS 192.0.2.1:${origin.port}`])
  })
})

describeWith(['openssl'], 'proxies and TLS', () => {
  const tls = makeCertificate()
  let secure: FaultOrigin
  beforeEach(async () => {
    secure = await createFaultOrigin({ tls })
    secure.route('/f', respond.withRange(body('/f', 50_000)))
  })
  afterEach(() => secure.close())
  const trust = { tls: { ca: tls.cert } }

  test('CONNECT, with credentials', async () => {
    await http({ credentials: 'me:secret', hosts: { localhost: '127.0.0.1' } }, 'me:secret@', trust)
    const url = secure.url.replace('127.0.0.1', 'localhost')
    expect(await get(`${url}/f`)).toBe(50_000)
    expect(await get(`${url}/f`)).toBe(50_000)
    expect(proxy.asked).toEqual([`CONNECT localhost:${secure.port}`])
  })

  test('with the address guard, CONNECT names the address that was checked', async () => {
    await http({ hosts: { '192.0.2.1': '127.0.0.1' } }, '', {
      ...trust,
      addressGuard: { allow: ['192.0.2.0/24'] },
      dns: { overrides: ['localhost:*:192.0.2.1'] },
    })
    expect(await get(`https://localhost:${secure.port}/f`)).toBe(50_000)
    expect(proxy.asked).toEqual([`CONNECT 192.0.2.1:${secure.port}`])
  })

  test.each([
    [407, 'never', 'job'],
    [403, 'never', 'task'],
    [502, 'backoff', 'task'],
  ])('CONNECT answered with %i', async (status, retry, scope) => {
    await http({ refuseWith: status }, '', trust)
    await expect(get(`${secure.url}/f`)).rejects.toMatchObject({ code: 'ERR_NET_PROXY', retry, scope })
  })

  test('a proxy that is not there', async () => {
    await http({}, '', trust)
    await proxy.close()
    await expect(get(`${secure.url}/f`)).rejects.toMatchObject({ code: 'ERR_NET_PROXY', retry: 'backoff' })
  })

  test('a target behind the proxy whose certificate is not trusted is no proxy error', async () => {
    await http({})
    await expect(get(`${secure.url}/f`)).rejects.toMatchObject({ code: 'ERR_NET_TLS', retry: 'never' })
  })

  test('a proxy that is itself reached over TLS, for http and https', async () => {
    proxy = await startHttpProxy({ tls })
    transport = createTransport({ ...trust, proxy: { all: `https://localhost:${proxy.port}` } })
    expect(await get(`${secure.url}/f`)).toBe(50_000)
    expect(await get(`${origin.url}/f`)).toBe(50_000)
    expect(await get(`${origin.url}/f`)).toBe(50_000)
    expect(proxy.asked).toHaveLength(3)
  })

  test('SOCKS, then TLS', async () => {
    await socks({}, '', trust)
    expect(await get(`${secure.url}/f`)).toBe(50_000)
  })
})

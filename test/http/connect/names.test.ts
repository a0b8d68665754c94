import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createAddressGuard,
  createTransport,
  type Transport,
  type TransportOptions,
} from '../../../src/http/index.ts'
import { createDnsCache, type HostLookup } from '../../../src/http/connect/dns-cache.ts'
import { parseResolveOverrides } from '../../../src/http/connect/resolve-overrides.ts'
import { createFaultOrigin, respond, type FaultOrigin } from '../../../src/testing/index.ts'
import { startDnsServer, type TestDns } from '../servers/dns-server.ts'

let origin: FaultOrigin
let transport: Transport
beforeEach(async () => {
  origin = await createFaultOrigin()
  origin.route('/*', respond.status(200))
  transport = createTransport()
})
afterEach(async () => {
  await transport.destroy()
  await origin.close()
})

async function use(options: TransportOptions): Promise<void> {
  await transport.destroy()
  transport = createTransport(options)
}

async function get(host: string, port: number | string = origin.port): Promise<string | undefined> {
  const response = await transport.send({ method: 'GET', url: `http://${host}:${port}/`, headers: {} })
  response.body.cancel()
  return response.remoteAddress
}

describe('overrides', () => {
  test('give the address; the host stays in the request', async () => {
    await use({ dns: { overrides: [`one.test:${origin.port}:127.0.0.1`, 'Two.test:*:127.0.0.1'] } })
    expect(await get('one.test')).toBe('127.0.0.1')
    expect(await get('two.TEST')).toBe('127.0.0.1')
    expect(origin.requests[0]?.headers['host']).toBe(`one.test:${origin.port}`)
  })

  test('an address that does not answer is no harm when another does', async () => {
    await use({ dns: { overrides: [`one.test:*:[::1],127.0.0.1`] } })
    expect(await get('one.test')).toBe('127.0.0.1')
  })

  test('when none answers, all are told', async () => {
    await use({ dns: { overrides: [`one.test:*:[::1],127.0.0.1`] } })
    await origin.refuse()
    await expect(get('one.test')).rejects.toMatchObject({
      code: 'ERR_NET_CONNECT',
      context: { tried: [expect.stringMatching(/^::1 /), '127.0.0.1 (ECONNREFUSED)'] },
    })
  })

  test('an IPv4 address is not used when only IPv6 is wanted', async () => {
    await use({ family: 6, dns: { overrides: ['one.test:*:127.0.0.1'] } })
    await expect(get('one.test')).rejects.toMatchObject({ code: 'ERR_NET_CONNECT', retry: 'never' })
  })

  test.each(['x', 'x:80', 'x:80:', 'x:80:nohost', 'x:y:1.2.3.4', ':80:1.2.3.4', 'x:80:1.2.3.4,'])(
    '%j is refused',
    (entry) => {
      expect(() => parseResolveOverrides([entry])).toThrow(
        expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
      )
    },
  )
})

describe('asking DNS servers directly', () => {
  let dns: TestDns
  beforeEach(async () => {
    dns = await startDnsServer({
      'good.example': { a: ['127.0.0.1'] },
      'short.example': { a: ['127.0.0.1'], ttlS: 0 },
      'both.example': { a: ['127.0.0.1'], aaaa: ['0000:0000:0000:0000:0000:0000:0000:0001'] },
      'broken.example': { fail: 2 },
      'inner.example': { a: ['127.0.0.1', '10.0.0.1'] },
    })
    await use({ dns: { mode: 'direct', servers: [dns.address] } })
  })
  afterEach(() => dns.close())

  test('resolves, and remembers while the answer lives', async () => {
    for (let i = 0; i < 3; i++) {
      expect(await get('good.example')).toBe('127.0.0.1')
      await origin.refuse()
      origin.breakConnections()
      await origin.accept()
    }
    expect(dns.asked.toSorted()).toEqual(['A good.example', 'AAAA good.example'])
  })

  test('asks once for many at one time', async () => {
    await Promise.all(Array.from({ length: 20 }, () => get('short.example')))
    expect(dns.asked).toHaveLength(2)
  })

  test('falls back from an IPv6 address that does not answer', async () => {
    expect(await get('both.example')).toBe('127.0.0.1')
  })

  test('NXDOMAIN is final, SERVFAIL is not', async () => {
    await expect(get('none.example')).rejects.toMatchObject({
      code: 'ERR_NET_DNS',
      retry: 'never',
      scope: 'task',
    })
    await expect(get('broken.example')).rejects.toMatchObject({ code: 'ERR_NET_DNS', retry: 'backoff' })
  })

  test('localhost does not go to a server', async () => {
    expect(await get('localhost')).toBe('127.0.0.1')
    expect(dns.asked).toEqual([])
  })

  test('the guard sees what names resolve to', async () => {
    await use({ dns: { mode: 'direct', servers: [dns.address] }, addressGuard: {} })
    for (const host of ['good.example', 'both.example', 'inner.example', 'localhost']) {
      await expect(get(host)).rejects.toMatchObject({ code: 'ERR_NET_ADDRESS_REFUSED', retry: 'never' })
    }
    expect(origin.connections).toBe(0)
    await use({ dns: { mode: 'direct', servers: [dns.address] }, addressGuard: { allow: ['127.0.0.0/8'] } })
    expect(await get('inner.example')).toBe('127.0.0.1')
  })
})

describe('the cache of answers', () => {
  const found = { addresses: [{ address: '192.0.2.1', family: 4 as const }] }

  test('is bounded, and forgets failures that may pass', async () => {
    const asked: string[] = []
    const lookup: HostLookup = async (name) => {
      asked.push(name)
      if (name === 'bad') throw Object.assign(new Error('x'), { code: 'EAI_AGAIN' })
      if (name === 'gone') throw Object.assign(new Error('x'), { code: 'ENOTFOUND' })
      return found
    }
    const cached = createDnsCache({ lookup, maxEntries: 2 })
    await cached('a')
    await cached('b')
    await cached('c')
    await cached('c')
    await cached('a')
    expect(asked).toEqual(['a', 'b', 'c', 'a'])
    await expect(cached('bad')).rejects.toThrow('x')
    await expect(cached('bad')).rejects.toThrow('x')
    await expect(cached('gone')).rejects.toThrow('x')
    await expect(cached('gone')).rejects.toThrow('x')
    expect(asked.slice(4)).toEqual(['bad', 'bad', 'gone'])
  })
})

describe('the address guard', () => {
  const guard = createAddressGuard()

  test.each([
    '127.0.0.1',
    '127.255.255.254',
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '255.255.255.255',
    '224.0.0.1',
    '::1',
    '::',
    'fe80::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'not an address',
  ])('refuses %s', (address) => expect(guard(address)).toBe(false))

  test.each(['93.184.216.34', '1.1.1.1', '2606:4700::1111', '::ffff:1.1.1.1'])('allows %s', (address) => {
    expect(guard(address)).toBe(true)
  })

  test('allows what is listed, and only that', () => {
    const some = createAddressGuard(['127.0.0.1', '10.1.0.0/16', 'fd00::/8'])
    expect(['127.0.0.1', '10.1.2.3', 'fd12::1', '::ffff:10.1.2.3'].map(some)).toEqual([
      true,
      true,
      true,
      true,
    ])
    expect(['127.0.0.2', '10.2.0.1', 'fe80::1'].map(some)).toEqual([false, false, false])
    expect(() => createAddressGuard(['10.0.0.0/99'])).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }),
    )
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => typeof guard(text) === 'boolean'),
    )
  })

  test.each([
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '0',
  ])('is not fooled by the literal %s', async (host) => {
    await use({ addressGuard: {} })
    await expect(get(host)).rejects.toMatchObject({ code: 'ERR_NET_ADDRESS_REFUSED' })
    expect(origin.connections).toBe(0)
  })

  test('checks every hop of a redirect', async () => {
    await use({ addressGuard: { allow: ['127.0.0.1'] }, dns: { overrides: ['inner.test:*:10.0.0.1'] } })
    for (const target of [
      'http://169.254.169.254/latest/meta-data/',
      'http://inner.test/',
      'http://[::1]/',
    ]) {
      origin.route('/', respond.redirect(target))
      await expect(get('127.0.0.1')).rejects.toMatchObject({ code: 'ERR_NET_ADDRESS_REFUSED' })
    }
  })
})

describe('the local address', () => {
  test('is the given one, or that of the interface', async () => {
    const seen: (string | undefined)[] = []
    for (const localAddress of ['127.0.0.3', 'lo']) {
      await use({ localAddress })
      seen.push(await get('127.0.0.1'))
    }
    expect(seen).toEqual(['127.0.0.1', '127.0.0.1'])
  })

  test('that does not exist is a wrong option', async () => {
    await use({ localAddress: 'no-such-interface' })
    await expect(get('127.0.0.1')).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' })
  })
})

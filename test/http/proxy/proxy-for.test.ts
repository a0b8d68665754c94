import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { proxyFor, proxySettings } from '../../../src/http/index.ts'
import { parseProxyUrl, proxyAuthorization } from '../../../src/http/proxy/proxy-endpoint.ts'

describe('settings of the environment', () => {
  test('small letters win over capitals; empty ones do not count', () => {
    const env = {
      http_proxy: 'a',
      HTTP_PROXY: 'b',
      HTTPS_PROXY: 'c',
      https_proxy: '',
      ALL_PROXY: 'd',
      no_proxy: 'e',
    }
    expect(proxySettings(env)).toEqual({ http: 'a', https: 'c', all: 'd', noProxy: 'e' })
    expect(proxySettings({})).toEqual({})
  })

  test('HTTP_PROXY is not read where it may come from a request header', () => {
    expect(proxySettings({ HTTP_PROXY: 'b', REQUEST_METHOD: 'GET' })).toEqual({})
    expect(proxySettings({ http_proxy: 'b', REQUEST_METHOD: 'GET' })).toEqual({ http: 'b' })
  })
})

describe('which proxy', () => {
  const settings = { http: 'http://h:1', https: 'http://s:2' }

  test('by scheme, else the one for all', () => {
    expect(proxyFor('http://x/', settings)).toBe('http://h:1')
    expect(proxyFor('https://x/', settings)).toBe('http://s:2')
    expect(proxyFor('https://x/', { http: 'a', all: 'socks5://b' })).toBe('socks5://b')
    expect(proxyFor('https://x/', { http: 'a' })).toBeUndefined()
    expect(proxyFor('nonsense', settings)).toBeUndefined()
  })

  test.each([
    ['http://example.org/', 'example.org', true],
    ['http://www.example.org/', 'example.org', true],
    ['http://www.example.org/', '.example.org', true],
    ['http://www.example.org/', '*.example.org', true],
    ['http://notexample.org/', 'example.org', false],
    ['http://EXAMPLE.org/', 'Example.Org', true],
    ['http://example.org:8080/', 'example.org:8080', true],
    ['http://example.org/', 'example.org:8080', false],
    ['https://example.org/', 'example.org:443', true],
    ['http://anything/', '*', true],
    ['http://a.b/', 'x, y  a.b', true],
    ['http://10.1.2.3/', '10.0.0.0/8', true],
    ['http://11.1.2.3/', '10.0.0.0/8', false],
    ['http://10.1.2.3/', '10.1.2.3', true],
    ['http://[::1]:80/', '::1', true],
    ['http://[::1]/', '[::1]', true],
    ['http://[fd00::5]/', 'fd00::/8', true],
    ['http://110.1.2.3/', '10.1.2.3', false],
    ['http://localhost/', 'localhost,127.0.0.1', true],
    ['http://x/', '', false],
  ])('%s with NO_PROXY=%s: direct is %s', (url, noProxy, direct) => {
    expect(proxyFor(url, { ...settings, noProxy }) === undefined).toBe(direct)
  })

  test('total over any NO_PROXY', () => {
    fc.assert(
      fc.property(fc.string(), (noProxy) => {
        expect([undefined, 'http://h:1']).toContain(proxyFor('http://10.0.0.1:81/', { ...settings, noProxy }))
      }),
    )
  })
})

describe('proxy URLs', () => {
  test.each([
    ['proxy:3128', 'http', 'http://proxy:3128', 3128],
    ['http://proxy', 'http', 'http://proxy:80', 80],
    ['https://u:p%40ss@proxy:8443/', 'http', 'https://proxy:8443', 8443],
    ['socks5h://127.0.0.1', 'socks5', 'http://127.0.0.1:1080', 1080],
    ['socks4a://[::1]:9050', 'socks4', 'http://[::1]:9050', 9050],
  ])('%s', (text, kind, origin, port) => {
    expect(parseProxyUrl(text)).toMatchObject({ kind, origin, port })
  })

  test('credentials are decoded, and not in the label', () => {
    const proxy = parseProxyUrl('http://me:s%C3%A9cret@proxy:1')
    expect(proxyAuthorization(proxy)).toBe(`Basic ${Buffer.from('me:sécret').toString('base64')}`)
    expect(proxy.label).toBe('http://proxy:1')
  })

  test.each(['ftp://proxy', 'http://', '', 'http://a b'])('%j is refused', (text) => {
    expect(() => parseProxyUrl(text)).toThrow(expect.objectContaining({ code: 'ERR_CONFIG_INVALID' }))
  })
})

import * as fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { createCookieJar, createTransport, type CookieJar } from '../../../src/http/index.ts'
import { formatNetscapeCookies, parseNetscapeCookies } from '../../../src/http/cookies/netscape.ts'
import { createFaultOrigin, respond } from '../../../src/testing/index.ts'

let jar: CookieJar
beforeEach(async () => {
  jar = await createCookieJar()
})

const later = Math.floor(Date.now() / 1000) + 86_400

describe('the jar', () => {
  test('sends back what was set, by domain and path', () => {
    jar.store('https://www.example.org/dir/page', [
      'a=1',
      'b=2; Domain=example.org; Path=/',
      'c=3; Path=/other',
    ])
    expect(jar.headerFor('https://www.example.org/dir/x')).toBe('a=1; b=2')
    expect(jar.headerFor('https://img.example.org/')).toBe('b=2')
    expect(jar.headerFor('https://www.example.org/other')).toBe('c=3; b=2')
    expect(jar.headerFor('https://example.com/')).toBeUndefined()
  })

  test('keeps secure cookies off http', () => {
    jar.store('https://example.org/', ['s=1; Secure'])
    expect(jar.headerFor('http://example.org/')).toBeUndefined()
    expect(jar.headerFor('https://example.org/')).toBe('s=1')
  })

  test('knows public suffixes, foreign domains and nonsense', () => {
    jar.store('https://example.co.uk/', [
      'a=1; Domain=co.uk',
      'b=1; Domain=example.org',
      '',
      '=;;',
      '\u0000=x',
    ])
    expect(jar.headerFor('https://other.co.uk/')).toBeUndefined()
    expect(jar.headerFor('https://example.org/')).toBeUndefined()
    expect(jar.headerFor('https://example.co.uk/')).toBeUndefined()
  })

  test('forgets what expires', () => {
    jar.store('https://example.org/', [
      'a=1; Max-Age=0',
      'b=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
      'c=1; Max-Age=100',
    ])
    expect(jar.headerFor('https://example.org/')).toBe('c=1')
  })

  test('works for IP addresses and localhost', () => {
    jar.store('http://127.0.0.1:8080/', ['a=1'])
    jar.store('http://localhost:8080/', ['b=1'])
    expect(jar.headerFor('http://127.0.0.1:9090/x')).toBe('a=1')
    expect(jar.headerFor('http://localhost/')).toBe('b=1')
  })
})

describe('Netscape files', () => {
  const text = [
    '# Netscape HTTP Cookie File',
    '# a comment',
    '',
    `.example.org\tTRUE\t/\tTRUE\t${later}\tsid\tabc=def`,
    `#HttpOnly_www.example.org\tFALSE\t/dir\tFALSE\t0\tsession\tx y`,
    `old.example\tFALSE\t/\tFALSE\t1\tgone\t1`,
    `.co.uk\tTRUE\t/\tFALSE\t0\tsuper\t1`,
    '127.0.0.1\tFALSE\t/\tFALSE\t0\tempty',
  ].join('\r\n')

  test('are read by the rules of the jar', () => {
    jar.load(text)
    expect(jar.headerFor('https://img.example.org/')).toBe('sid=abc=def')
    expect(jar.headerFor('http://img.example.org/')).toBeUndefined()
    expect(jar.headerFor('http://www.example.org/dir/a')).toBe('session=x y')
    expect(jar.headerFor('http://sub.www.example.org/dir/a')).toBeUndefined()
    expect(jar.headerFor('http://old.example/')).toBeUndefined()
    expect(jar.headerFor('http://shop.co.uk/')).toBeUndefined()
    expect(jar.headerFor('http://127.0.0.1/')).toBe('empty=')
  })

  test('are written and read back, session cookies and marks included', async () => {
    jar.load(text)
    jar.store('https://example.net/x/', ['n=1; HttpOnly; Secure; Max-Age=1000'])
    const written = jar.toText()
    expect(written).toContain(`.example.org\tTRUE\t/\tTRUE\t${later}\tsid\tabc=def`)
    expect(written).toContain('#HttpOnly_www.example.org\tFALSE\t/dir\tFALSE\t0\tsession\tx y')
    expect(written).toMatch(/#HttpOnly_example\.net\tFALSE\t\/x\tTRUE\t\d{10}\tn\t1/)
    const again = await createCookieJar()
    again.load(written)
    expect(again.toText()).toBe(written)
  })

  test.each([
    ['{"cookies": []}', 1],
    [`# ok\nexample.org TRUE / FALSE 0 a b`, 2],
    ['example.org\tYES\t/\tFALSE\t0\ta\tb', 1],
    ['example.org\tTRUE\t/\tFALSE\tnever\ta\tb', 1],
  ])('%j is refused, and the line is told', (bad, line) => {
    expect(() => jar.load(bad, 'c.txt')).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG_UNREADABLE', context: { file: 'c.txt', line } }),
    )
  })

  test('every cookie that can be written survives', () => {
    const word = fc.stringMatching(/^[!#-+\--:<-~]{1,20}$/)
    const cookie = fc.record({
      domain: fc.domain(),
      includeSubdomains: fc.boolean(),
      path: fc.constantFrom('/', '/a/b'),
      secure: fc.boolean(),
      httpOnly: fc.boolean(),
      name: word,
      value: fc.oneof(word, fc.constant('')),
      expiresS: fc.integer({ min: 1, max: 2 ** 40 }),
    })
    fc.assert(
      fc.property(fc.array(cookie), (cookies) => {
        expect(parseNetscapeCookies(formatNetscapeCookies(cookies))).toEqual(cookies)
      }),
    )
  })
})

test('the transport sends and keeps cookies, over redirects too; cookies of the request win', async () => {
  await using origin = await createFaultOrigin()
  const transport = createTransport({ cookies: jar })
  origin.route('/login', () => ({
    status: 302,
    headers: { Location: '/file', 'Set-Cookie': ['sid=1; Path=/', 'lang=en; Path=/'] },
  }))
  origin.route('/file', respond.status(200))
  const get = async (path: string, headers: Record<string, string> = {}): Promise<void> => {
    const response = await transport.send({ method: 'GET', url: origin.url + path, headers })
    response.body.cancel()
  }
  await get('/login')
  await get('/file', { cookie: 'lang=de; own=1' })
  expect(origin.requests.map(({ headers }) => headers['cookie'])).toEqual([
    undefined,
    'sid=1; lang=en',
    'lang=de; own=1; sid=1',
  ])
  await transport.close()
})

test('a cookie in any letters comes back as it came, and spoils no request', async () => {
  await using origin = await createFaultOrigin()
  const transport = createTransport({ cookies: jar })
  const bytes = Buffer.from('name=Zoë €', 'utf8').toString('latin1')
  origin.route('/login', respond.status(200, { 'Set-Cookie': `${bytes}; Path=/` }))
  origin.route('/file', respond.status(200))
  for (const path of ['/login', '/file']) {
    const response = await transport.send({ method: 'GET', url: origin.url + path, headers: {} })
    response.body.cancel()
  }
  expect(origin.requests.map(({ headers }) => headers['cookie'])).toEqual([undefined, bytes])
  await transport.close()
})

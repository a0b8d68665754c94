import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createTransport,
  type Transport,
  type TransportOptions,
  type TransportResponse,
} from '../../../src/http/index.ts'
import { bodyFrom, createFaultOrigin, respond, type FaultOrigin } from '../../../src/testing/index.ts'

let origin: FaultOrigin
let other: FaultOrigin
let transport: Transport
beforeEach(async () => {
  origin = await createFaultOrigin()
  other = await createFaultOrigin()
  transport = createTransport()
  for (const one of [origin, other]) one.route('/end', respond.status(200))
})
afterEach(async () => {
  await transport.destroy()
  await origin.close()
  await other.close()
})

async function use(options: TransportOptions): Promise<void> {
  await transport.destroy()
  transport = createTransport(options)
}

async function get(path: string, headers: Record<string, string> = {}): Promise<TransportResponse> {
  const response = await transport.send({ method: 'GET', url: origin.url + path, headers })
  response.body.cancel()
  return response
}

describe('following', () => {
  test.each([301, 302, 303, 307, 308])('%i', async (code) => {
    origin.route('/a', respond.redirect('/end', code))
    const response = await get('/a')
    expect([response.status, response.url, response.redirects]).toEqual([
      200,
      `${origin.url}/end`,
      [`${origin.url}/a`],
    ])
  })

  test.each([
    ['end', '/dir/end'],
    ['../end?x=1#frag', '/end?x=1'],
    ['?y=2', '/dir/a?y=2'],
    ['/é n', '/%C3%A9%20n'],
    ['/%2e%2e/x', '/x'],
  ])('the relative location %j', async (location, expected) => {
    origin.route('*', respond.status(200))
    let first = true
    origin.route('/dir/a', (request) => {
      const reply = first ? respond.redirect(Buffer.from(location).toString('latin1')) : respond.status(200)
      first = false
      return reply(request)
    })
    expect((await get('/dir/a')).status).toBe(200)
    expect(origin.requests.at(-1)?.path).toBe(expected)
  })

  test('several hops over two origins', async () => {
    origin.route(
      '/a',
      respond.redirect(() => `${other.url}/b`),
    )
    other.route(
      '/b',
      respond.redirect(() => `${origin.url}/end`, 307),
    )
    expect((await get('/a')).redirects).toEqual([`${origin.url}/a`, `${other.url}/b`])
  })

  test('a redirect without Location, 300 and 304 are responses', async () => {
    origin.route('/none', respond.status(302))
    origin.route('/300', respond.status(300, { Location: '/end' }))
    origin.route('/304', respond.status(304, { Location: '/end' }))
    expect((await get('/none')).status).toBe(302)
    expect((await get('/300')).status).toBe(300)
    expect((await get('/304')).status).toBe(304)
  })

  test('max 0 gives the redirect itself', async () => {
    await use({ redirects: { max: 0 } })
    origin.route('/a', respond.redirect('/end'))
    const response = await get('/a')
    expect([response.status, response.redirects]).toEqual([302, undefined])
  })

  test('POST becomes GET after 302 and 303, and stays after 307', async () => {
    for (const code of [302, 303, 307]) {
      origin.route('/a', respond.redirect('/end', code))
      const headers = { 'content-type': 'text/plain', 'x-kept': '1' }
      const response = await transport.send({
        method: 'POST',
        url: `${origin.url}/a`,
        headers,
        body: 'hello',
      })
      response.body.cancel()
      const last = origin.requests.at(-1)
      expect([code, last?.method, last?.headers['content-type'], last?.headers['x-kept']]).toEqual(
        code === 307 ? [307, 'POST', 'text/plain', '1'] : [code, 'GET', undefined, '1'],
      )
    }
  })

  test('HEAD stays HEAD', async () => {
    origin.route('/a', respond.redirect('/end', 303))
    await transport.send({ method: 'HEAD', url: `${origin.url}/a`, headers: {} })
    expect(origin.requests.map(({ method }) => method)).toEqual(['HEAD', 'HEAD'])
  })
})

describe('refusing', () => {
  test('loops, after at most one repetition', async () => {
    origin.route('/a', respond.redirect('/b'))
    origin.route('/b', respond.redirect('/a'))
    await expect(get('/a')).rejects.toMatchObject({ code: 'ERR_HTTP_REDIRECT', retry: 'never' })
    expect(origin.requests.length).toBeLessThanOrEqual(5)
  })

  test('a page that sends to itself once, to set something, is no loop', async () => {
    origin.route('/a', (request) =>
      (request.count === 1 ? respond.redirect('/a') : respond.status(200))(request),
    )
    expect((await get('/a')).status).toBe(200)
  })

  test('more hops than allowed', async () => {
    origin.route(
      '/*',
      respond.redirect((request) => `/x${Number(request.path.slice(2)) + 1}`),
    )
    await expect(get('/x0')).rejects.toMatchObject({ code: 'ERR_HTTP_REDIRECT' })
    expect(origin.requests).toHaveLength(21)
    await use({ redirects: { max: 3 } })
    origin.reset()
    await expect(get('/x0')).rejects.toMatchObject({ code: 'ERR_HTTP_REDIRECT' })
    expect(origin.requests).toHaveLength(4)
  })

  test.each([
    'file:///etc/passwd',
    'ftp://example.org/x',
    'javascript:alert(1)',
    'data:,x',
    'http://',
    'http://[::x]/',
  ])('a redirect to %s', async (location) => {
    origin.route('/a', respond.redirect(location))
    await expect(get('/a')).rejects.toMatchObject({ code: 'ERR_HTTP_REDIRECT' })
  })
})

describe('secrets', () => {
  const secrets = {
    authorization: 'Bearer abc',
    cookie: 'a=b',
    'proxy-authorization': 'x',
    'x-api-key': 'k',
    'x-auth-token': 't',
    'x-mine': 'm',
  }

  test('stay with their origin; other headers go on', async () => {
    await use({ redirects: { secretHeaders: ['x-mine'] } })
    origin.route(
      '/a',
      respond.redirect(() => `${other.url}/end`),
    )
    await get('/a', { ...secrets, range: 'bytes=0-1', referer: 'http://r/', accept: 'image/*' })
    expect(origin.requests[0]?.headers).toMatchObject(secrets)
    const arrived = other.requests[0]?.headers ?? {}
    expect(Object.keys(arrived).filter((name) => name in secrets)).toEqual([])
    expect(arrived).toMatchObject({ range: 'bytes=0-1', referer: 'http://r/', accept: 'image/*' })
  })

  test('go on within the origin', async () => {
    origin.route('/a', respond.redirect('/end'))
    await get('/a', secrets)
    expect(origin.requests[1]?.headers).toMatchObject(secrets)
  })

  test('do not come back after a detour', async () => {
    origin.route(
      '/a',
      respond.redirect(() => `${other.url}/b`),
    )
    other.route(
      '/b',
      respond.redirect(() => `${origin.url}/end`),
    )
    await get('/a', { authorization: 'x' })
    expect(origin.requests.map(({ headers }) => headers['authorization'])).toEqual(['x', undefined])
  })

  test('user information in a location is not used', async () => {
    origin.route(
      '/a',
      respond.redirect(() => other.url.replace('//', '//me:secret@') + '/end'),
    )
    const response = await get('/a')
    expect(response.url).toBe(`${other.url}/end`)
    expect(other.requests[0]?.headers['authorization']).toBeUndefined()
  })

  test('headers and tokens by origin are added hop by hop', async () => {
    await use({
      originHeaders: { [origin.url]: { 'x-first': '1' }, [other.url]: { 'x-second': '2' } },
      bearerTokens: { [other.url]: 'tok' },
    })
    origin.route(
      '/a',
      respond.redirect(() => `${other.url}/end`),
    )
    await get('/a')
    expect(origin.requests[0]?.headers).toMatchObject({ 'x-first': '1' })
    expect(origin.requests[0]?.headers['authorization']).toBeUndefined()
    expect(other.requests[0]?.headers).toMatchObject({ 'x-second': '2', authorization: 'Bearer tok' })
    expect(other.requests[0]?.headers['x-first']).toBeUndefined()
  })
})

test('the user agent is honest, and may be changed', async () => {
  await get('/end')
  await get('/end', { 'user-agent': 'other/1' })
  await use({ userAgent: 'mine/2' })
  await get('/end')
  expect(origin.requests.map(({ headers }) => headers['user-agent'])).toEqual([
    expect.stringMatching(/^trawl\/\d+\.\d+\.\d+$/),
    'other/1',
    'mine/2',
  ])
})

test('the body of a redirect does not cost its connection', async () => {
  origin.route('/a', (request) => ({
    status: 302,
    headers: { Location: `${request.origin}/end` },
    body: bodyFrom('moved'.repeat(100)),
  }))
  for (let i = 0; i < 5; i++) await get('/a')
  expect(origin.connections).toBeLessThanOrEqual(2)
})

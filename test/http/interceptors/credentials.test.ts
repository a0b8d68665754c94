import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTransport, type CredentialSettings, type Transport } from '../../../src/http/index.ts'
import { createFaultOrigin, respond, type Behaviour, type FaultOrigin } from '../../../src/testing/index.ts'

let origin: FaultOrigin
let transport: Transport
beforeEach(async () => {
  origin = await createFaultOrigin()
})
afterEach(async () => {
  await transport.destroy()
  await origin.close()
})

function use(credentials?: CredentialSettings): void {
  transport = createTransport(credentials === undefined ? {} : { credentials })
}

async function status(url: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await transport.send({ method: 'GET', url, headers })
  response.body.cancel()
  return response.status
}

const me = { username: 'me', password: 'sécret:x' }
const basicOk = `Basic ${Buffer.from('me:sécret:x').toString('base64')}`
const wantsBasic: Behaviour = (request) =>
  (request.headers['authorization'] === basicOk
    ? respond.status(200)
    : respond.status(401, { 'WWW-Authenticate': 'Basic realm="x"' }))(request)

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}

/** A server that checks Digest by itself, with nonces that are good for some uses, counted strictly. */
function wantsDigest(usesPerNonce: number, saysStale: boolean): Behaviour {
  let serial = 0
  let uses = 0
  return (request) => {
    const given = request.headers['authorization'] ?? ''
    const field = (name: string): string | undefined =>
      new RegExp(`[ ,]${name}=(?:"([^"]*)"|([^,]*))`)
        .exec(given)
        ?.slice(1)
        .find((one) => one !== undefined)
    const secret = md5(`me:r:sécret:x`)
    const path = md5(`GET:${request.target}`)
    const expected = md5(`${secret}:${field('nonce')}:${field('nc')}:${field('cnonce')}:auth:${path}`)
    const isCurrent = field('nonce') === `n${serial}` && uses < usesPerNonce
    const isCounted = Number.parseInt(field('nc') ?? '0', 16) === uses + 1
    if (given.startsWith('Digest ') && field('response') === expected && isCurrent && isCounted) {
      uses++
      return respond.status(200)(request)
    }
    const stale = saysStale && field('response') === expected ? ', stale=true' : ''
    serial++
    uses = 0
    const value = `Digest realm="r", nonce="n${serial}", qop="auth", algorithm=MD5${stale}`
    return respond.status(401, { 'WWW-Authenticate': value })(request)
  }
}

describe('Basic', () => {
  test('is given when asked for, and then unasked', async () => {
    use({ byOrigin: { '127.0.0.1': me } })
    origin.route('/*', wantsBasic)
    expect(await status(`${origin.url}/a`)).toBe(200)
    expect(await status(`${origin.url}/b`)).toBe(200)
    expect(origin.requests.map(({ path, headers }) => [path, headers['authorization']])).toEqual([
      ['/a', undefined],
      ['/a', basicOk],
      ['/b', basicOk],
    ])
  })

  test('is given at once with scheme basic', async () => {
    use({ byOrigin: { [origin.url]: me }, scheme: 'basic' })
    origin.route('/*', wantsBasic)
    expect(await status(`${origin.url}/a`)).toBe(200)
    expect(origin.requests).toHaveLength(1)
  })

  test('is never given with scheme digest', async () => {
    use({ byOrigin: { [origin.url]: me }, scheme: 'digest' })
    origin.route('/*', wantsBasic)
    expect(await status(`${origin.url}/a`)).toBe(401)
    expect(origin.requests).toHaveLength(1)
  })

  test('a wrong password is tried once', async () => {
    use({ byOrigin: { [origin.url]: { username: 'me', password: 'wrong' } } })
    origin.route('/*', wantsBasic)
    expect(await status(`${origin.url}/a`)).toBe(401)
    expect(origin.requests).toHaveLength(2)
  })

  test('comes from the URL, and the URL goes on without it', async () => {
    use()
    origin.route('/*', wantsBasic)
    const url = origin.url.replace('//', '//me:s%C3%A9cret%3Ax@')
    expect(await status(`${url}/a@b`)).toBe(200)
    expect(origin.requests.at(-1)?.path).toBe('/a@b')
  })

  test('a query with an @ right behind the host is no user information', async () => {
    use({ byOrigin: { '*': me } })
    origin.route('*', wantsBasic)
    for (const path of ['?mail=a@b', '/f?mail=a@b', '#a@b', '/a@b']) {
      expect(await status(origin.url + path), path).toBe(200)
    }
  })

  test('from the URL go with redirects of their origin, and with no other', async () => {
    use()
    await using other = await createFaultOrigin()
    other.route('*', wantsBasic)
    origin.route('/private/', wantsBasic)
    origin.route('/private', respond.redirect('/private/'))
    origin.route(
      '/away',
      respond.redirect(() => `${other.url}/f`),
    )
    const withUser = (path: string): string => origin.url.replace('//', '//me:s%C3%A9cret%3Ax@') + path
    expect(await status(withUser('/private'))).toBe(200)
    expect(await status(withUser('/away'))).toBe(401)
    expect(other.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined])
  })

  test('comes from netrc by host', async () => {
    use({ netrc: 'machine 127.0.0.1 login me password sécret:x' })
    origin.route('/*', wantsBasic)
    expect(await status(`${origin.url}/a`)).toBe(200)
  })

  test('does not go to another host, nor over a header of the request', async () => {
    use({ byOrigin: { 'example.org': me } })
    origin.route('/*', wantsBasic)
    expect(await status(`${origin.url}/a`)).toBe(401)
    await transport.destroy()
    use({ byOrigin: { '127.0.0.1': me }, scheme: 'basic' })
    expect(await status(`${origin.url}/a`, { authorization: 'Bearer own' })).toBe(401)
    expect(origin.requests.at(-1)?.headers['authorization']).toBe('Bearer own')
  })
})

describe('Digest', () => {
  test('answers, and uses the nonce again with a growing count', async () => {
    use({ byOrigin: { '127.0.0.1': me } })
    origin.route('/*', wantsDigest(100, true))
    for (const path of ['/a', '/b?x=1', '/c']) expect(await status(origin.url + path)).toBe(200)
    expect(origin.requests).toHaveLength(4)
  })

  test.each([true, false])(
    'takes a new nonce when the old one is used up (stale told: %s)',
    async (saysStale) => {
      use({ byOrigin: { '127.0.0.1': me } })
      origin.route('/*', wantsDigest(2, saysStale))
      for (let i = 0; i < 5; i++) expect(await status(`${origin.url}/${i}`)).toBe(200)
    },
  )

  test('a wrong password is tried once', async () => {
    use({ byOrigin: { '127.0.0.1': { username: 'me', password: 'wrong' } } })
    origin.route('/*', wantsDigest(100, true))
    expect(await status(`${origin.url}/a`)).toBe(401)
    expect(origin.requests).toHaveLength(2)
  })

  test('is preferred to Basic', async () => {
    use({ byOrigin: { '127.0.0.1': me } })
    const offer = ['Basic realm="x"', 'Digest realm="r", nonce="n", qop="auth"']
    origin.route('/a', () => ({ status: 401, headers: { 'WWW-Authenticate': offer } }))
    await status(`${origin.url}/a`)
    expect(origin.requests.at(-1)?.headers['authorization']).toMatch(/^Digest /)
  })
})

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseChallenges } from '../../../src/http/auth/challenge.ts'
import { answerDigest, canAnswerDigest } from '../../../src/http/auth/digest.ts'

describe('challenges', () => {
  test('several in one field', () => {
    const field =
      'Basic realm="simple, \\"x\\"", charset="UTF-8", Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, nonce="7yp", Negotiate YII=, Bearer, NTLM'
    expect(parseChallenges([field]).map(({ scheme, parameters }) => [scheme, { ...parameters }])).toEqual([
      ['basic', { realm: 'simple, "x"', charset: 'UTF-8' }],
      [
        'digest',
        { realm: 'http-auth@example.org', qop: 'auth, auth-int', algorithm: 'SHA-256', nonce: '7yp' },
      ],
      ['negotiate', {}],
      ['bearer', {}],
      ['ntlm', {}],
    ])
  })

  test('several fields', () => {
    expect(parseChallenges(['Basic realm=a', 'Digest nonce=b']).map(({ scheme }) => scheme)).toEqual([
      'basic',
      'digest',
    ])
  })

  test('total, and ends', () => {
    const part = fc.constantFrom('Basic', 'Digest ', 'realm=', '"', ',', '=', ' ', '\\', 'a', '__proto__=x')
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string())), (parts) =>
        Array.isArray(parseChallenges([parts.join('')])),
      ),
    )
  })
})

function field(algorithm: string): string {
  return `Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=${algorithm}, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
}

describe('Digest', () => {
  // RFC 7616, 3.9.1.
  const base = {
    credentials: { username: 'Mufasa', password: 'Circle of Life' },
    method: 'GET',
    uri: '/dir/index.html',
    count: 1,
    clientNonce: 'f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ',
  }

  function answer(value: string, more: object = {}): string {
    const [challenge] = parseChallenges([value])
    if (challenge === undefined) throw new Error('no challenge')
    expect(canAnswerDigest(challenge)).toBe(true)
    return answerDigest({ ...base, challenge, ...more })
  }

  test.each([
    ['MD5', '8ca523f5e9506fed4657c9700eebdbec'],
    ['SHA-256', '753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1'],
  ])('the example of RFC 7616 with %s', (algorithm, response) => {
    const header = answer(field(algorithm))
    expect(header).toContain(`response="${response}"`)
    expect(header).toContain('qop=auth, nc=00000001')
    expect(header).toContain('opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"')
  })

  test('the example of RFC 7616 with SHA-512-256, a hashed user name and one beyond ASCII', () => {
    // RFC 7616, 3.9.2, with erratum 4897 for the values.
    const value =
      'Digest realm="api@example.org", qop="auth", algorithm=SHA-512-256, nonce="5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK", opaque="HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS", charset=UTF-8, userhash=true'
    const header = answer(value, {
      credentials: { username: 'J\u00e4s\u00f8n Doe', password: 'Secret, or not?' },
      uri: '/doe.json',
      clientNonce: 'NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v',
    })
    expect(header).toContain('username="793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"')
    expect(header).toContain('response="3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5"')
    expect(header).toContain('userhash=true')
  })

  test('the example of RFC 2069, without qop', () => {
    const value =
      'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    const header = answer(value, { credentials: { username: 'Mufasa', password: 'CircleOfLife' } })
    // Erratum 749 of RFC 2069.
    expect(header).toContain('response="1949323746fe6a43ef61f9606e7febea"')
    expect(header).not.toContain('cnonce')
  })

  test('session algorithms hash the nonces into the secret', () => {
    const plain = answer(field('MD5'))
    const session = answer(field('MD5-sess'))
    expect(session).toContain('algorithm=MD5-sess')
    expect(/response="(\w+)"/.exec(session)?.[1]).not.toBe(/response="(\w+)"/.exec(plain)?.[1])
  })

  test('a user name beyond ASCII goes in the extended form', () => {
    expect(answer(field('MD5'), { credentials: { username: 'Jäsøn', password: '' } })).toContain(
      "username*=UTF-8''J%C3%A4s%C3%B8n",
    )
  })

  test.each([
    'Digest realm="a", nonce="b", algorithm=SHA3',
    'Digest realm="a", nonce="b", qop="auth-int"',
    'Digest realm="a"',
    'Basic realm="a"',
  ])('cannot answer %s', (value) => {
    const [challenge] = parseChallenges([value])
    expect(challenge !== undefined && canAnswerDigest(challenge)).toBe(false)
  })
})

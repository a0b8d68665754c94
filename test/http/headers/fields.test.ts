import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatRange,
  formatWantDigest,
  parseAcceptRanges,
  parseContentLength,
  parseContentRange,
  parseEntityTag,
  parseHttpDate,
  parseOldDigest,
  parseReprDigest,
  parseRetryAfter,
  parseUnsatisfiedRange,
} from '../../../src/http/index.ts'

function hash(name: string): string {
  return createHash(name).update('x').digest('base64')
}

function hex(name: string): string {
  return createHash(name).update('x').digest('hex')
}

describe('Content-Range', () => {
  test.each([
    ['bytes 0-9/100', { unit: 'bytes', start: 0, end: 10, totalBytes: 100 }],
    ['Bytes 5-5/*', { unit: 'bytes', start: 5, end: 6 }],
    [' bytes  5-5/6 ', { unit: 'bytes', start: 5, end: 6, totalBytes: 6 }],
  ])('%s', (text, expected) => expect(parseContentRange(text)).toEqual(expected))

  test.each([
    '',
    'bytes */100',
    'bytes 9-0/100',
    'bytes 0-100/100',
    'bytes 0-9',
    'bytes=0-9/10',
    '0-9/10',
    'bytes -1-9/10',
    'bytes 0-99999999999999999999/*',
    'bytes 0x1-2/3',
  ])('refuses %j', (text) => expect(parseContentRange(text)).toBeUndefined())

  test('the length in a 416', () => {
    expect(parseUnsatisfiedRange('bytes */1234')).toBe(1234)
    expect(parseUnsatisfiedRange('bytes */*')).toBeUndefined()
    expect(parseUnsatisfiedRange('bytes 0-1/2')).toBeUndefined()
  })

  test('round trip and totality', () => {
    const bytes = fc.nat({ max: 2 ** 40 })
    fc.assert(
      fc.property(bytes, fc.integer({ min: 1, max: 2 ** 40 }), bytes, (start, length, more) => {
        const end = start + length
        const text = `bytes ${start}-${end - 1}/${end + more}`
        expect(parseContentRange(text)).toEqual({ unit: 'bytes', start, end, totalBytes: end + more })
        expect(formatRange(start, end)).toBe(`bytes=${start}-${end - 1}`)
      }),
    )
    fc.assert(fc.property(fc.string(), (text) => (parseContentRange(text)?.start ?? 0) >= 0))
  })
})

describe('dates and Retry-After', () => {
  const now = Date.UTC(1994, 10, 6, 8, 49, 37)

  test.each(['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])(
    '%s',
    (text) => expect(parseHttpDate(text)).toBe(now),
  )

  test.each([
    '',
    'yesterday',
    'Sun, 31 Feb 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 25:00:00 GMT',
    '1994-11-06T08:49:37Z',
    '0',
  ])('no date: %j', (text) => expect(parseHttpDate(text)).toBeUndefined())

  test('every second survives the way out and back', () => {
    const day = fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
    fc.assert(
      fc.property(day, (date) => {
        const second = Math.floor(date.getTime() / 1000) * 1000
        expect(parseHttpDate(new Date(second).toUTCString())).toBe(second)
      }),
    )
  })

  test.each([
    ['120', 120_000],
    ['0', 0],
    ['-5', 0],
    ['1.5', 1500],
    ['Sun, 06 Nov 1994 08:50:37 GMT', 60_000],
    ['Sun Nov  6 08:49:00 1994', 0],
    ['soon', undefined],
    ['', undefined],
    ['12 apples', undefined],
  ])('Retry-After: %s', (text, expected) => expect(parseRetryAfter(text, now)).toBe(expected))

  test('Retry-After is total, and never negative or infinite', () => {
    const text = fc.oneof(fc.string(), fc.bigInt().map(String), fc.double().map(String))
    fc.assert(
      fc.property(text, (value) => {
        const ms = parseRetryAfter(value, now)
        expect(ms === undefined || (Number.isFinite(ms) && ms >= 0)).toBe(true)
      }),
    )
  })
})

describe('ETag', () => {
  test.each([
    ['"abc"', { weak: false, value: 'abc' }],
    ['W/"abc"', { weak: true, value: 'abc' }],
    ['w/"a b"', { weak: true, value: 'a b' }],
    ['""', { weak: false, value: '' }],
    ['abc', { weak: true, value: 'abc' }],
    ['', undefined],
  ])('%s', (text, expected) => expect(parseEntityTag(text)).toEqual(expected))

  test('strong and weak tags of any characters', () => {
    const value = fc.stringMatching(/^[!#-~]{0,30}$/)
    fc.assert(
      fc.property(value, fc.boolean(), (value, weak) => {
        expect(parseEntityTag(`${weak ? 'W/' : ''}"${value}"`)).toEqual({ weak, value })
      }),
    )
  })

  test('malformed tags are opaque, never an error', () => {
    fc.assert(fc.property(fc.string(), (text) => (parseEntityTag(text)?.value.length ?? 0) <= text.length))
  })
})

describe('digests', () => {
  test('Repr-Digest', () => {
    const field = `sha-256=:${hash('sha256')}:, sha-512=:${hash('sha512')}:;q=1, unixsum=:AAAA:, md5=:AAAA:`
    expect(parseReprDigest(field)).toEqual([
      { algorithm: 'sha-256', value: hex('sha256') },
      { algorithm: 'sha-512', value: hex('sha512') },
    ])
    expect(parseReprDigest(`sha-256=${hash('sha256')}`)).toEqual([])
    expect(parseReprDigest(undefined)).toEqual([])
  })

  test('the old Digest', () => {
    const field = `SHA-256=${hash('sha256')},MD5=${hash('md5')}, sha=${hash('sha1')},UNIXsum=30637`
    expect(parseOldDigest(field)).toEqual([
      { algorithm: 'sha-256', value: hex('sha256') },
      { algorithm: 'md5', value: hex('md5') },
      { algorithm: 'sha-1', value: hex('sha1') },
    ])
  })

  test('Want-Repr-Digest prefers the first', () => {
    expect(formatWantDigest(['sha-256', 'sha-1'])).toBe('sha-256=10, sha=9')
  })

  test('total', () => {
    fc.assert(
      fc.property(fc.string(), (text) => parseReprDigest(text).length + parseOldDigest(text).length >= 0),
    )
  })
})

describe('lengths and units', () => {
  test.each([
    ['12', 12],
    [' 12 ', 12],
    ['0', 0],
    ['-1', undefined],
    ['1e3', undefined],
    ['12, 12', undefined],
    ['99999999999999999999', undefined],
    ['', undefined],
  ])('Content-Length: %j', (text, expected) => expect(parseContentLength(text)).toBe(expected))

  test('Accept-Ranges', () => {
    expect(parseAcceptRanges('bytes')).toBe(true)
    expect(parseAcceptRanges('Bytes, chapters')).toBe(true)
    expect(parseAcceptRanges('none')).toBe(false)
    expect(parseAcceptRanges('chapters')).toBeUndefined()
    expect(parseAcceptRanges(undefined)).toBeUndefined()
  })
})

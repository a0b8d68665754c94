import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createLocate } from '../../src/http/locate.ts'

test('the short way gives the same answer as the URL parser', () => {
  const locate = createLocate()
  const host = fc.constantFrom(
    'example.org',
    'EXAMPLE.org',
    'example.org:80',
    'h:8080',
    '127.1',
    '[::1]:81',
    'ü.example',
  )
  const piece = fc.constantFrom(
    'a',
    '.',
    '..',
    '%2e',
    '%2E%2e',
    '/',
    '//',
    '?',
    '#',
    '%',
    '%41',
    "'",
    '"',
    ' ',
    'é',
    '\\',
    '@',
    ':',
    ';',
    '~',
    '<',
    '|',
    '\t',
  )
  const path = fc
    .array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 8 })
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(
      fc.constantFrom('http', 'https', 'HTTP'),
      host,
      fc.constantFrom('', '/', '?'),
      path,
      (scheme, at, first, rest) => {
        const url = `${scheme}://${at}${first}${rest}`
        fc.pre(URL.canParse(url))
        const { origin, pathname, search, href } = new URL(url)
        const isEmptyQuery = href.split('#')[0]?.endsWith('?') === true && search === ''
        const expected = { origin, path: pathname + (isEmptyQuery ? '?' : search) }
        expect([locate(url), locate(url)]).toEqual([expected, expected])
      },
    ),
    { numRuns: 2000 },
  )
})

test('user information is left out', () => {
  const locate = createLocate()
  for (let i = 0; i < 2; i++) {
    expect(locate('http://me:secret@example.org/a@b')).toEqual({ origin: 'http://example.org', path: '/a@b' })
  }
})

test.each([
  ['', 'ERR_URL_INVALID'],
  ['example.org/x', 'ERR_URL_INVALID'],
  ['http://', 'ERR_URL_INVALID'],
  ['http://a b/', 'ERR_URL_INVALID'],
  ['http://x:99999/', 'ERR_URL_INVALID'],
  ['ftp://x/', 'ERR_URL_SCHEME'],
  ['magnet:?xt=urn', 'ERR_URL_SCHEME'],
])('%j is no URL to fetch', (url, code) => {
  expect(() => createLocate()(url)).toThrow(expect.objectContaining({ code }))
})

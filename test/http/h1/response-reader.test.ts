import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ResponseReader } from '../../../src/http/h1/response-reader.ts'
import type { ResponseHead } from '../../../src/http/h1/response-head.ts'

interface Seen {
  readonly heads: ResponseHead[]
  body: string
  end: string
}

/** Reads a response that arrives in pieces, cut at the given places, and then the end of the connection. */
function readAll(
  bytes: string,
  options: { readonly cuts?: readonly number[]; readonly method?: string; readonly closes?: boolean } = {},
): Seen {
  const seen: Seen = { heads: [], body: '', end: '' }
  const reader = new ResponseReader(
    {
      head: (head) => void seen.heads.push(head),
      data: (buffer, start, end) => void (seen.body += buffer.toString('latin1', start, end)),
      done: (keepAlive) => void (seen.end += `done ${keepAlive ? 'keep' : 'close'};`),
      fault: (fault) => void (seen.end += `${fault.kind}: ${fault.message};`),
    },
    64 * 1024,
  )
  reader.begin(options.method ?? 'GET')
  const all = Buffer.from(bytes, 'latin1')
  const places = [...(options.cuts ?? []).filter((cut) => cut < all.length), all.length].toSorted(
    (a, b) => a - b,
  )
  let at = 0
  for (const place of places) {
    // Each piece lies somewhere in a buffer with other bytes around it, as in the shared one.
    const buffer = Buffer.concat([Buffer.from('\r\n\r\n12'), all.subarray(at, place), Buffer.from('\n0\r\n')])
    if (place > at) reader.read(buffer, 6, 6 + place - at)
    at = place
  }
  if (options.closes !== false) reader.finish()
  return seen
}

const ok = 'HTTP/1.1 200 OK\r\n'

describe('a response', () => {
  test('with a length', () => {
    const seen = readAll(`${ok}Content-Length: 5\r\nETag: "a"\r\n\r\nhello`)
    expect(seen).toMatchObject({ body: 'hello', end: 'done keep;' })
    expect(seen.heads).toMatchObject([{ status: 200, headers: { 'content-length': '5', etag: '"a"' } }])
  })

  test.each([
    ['HEAD', `${ok}Content-Length: 5\r\n\r\n`],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n'],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n'],
    ['GET', `${ok}Content-Length: 0\r\n\r\n`],
  ])('without a body: %s %j', (method, bytes) => {
    expect(readAll(bytes, { method })).toMatchObject({ body: '', end: 'done keep;' })
  })

  test('in chunks, with extensions and trailers', () => {
    const bytes = `${ok}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n`
    expect(readAll(bytes)).toMatchObject({ body: 'hello0123456789', end: 'done keep;' })
  })

  test('that ends with the connection', () => {
    expect(readAll(`${ok}\r\nhello`)).toMatchObject({ body: 'hello', end: 'done close;' })
    expect(readAll(`${ok}\r\n`)).toMatchObject({ body: '', end: 'done close;' })
  })

  test('after interim answers, with bare line feeds, folded and repeated fields', () => {
    const seen = readAll(
      'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100 Continue\n\nHTTP/1.0 200\nA: 1\n  2\nB: x\nb: y\nContent-Length: 2\n\nok',
    )
    expect(seen).toMatchObject({ body: 'ok', end: 'done close;' })
    expect(seen.heads).toMatchObject([{ headers: { a: '1 2', b: ['x', 'y'] } }])
  })

  test('names of every kind, values in UTF-8', () => {
    const location = Buffer.from('/caf\u00e9', 'utf8').toString('latin1')
    const seen = readAll(
      `${ok}__proto__: 1\r\nconstructor: 2\r\nLocation: ${location}\r\nContent-Disposition: a\u00e9\r\nContent-Length: 0\r\n\r\n`,
    )
    const headers = seen.heads[0]?.headers ?? {}
    expect(Object.entries(headers)).toEqual([
      ['_proto_', '1'],
      ['constructor', '2'],
      ['location', '/caf\u00e9'],
      ['content-disposition', 'a\u00e9'],
      ['content-length', '0'],
    ])
  })

  test('says whether the connection goes on', () => {
    const end = (fields: string, version = '1.1'): string =>
      readAll(`HTTP/${version} 200 OK\r\n${fields}Content-Length: 1\r\n\r\nx`).end
    expect(end('')).toBe('done keep;')
    expect(end('Connection: Close\r\n')).toBe('done close;')
    expect(end('', '1.0')).toBe('done close;')
    expect(end('Connection: keep-alive\r\n', '1.0')).toBe('done keep;')
    expect(end('Connection: keep-alive\r\nConnection: close\r\n')).toBe('done close;')
    expect(end('Connection: keep-alive\r\nConnection: x\r\n', '1.0')).toBe('done keep;')
    const timed = readAll(`${ok}Keep-Alive: timeout=5, max=100\r\nContent-Length: 0\r\n\r\n`)
    expect(timed.heads[0]?.keepAliveMs).toBe(5000)
  })

  test('with any field twice is read or refused, and nothing is thrown', () => {
    const fields = [
      'Connection',
      'Keep-Alive',
      'Content-Length',
      'Transfer-Encoding',
      'Trailer',
      'Upgrade',
      'X',
    ]
    for (const name of fields) {
      for (const value of ['', 'close', 'chunked', '1', 'timeout=5']) {
        const { end } = readAll(`${ok}${name}: ${value}\r\n${name}: ${value}\r\n\r\n1\r\nx\r\n0\r\n\r\n`)
        expect(end, `${name}: ${value}`).toMatch(/^(?:done|protocol)/)
      }
    }
  })

  test('that whoever hears of it cannot use is a fault of that one', () => {
    let fault = ''
    const reader = new ResponseReader(
      {
        head: () => {
          throw new TypeError('not a function')
        },
        data: () => {},
        done: () => {},
        fault: (given) => void (fault = given.message),
      },
      1024,
    )
    reader.begin('GET')
    const bytes = Buffer.from(`${ok}Content-Length: 0\r\n\r\n`)
    reader.read(bytes, 0, bytes.length)
    expect(fault).toContain('not a function')
    expect(reader.isExpecting).toBe(false)
  })

  test('bytes beyond it are not read and end the connection', () => {
    const next = `${ok}Content-Length: 1\r\n\r\n!`
    for (const bytes of [
      `${ok}Content-Length: 5\r\n\r\nhello${next}`,
      `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n${next}`,
    ]) {
      expect(readAll(bytes)).toMatchObject({ body: 'hello', end: 'done close;' })
    }
    expect(readAll(`HTTP/1.1 204 No Content\r\n\r\n${next}`)).toMatchObject({ body: '', end: 'done close;' })
  })
})

test.each([
  ['', 'closed'],
  ['HTTP/1.1 200', 'closed'],
  ['HTTP/2 200 OK\r\n\r\n', 'protocol'],
  ['<html>', 'protocol'],
  ['SSH-2.0-OpenSSH\r\n', 'protocol'],
  [`${ok}Content-Length: 5\r\n\r\nhell`, 'closed'],
  [`${ok}Content-Length: -5\r\n\r\n`, 'protocol'],
  [`${ok}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`, 'protocol'],
  [`${ok}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 'protocol'],
  [`${ok}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'protocol'],
  [`${ok}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, 'protocol'],
  [`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n`, 'protocol'],
  [`${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`, 'closed'],
  [`${ok}Transfer-Encoding: chunked\r\n\r\n5${';'.repeat(5000)}`, 'protocol'],
  [`${ok}A\0: 1\r\n\r\n`, 'protocol'],
  [`${ok}A: \0\r\n\r\n`, 'protocol'],
  [`${ok}A : 1\r\n\r\n`, 'protocol'],
  [`${ok} folded: 1\r\n\r\n`, 'protocol'],
  [`${ok}no colon\r\n\r\n`, 'protocol'],
  [`${ok}A: 1\rB: 2\r\n\r\n`, 'protocol'],
  [`${ok}X: ${'x'.repeat(70_000)}`, 'headers-too-long'],
  [`${ok}X: ${'x'.repeat(70_000)}\r\n\r\n`, 'headers-too-long'],
  ['HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n', 'protocol'],
  ['HTTP/1.1 100 C\r\n\r\n'.repeat(200), 'protocol'],
])('refuses %j', (bytes, kind) => {
  expect(readAll(bytes).end).toMatch(new RegExp(`^${kind}: [^;]+;$`))
})

test('however the bytes are cut, what is read is the same', () => {
  const chunked = fc
    .array(fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', ';'), minLength: 1, maxLength: 40 }), {
      maxLength: 6,
    })
    .map((chunks) => ({
      body: chunks.join(''),
      bytes: `Transfer-Encoding: chunked\r\n\r\n${chunks.map((each) => `${each.length.toString(16)}\r\n${each}\r\n`).join('')}0\r\n\r\n`,
    }))
  const counted = fc
    .string({ unit: fc.constantFrom('a', '\r', '\n', '0'), maxLength: 200 })
    .map((body) => ({ body, bytes: `Content-Length: ${body.length}\r\n\r\n${body}` }))
  const until = fc
    .string({ unit: fc.constantFrom('a', '\r', '\n'), maxLength: 100 })
    .map((body) => ({ body, bytes: `X: y\r\n\r\n${body}` }))
  fc.assert(
    fc.property(
      fc.oneof(chunked, counted, until),
      fc.constantFrom('', 'HTTP/1.1 100 Continue\r\n\r\n'),
      fc.array(fc.nat(400), { maxLength: 12 }),
      ({ body, bytes }, before, cuts) => {
        const all = `${before}${ok}Server: s\r\n${bytes}`
        const whole = readAll(all)
        expect(whole.body).toBe(body)
        expect(whole.end).toMatch(/^done/)
        expect(readAll(all, { cuts })).toEqual(whole)
        // Cut off anywhere before the end, a response that tells its end is never whole.
        if (!bytes.startsWith('X: y')) {
          const short = readAll(all.slice(0, Math.max(0, all.length - 1 - (cuts[0] ?? 0))))
          expect(short.end).not.toMatch(/done/)
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('any bytes end in an answer or a fault, never in an exception', () => {
  const piece = fc.constantFrom(
    'HTTP/1.1 200 OK',
    '\r\n',
    '\n',
    ':',
    ' ',
    'Content-Length',
    '5',
    'chunked',
    '\0',
    'é',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      expect(readAll(pieces.join('')).end).toMatch(/^(done|protocol|closed|headers-too-long)/)
    }),
    { numRuns: 1000 },
  )
})

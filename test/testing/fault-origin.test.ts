import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'

let origin: FaultOrigin
beforeEach(async () => {
  origin = await createFaultOrigin()
})
afterEach(() => origin.close())

interface Got {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly bytes: Buffer
  readonly error?: string
}

/** Node's own client, so that the origin is not judged by the transport that it tests. */
function get(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    let failed = (error: NodeJS.ErrnoException): void => reject(error)
    const req = httpRequest(`${origin.url}${path}`, { headers, method, agent: false }, (res) => {
      const chunks: Buffer[] = []
      const done = (error?: string): void =>
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          bytes: Buffer.concat(chunks),
          ...(error === undefined ? {} : { error }),
        })
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('end', () => done())
      failed = (error) => done(error.code ?? error.message)
      res.on('error', failed)
    })
    req.on('error', (error) => failed(error))
    req.end()
  })
}

async function statuses(path: string, times: number): Promise<number[]> {
  const out: number[] = []
  for (let i = 0; i < times; i++) out.push((await get(path)).status)
  return out
}

function rawGet(path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(origin.port, '127.0.0.1', () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    })
    socket.on('data', (chunk) => chunks.push(chunk)).on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(chunks)))
  })
}

describe('body', () => {
  test('any part equals the same part of the whole', () => {
    const file = body('/a.bin', 300_001)
    const all = file.bytes()
    expect(all.length).toBe(300_001)
    for (const [start, end] of [
      [0, 1],
      [65_535, 65_537],
      [131_072, 300_001],
      [299_999, 400_000],
      [400_000, 500_000],
    ] as const) {
      expect(file.read(start, end).equals(all.subarray(start, end))).toBe(true)
    }
  })

  test('depends on the seed and on the place', () => {
    const all = body('/a.bin', 200_000).bytes()
    expect(all.equals(body('/b.bin', 200_000).bytes())).toBe(false)
    expect(all.subarray(0, 1000).equals(all.subarray(65_536, 66_536))).toBe(false)
    expect(body('/a.bin', 200_000).digest()).toBe(body('/a.bin', 200_000).digest())
  })
})

describe('a good file', () => {
  const file = body('/f', 100_000)

  test('whole, range, suffix, HEAD, 304, 416', async () => {
    origin.route('/f', respond.withRange(file))
    const whole = await get('/f')
    expect(whole.status).toBe(200)
    expect(whole.bytes.equals(file.bytes())).toBe(true)
    const part = await get('/f', { Range: 'bytes=10-19' })
    expect(part.status).toBe(206)
    expect(part.headers['content-range']).toBe('bytes 10-19/100000')
    expect(part.bytes.equals(file.read(10, 20))).toBe(true)
    expect((await get('/f', { Range: 'bytes=-5' })).bytes.equals(file.read(99_995, 100_000))).toBe(true)
    const head = await get('/f', {}, 'HEAD')
    expect([head.bytes.length, head.headers['content-length']]).toEqual([0, '100000'])
    expect((await get('/f', { 'If-None-Match': String(whole.headers['etag']) })).status).toBe(304)
    const beyond = await get('/f', { Range: 'bytes=100000-' })
    expect([beyond.status, beyond.headers['content-range']]).toEqual([416, 'bytes */100000'])
  })

  test('If-Range of another version gives the whole', async () => {
    origin.route('/f', respond.withRange(file, { etag: '"two"' }))
    expect((await get('/f', { Range: 'bytes=0-9', 'If-Range': '"one"' })).status).toBe(200)
    expect((await get('/f', { Range: 'bytes=0-9', 'If-Range': '"two"' })).status).toBe(206)
  })

  test('the log tells what was asked', async () => {
    origin.route('/f', respond.withRange(file))
    await get('/f?x=1', { Range: 'bytes=1-2', 'X-Thing': 'y' })
    await get('/missing')
    expect(origin.requests.map((r) => [r.method, r.path, r.range])).toEqual([
      ['GET', '/f?x=1', 'bytes=1-2'],
      ['GET', '/missing', undefined],
    ])
    expect(origin.requests[0]?.headers['x-thing']).toBe('y')
  })
})

describe('faults', () => {
  const file = body('/f', 50_000)
  const good = respond.withRange(file)

  test.each([
    ['fin', 'ECONNRESET'],
    ['rst', 'ECONNRESET'],
  ] as const)('a body cut by %s', async (how, error) => {
    origin.route('/f', withFaults(good, faults.cutAfter(1234, how)))
    const got = await get('/f')
    expect([got.bytes.length, got.error]).toEqual([1234, error])
  })

  test('chunked, close-delimited and contradictory framing', async () => {
    origin.route('/chunked', withFaults(good, faults.framing('chunked')))
    origin.route('/close', withFaults(good, faults.framing('close')))
    origin.route('/both', withFaults(good, faults.framing('both')))
    for (const path of ['/chunked', '/close']) {
      const got = await get(path)
      expect(got.headers['content-length']).toBeUndefined()
      expect(got.bytes.equals(file.bytes())).toBe(true)
    }
    const raw = (await rawGet('/both')).toString('latin1')
    expect(raw).toMatch(/Content-Length: 50000\r\nTransfer-Encoding: chunked/)
  })

  test('a chunk that is none', async () => {
    origin.route('/f', withFaults(good, faults.badChunk(10)))
    await expect(get('/f')).resolves.toMatchObject({ error: 'HPE_INVALID_CHUNK_SIZE' })
  })

  test('surplus bytes and wrong lengths', async () => {
    origin.route('/long', withFaults(good, faults.longBy(7), faults.closeAfter()))
    expect((await rawGet('/long')).toString('latin1').endsWith('xxxxxxx')).toBe(true)
    origin.route('/wrong', withFaults(good, faults.wrongLength(5)))
    await expect(get('/wrong')).resolves.toMatchObject({ error: 'ECONNRESET' })
  })

  test('ranges that lie', async () => {
    const range = { Range: 'bytes=100-199' }
    const table = {
      '/start': [faults.wrongStart(3), 'bytes 103-202/50000'],
      '/total': [faults.wrongTotal(9), 'bytes 100-199/9'],
      '/star': [faults.unknownTotal(), 'bytes 100-199/*'],
      '/none': [faults.noContentRange(), undefined],
      '/short': [faults.shorterRange(10), 'bytes 100-109/50000'],
    } as const
    for (const [path, [fault, expected]] of Object.entries(table)) {
      origin.route(path, withFaults(good, fault))
      const got = await get(path, range)
      expect([path, got.status, got.headers['content-range']]).toEqual([path, 206, expected])
      expect(got.bytes.equals(file.read(100, path === '/short' ? 110 : 200))).toBe(true)
    }
    origin.route('/ignored', withFaults(good, faults.ignoreRange))
    expect((await get('/ignored', range)).status).toBe(200)
    origin.route('/multi', respond.multipartRanges(file))
    expect((await get('/multi', range)).headers['content-type']).toMatch(/^multipart\/byteranges/)
  })

  test('gzip although identity was asked for', async () => {
    origin.route('/f', withFaults(good, faults.gzip()))
    const got = await get('/f')
    expect(got.headers['content-encoding']).toBe('gzip')
    expect(gunzipSync(got.bytes).equals(file.bytes())).toBe(true)
  })

  test('sequences: in turn, toggling, first times, expiry, single use', async () => {
    const ok = respond.status(200)
    origin.route('/turn', faults.inTurn(respond.status(500), respond.status(503), ok))
    expect(await statuses('/turn', 4)).toEqual([500, 503, 200, 200])
    origin.route('/toggle', faults.toggling(ok, respond.status(404)))
    expect(await statuses('/toggle', 3)).toEqual([200, 404, 200])
    origin.route('/first', withFaults(ok, faults.firstTimes(2, faults.instead(respond.throttle('1')))))
    expect(await statuses('/first', 3)).toEqual([429, 429, 200])
    origin.route('/expiring', withFaults(ok, faults.expiring({ afterRequests: 1, status: 410 })))
    expect(await statuses('/expiring', 2)).toEqual([200, 410])
    origin.route('/once', withFaults(ok, faults.singleUse()))
    expect(await statuses('/once?ticket=a', 2)).toEqual([200, 410])
    expect(await statuses('/once?ticket=b', 1)).toEqual([200])
  })

  test('too many at one time are refused', async () => {
    origin.route('/f', withFaults(good, faults.latency(300), faults.limitActive(2, 503)))
    const got = await Promise.all([get('/f'), get('/f'), get('/f'), get('/f')])
    expect(got.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 200, 503, 503])
    expect((await get('/f')).status).toBe(200)
    expect(origin.maxActive).toBeGreaterThan(2)
  })

  test('garbage, header bombs, hang-ups and a refused port', async () => {
    origin.route('/garbage', respond.garbage())
    origin.route('/bomb', respond.headerBomb(200_000))
    origin.route('/hang', respond.hangUp('rst'))
    await expect(get('/garbage')).rejects.toMatchObject({ code: 'HPE_INVALID_CONSTANT' })
    await expect(get('/bomb')).rejects.toMatchObject({ code: 'HPE_HEADER_OVERFLOW' })
    await expect(get('/hang')).rejects.toMatchObject({ code: 'ECONNRESET' })
    await origin.refuse()
    await expect(get('/garbage')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await origin.accept()
    expect((await get('/missing')).status).toBe(404)
  })

  test('another version from the nth request on, weak and rotating tags', async () => {
    const second = respond.withRange(body('/f2', 60_000), { etag: '"second"', lastModified: new Date(0) })
    origin.route('/changes', faults.inTurn(good, second))
    expect((await get('/changes')).bytes).toHaveLength(50_000)
    expect(await get('/changes')).toMatchObject({ headers: { etag: '"second"', 'content-length': '60000' } })
    origin.route('/rotates', respond.withRange(file, { etag: (request) => `W/"${request.count}"` }))
    expect((await get('/rotates')).headers['etag']).toBe('W/"1"')
    expect((await get('/rotates')).headers['etag']).toBe('W/"2"')
    origin.route('/bare', respond.withRange(file, { etag: null, lastModified: null }))
    expect((await get('/bare')).headers).not.toHaveProperty('etag')
  })

  test('If-Range refused, or not looked at', async () => {
    const ask = { Range: 'bytes=0-9', 'If-Range': '"no"' }
    origin.route('/refuses', withFaults(good, faults.refuseIfRange))
    expect((await get('/refuses', { ...ask, 'If-Range': `"${(50_000).toString(16)}"` })).status).toBe(200)
    expect((await get('/refuses', { Range: 'bytes=0-9' })).status).toBe(206)
    origin.route('/blind', withFaults(good, faults.blindIfRange))
    expect((await get('/blind', ask)).status).toBe(206)
  })

  test.each([
    ['a response', {}, faults.rate(1000)],
    ['a connection', { connectionRateBps: 1000 }, undefined],
    ['the whole origin', { totalRateBps: 1000 }, undefined],
  ] as const)('a rate holds over %s', async (_over, options, fault) => {
    await origin.close()
    origin = await createFaultOrigin(options)
    origin.route('/f', fault === undefined ? good : withFaults(good, fault))
    let done = 0
    for (let i = 0; i < 2; i++) void Promise.allSettled([get('/f')]).then(() => done++)
    await vi.waitFor(() => expect(origin.sentBytes).toBeGreaterThan(100))
    // All of it would take most of a minute.
    expect([done, origin.sentBytes < 50_000]).toEqual([0, true])
  })

  test('so many connections, and no more', async () => {
    await origin.close()
    origin = await createFaultOrigin({ refuseAfterConnections: 2 })
    origin.route('/f', good)
    expect((await get('/f')).status).toBe(200)
    expect((await get('/f')).status).toBe(200)
    await expect(get('/f')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('a server that collapses answers the fewer the more are asked at one time', async () => {
    // One alone waits 1 ms, the second 1 s, the third a minute, the fourth a quarter of an hour. How many meet depends on
    // the machine; that all eight are answered soon would mean that none waited for the others.
    origin.route('/f', withFaults(good, faults.collapsing({ above: 1, serviceMs: 1, power: 10 })))
    let done = 0
    await get('/f')
    for (let i = 0; i < 8; i++) void Promise.allSettled([get('/f')]).then(() => done++)
    await vi.waitFor(() => expect(origin.maxActive).toBeGreaterThan(2), 10_000)
    await vi.waitFor(() => expect(done).toBeGreaterThan(0), 10_000)
    expect(done).toBeLessThan(8)
  })

  test('only so many requests in a span of time', async () => {
    origin.route('/f', withFaults(good, faults.limitRequestRate(2, 60_000)))
    expect([await statuses('/f', 3), (await get('/f')).headers['retry-after']]).toEqual([
      [200, 200, 429],
      '1',
    ])
  })
})

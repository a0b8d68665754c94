import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { isTrawlError } from '../../src/core/index.ts'
import type { Transport, TransportRequest, TransportResponse } from '../../src/http/index.ts'
import { body, faults, respond, withFaults, type FaultOrigin } from '../../src/testing/index.ts'

/** A transport and an origin that it reaches. */
export interface TransportUnderTest {
  readonly transport: Transport
  readonly origin: FaultOrigin
  /** The origin as the transport reaches it, without a slash at the end. */
  readonly baseUrl: string
  /** Closes the surroundings; the transport is destroyed by the contract. */
  close(): Promise<void>
}

/** What differs between transports that all fulfil the contract. */
export interface TransportTraits {
  /** False where something between re-frames the bodies (HTTP/2), so that faults of HTTP/1.1 framing do not pass. */
  readonly seesFraming: boolean
}

async function read(response: TransportResponse): Promise<Buffer> {
  const chunks: Buffer[] = []
  expect(await response.body.drain((chunk) => void chunks.push(chunk))).toBe('end')
  return Buffer.concat(chunks)
}

async function code(failing: Promise<unknown>): Promise<string> {
  return failing.then(
    () => 'nothing failed',
    (error: unknown) => (isTrawlError(error) ? error.code : inspect(error)),
  )
}

function send(transport: Transport, url: string): Promise<TransportResponse> {
  return transport.send({ method: 'GET', url, headers: {} })
}

async function failure(answer: Promise<TransportResponse>): Promise<string> {
  return code(answer.then((response) => response.body.drain(() => {})))
}

/** Everything that the engine relies on, whatever carries the bytes. */
export function describeTransportContract(
  name: string,
  start: () => Promise<TransportUnderTest>,
  traits: TransportTraits = { seesFraming: true },
): void {
  describe(`transport contract: ${name}`, () => {
    let sut: TransportUnderTest
    let transport: Transport
    let origin: FaultOrigin
    beforeEach(async () => {
      sut = await start()
      ;({ transport, origin } = sut)
    })
    afterEach(async () => {
      await transport.destroy()
      await sut.close()
    })

    const get = (path: string, more: Partial<TransportRequest> = {}): Promise<TransportResponse> =>
      transport.send({ method: 'GET', url: sut.baseUrl + path, headers: {}, ...more })

    test.each([0, 1, 12_000, 3_000_000])('a body of %i bytes', async (size) => {
      const file = body('/f', size)
      origin.route('/f', respond.withRange(file))
      const response = await get('/f')
      expect(response.status).toBe(200)
      expect(response.url).toBe(`${sut.baseUrl}/f`)
      expect(response.headers['content-length']).toBe(String(size))
      expect((await read(response)).equals(file.bytes())).toBe(true)
    })

    test('a range', async () => {
      const file = body('/f', 200_000)
      origin.route('/f', respond.withRange(file))
      const response = await get('/f', { headers: { range: 'bytes=70000-140000' } })
      expect([response.status, response.headers['content-range']]).toEqual([206, 'bytes 70000-140000/200000'])
      expect((await read(response)).equals(file.read(70_000, 140_001))).toBe(true)
    })

    test('a chunked body and one that ends with the connection', async () => {
      const file = body('/f', 300_000)
      origin.route('/chunked', withFaults(respond.whole(file), faults.framing('chunked')))
      origin.route('/close', withFaults(respond.whole(file), faults.framing('close')))
      for (const path of ['/chunked', '/close']) {
        const response = await get(path)
        expect(response.headers['content-length']).toBeUndefined()
        expect((await read(response)).equals(file.bytes())).toBe(true)
      }
    })

    test('statuses are values', async () => {
      for (const status of [204, 301, 304, 404, 416, 429, 503]) {
        origin.route(`/${status}`, respond.status(status))
        const response = await get(`/${status}`)
        expect(response.status).toBe(status)
        response.body.cancel()
      }
    })

    test('HEAD has headers and no body', async () => {
      origin.route('/f', respond.withRange(body('/f', 5000)))
      const response = await get('/f', { method: 'HEAD' })
      expect(response.headers['content-length']).toBe('5000')
      expect((await read(response)).length).toBe(0)
    })

    test('request headers and bodies arrive; identity is asked for unless the request says otherwise', async () => {
      origin.route('/p', respond.status(200))
      await read(await get('/p', { method: 'POST', body: 'héllo', headers: { 'x-one': 'two' } }))
      await read(await get('/p', { headers: { 'accept-encoding': 'gzip' } }))
      const [post, second] = origin.requests
      expect([post?.method, post?.headers['x-one'], post?.headers['content-length']]).toEqual([
        'POST',
        'two',
        '6',
      ])
      expect(post?.headers['accept-encoding']).toBe('identity')
      expect(second?.headers['accept-encoding']).toBe('gzip')
    })

    test('paths and queries arrive as the URL standard writes them; fragments do not', async () => {
      origin.route('*', respond.status(200))
      for (const path of ['/a%20b?x=1&y=%2F', '/ä ö?q=ü#frag', '/x/../y/./z', "/it's?a='b'"]) {
        await read(await get(path))
      }
      expect(origin.requests.map((request) => request.path)).toEqual([
        '/a%20b?x=1&y=%2F',
        '/%C3%A4%20%C3%B6?q=%C3%BC',
        '/y/z',
        "/it's?a=%27b%27",
      ])
    })

    test('repeated response headers come as a list', async () => {
      origin.route('/f', () => ({ status: 200, headers: { 'Set-Cookie': ['a=1', 'b=2'] } }))
      const response = await get('/f')
      expect(response.headers['set-cookie']).toEqual(['a=1', 'b=2'])
      response.body.cancel()
    })

    test('many at one time do not mix', async () => {
      origin.route('/*', (request) => respond.withRange(body(request.path, 40_000))(request))
      const all = await Promise.all(
        Array.from({ length: 60 }, async (_, i) => {
          const got = await read(await get(`/${i}`))
          return got.equals(body(`/${i}`, 40_000).bytes())
        }),
      )
      expect(all.every(Boolean)).toBe(true)
    })

    test('a body may wait for its consumer, and holds the server up meanwhile', async () => {
      const file = body('/f', 64 * 1024 * 1024)
      origin.route('/f', respond.withRange(file))
      const response = await get('/f')
      await sleep(300)
      const sentBytes = origin.sentBytes
      expect(sentBytes).toBeLessThan(32 * 1024 * 1024)
      let gotBytes = 0
      await response.body.drain((chunk) => void (gotBytes += chunk.length))
      expect(gotBytes).toBe(file.sizeBytes)
    })

    test('a promise of the consumer pauses the body, chunks stay in order', async () => {
      const file = body('/f', 1_000_000)
      origin.route('/f', respond.withRange(file))
      const chunks: Buffer[] = []
      let active = 0
      const response = await get('/f')
      const how = await response.body.drain(async (chunk) => {
        expect(++active).toBe(1)
        if (chunks.length % 3 === 0) await sleep(1)
        chunks.push(chunk)
        active--
      })
      expect(how).toBe('end')
      expect(Buffer.concat(chunks).equals(file.bytes())).toBe(true)
    })

    test('a consumer that says false stops the body', async () => {
      origin.route('/f', respond.withRange(body('/f', 64 * 1024 * 1024)))
      for (const late of [false, true]) {
        const response = await get('/f')
        let calls = 0
        const how = await response.body.drain((): false | Promise<false> => {
          calls++
          return late ? sleep(1).then((): false => false) : false
        })
        expect([how, calls]).toEqual(['stopped', 1])
      }
      origin.route('/small', respond.status(200))
      expect((await get('/small')).status).toBe(200)
    })

    test('what the consumer throws comes out of drain', async () => {
      origin.route('/f', respond.withRange(body('/f', 1_000_000)))
      const boom = new Error('boom')
      const thrower = (): never => {
        throw boom
      }
      await expect((await get('/f')).body.drain(thrower)).rejects.toBe(boom)
      await expect((await get('/f')).body.drain(async () => thrower())).rejects.toBe(boom)
    })

    test('a body is drained once', async () => {
      origin.route('/f', respond.status(200))
      const response = await get('/f')
      await read(response)
      await expect(code(response.body.drain(() => {}))).resolves.toBe('ERR_INTERNAL')
    })

    test('the signal breaks off before, during the wait for headers and in the body', async () => {
      const gone = new AbortController()
      gone.abort()
      const request: TransportRequest = { method: 'GET', url: `${sut.baseUrl}/f`, headers: {} }
      expect(await code(transport.send(request, { signal: gone.signal }))).toBe('ERR_CANCELLED')
      expect(origin.requests).toHaveLength(0)

      origin.route('/f', withFaults(respond.status(200), faults.latency(60_000)))
      const waiting = new AbortController()
      const answer = transport.send(request, { signal: waiting.signal })
      setTimeout(() => waiting.abort(), 50)
      expect(await code(answer)).toBe('ERR_CANCELLED')

      origin.route('/f', withFaults(respond.withRange(body('/f', 1_000_000)), faults.stallAfter(500_000)))
      const reading = new AbortController()
      const response = await transport.send(request, { signal: reading.signal })
      setTimeout(() => reading.abort(), 50)
      expect(await code(response.body.drain(() => {}))).toBe('ERR_CANCELLED')
    })

    test('one signal for many: all are broken off', async () => {
      origin.route('/f', withFaults(respond.status(200), faults.latency(60_000)))
      const stop = new AbortController()
      const request: TransportRequest = { method: 'GET', url: `${sut.baseUrl}/f`, headers: {} }
      const all = Array.from({ length: 10 }, () => code(transport.send(request, { signal: stop.signal })))
      setTimeout(() => stop.abort(), 50)
      expect(new Set(await Promise.all(all))).toEqual(new Set(['ERR_CANCELLED']))
    })

    test('a body that is cut is never whole, and what came before is handed out', async () => {
      const file = body('/f', 500_000)
      for (const how of ['fin', 'rst'] as const) {
        origin.route(`/${how}`, withFaults(respond.withRange(file), faults.cutAfter(123_456, how)))
        const response = await get(`/${how}`)
        let gotBytes = 0
        const failure = await code(response.body.drain((chunk) => void (gotBytes += chunk.length)))
        expect(failure).toMatch(/^ERR_(?:LENGTH_MISMATCH|NET_RESET)$/)
        // A reset may overtake bytes that were sent before it.
        expect(gotBytes).toBeLessThanOrEqual(123_456)
        if (how === 'fin' && traits.seesFraming) expect(gotBytes).toBe(123_456)
      }
    })

    test('a body that is cut while its consumer is busy', async () => {
      const file = body('/f', 200_000)
      origin.route('/f', withFaults(respond.withRange(file), faults.shortBy(1)))
      let gotBytes = 0
      const response = await get('/f')
      const drained = response.body.drain(async (chunk) => {
        gotBytes += chunk.length
        await sleep(50)
      })
      expect(await code(drained)).toMatch(/^ERR_(?:LENGTH_MISMATCH|NET_RESET)$/)
      // HTTP/2 breaks a stream with a reset, which may overtake its last bytes.
      if (traits.seesFraming) expect(gotBytes).toBe(199_999)
      else expect(gotBytes).toBeLessThan(200_000)
    })

    test('a connection that closes without an answer', async () => {
      origin.route('/rst', respond.hangUp('rst'))
      origin.route('/fin', respond.hangUp('fin'))
      expect(await code(get('/rst'))).toBe('ERR_NET_RESET')
      expect(await code(get('/fin'))).toBe('ERR_NET_RESET')
    })

    test('no answer in time, and no more bytes in time', async () => {
      origin.route('/late', withFaults(respond.status(200), faults.latency(60_000)))
      expect(await code(get('/late', { timeoutMs: 200 }))).toBe('ERR_NET_TIMEOUT')
      origin.route('/stall', withFaults(respond.withRange(body('/f', 100_000)), faults.stallAfter(50_000)))
      const response = await get('/stall', { timeoutMs: 200 })
      expect(await code(response.body.drain(() => {}))).toBe('ERR_NET_STALLED')
    })

    test('a slow consumer is not a stalled server', async () => {
      const file = body('/f', 2_000_000)
      origin.route('/f', respond.withRange(file))
      const response = await get('/f', { timeoutMs: 300 })
      let gotBytes = 0
      await response.body.drain(async (chunk) => {
        if (gotBytes === 0) await sleep(700)
        gotBytes += chunk.length
      })
      expect(gotBytes).toBe(file.sizeBytes)
    })

    test('cancel of a short body leaves the transport usable, and of a long one too', async () => {
      origin.route('/short', respond.status(404))
      origin.route('/long', respond.withRange(body('/long', 100_000_000)))
      for (let i = 0; i < 3; i++) {
        const short = await get('/short')
        short.body.cancel()
        short.body.cancel()
        ;(await get('/long')).body.cancel()
      }
      await sleep(50)
      expect(origin.sentBytes).toBeLessThan(100_000_000)
      expect((await read(await get('/short'))).toString()).toBe('404\n')
    })

    test('cancel of a long body whose length is not known stops it too', async () => {
      const long = respond.whole(body('/long', 100_000_000))
      origin.route('/long', withFaults(long, faults.framing('chunked')))
      ;(await get('/long')).body.cancel()
      origin.route('/short', withFaults(respond.status(404), faults.framing('chunked')))
      ;(await get('/short')).body.cancel()
      expect((await read(await get('/short'))).toString()).toBe('404\n')
      await vi.waitFor(() => expect(origin.openConnections).toBeLessThan(3), 5000)
      expect(origin.sentBytes).toBeLessThan(50_000_000)
    })

    test('URLs that are none', async () => {
      expect(await code(send(transport, 'not a url'))).toBe('ERR_URL_INVALID')
      expect(await code(send(transport, '//example.org/x'))).toBe('ERR_URL_INVALID')
      expect(await code(send(transport, 'ftp://127.0.0.1/x'))).toBe('ERR_URL_SCHEME')
      expect(await code(send(transport, 'file:///etc/passwd'))).toBe('ERR_URL_SCHEME')
    })

    test('close waits for what is on the way; later requests are refused', async () => {
      const file = body('/f', 100_000)
      origin.route('/f', withFaults(respond.withRange(file), faults.latency(100)))
      const going = get('/f').then(read)
      const closed = transport.close()
      expect((await going).equals(file.bytes())).toBe(true)
      await closed
      expect(await code(get('/f'))).toBe('ERR_CANCELLED')
    })

    test('destroy breaks bodies off', async () => {
      origin.route('/f', withFaults(respond.withRange(body('/f', 100_000)), faults.stallAfter(50_000)))
      const response = await get('/f')
      const drained = code(response.body.drain(() => {}))
      await transport.destroy()
      expect(await drained).toBe('ERR_CANCELLED')
      expect(await code(get('/f'))).toBe('ERR_CANCELLED')
    })

    if (!traits.seesFraming) return

    describe('framing of HTTP/1.1', () => {
      const good = respond.whole(body('/f', 50_000))

      test('length and chunks at once, bad chunks, garbage, header bombs', async () => {
        origin.route('/both', withFaults(good, faults.framing('both')))
        origin.route('/chunk', withFaults(good, faults.badChunk(10_000)))
        origin.route('/garbage', respond.garbage())
        origin.route('/bomb', respond.headerBomb(200_000))
        origin.route('/two', () => ({ status: 200, headers: { 'Content-Length': ['5', '6'] } }))
        for (const path of ['/both', '/chunk', '/garbage', '/bomb', '/two']) {
          expect([path, await failure(get(path))]).toEqual([path, 'ERR_HTTP_PROTOCOL'])
        }
      })

      test('chunks that end too early', async () => {
        for (const how of ['fin', 'rst'] as const) {
          origin.route('/f', withFaults(good, faults.framing('chunked'), faults.cutAfter(10_000, how)))
          expect(await failure(get('/f'))).toBe('ERR_NET_RESET')
        }
      })

      test('headers of 60 KiB pass', async () => {
        origin.route('/f', withFaults(good, faults.headers({ 'X-Long': 'a'.repeat(60 * 1024) })))
        expect((await get('/f')).headers['x-long']).toHaveLength(60 * 1024)
      })

      test('a length that is too small or too large', async () => {
        origin.route('/large', withFaults(good, faults.wrongLength(7)))
        expect(await failure(get('/large'))).toBe('ERR_LENGTH_MISMATCH')
        origin.route('/small', withFaults(good, faults.wrongLength(-7)))
        expect((await read(await get('/small'))).length).toBe(49_993)
        expect(await failure(get('/small'))).toBe('nothing failed')
      })

      test('the error of a short body says how much came', async () => {
        origin.route('/f', withFaults(good, faults.shortBy(1000)))
        const response = await get('/f')
        await expect(response.body.drain(() => {})).rejects.toMatchObject({
          code: 'ERR_LENGTH_MISMATCH',
          context: { receivedBytes: 49_000, expectedBytes: 50_000 },
        })
      })

      test('bytes after the end do not reach the next response', async () => {
        origin.route('/f', withFaults(good, faults.longBy(100)))
        for (let i = 0; i < 5; i++) expect((await read(await get('/f'))).length).toBe(50_000)
      })
    })
  })
}

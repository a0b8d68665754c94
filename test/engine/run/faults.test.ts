import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ErrorCode, Outcome } from '../../../src/core/index.ts'
import {
  body,
  bodyFrom,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { EngineCase, outcomeOf, task, tasks, type EngineCaseOptions } from '../engine-case.ts'

let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())

const small = body('small', 20_000)
const large = body('large', 3_000_007)
/** The paths below `dir` but those of `.trawl`. */
const names = (dir: string): string[] => readdirSync(dir).filter((name) => name !== '.trawl')
const parts = (dir: string): string[] => readdirSync(join(dir, '.trawl/parts'))

/** Half of the small file with 206, whatever was asked for. */
function part(contentRange: string | undefined): Behaviour {
  const headers = contentRange === undefined ? {} : { 'Content-Range': contentRange }
  return () => ({ status: 206, headers, body: bodyFrom(small.bytes().subarray(0, 10_000)) })
}

/** Fetches `/f.bin` served in some way. */
async function fetchOne(
  behaviour: Behaviour,
  options: EngineCaseOptions = {},
  extra: Parameters<typeof task>[1] = {},
): Promise<{ outcome: Outcome; bytes: Buffer | undefined; requests: number; retries: number }> {
  origin.reset()
  origin.route('/f.bin', behaviour)
  await using sut = new EngineCase(options)
  const end = await sut.run([task(`${origin.url}/f.bin`, extra)])
  const outcome = outcomeOf(end, '/f.bin')
  const there = names(sut.dir)
  // Under a final name stands the whole file or nothing.
  expect(there).toEqual(outcome.status === 'ok' ? [outcome.path] : [])
  if (outcome.status === 'ok') expect(parts(sut.dir)).toEqual([])
  const bytes = outcome.status === 'ok' ? readFileSync(join(sut.dir, outcome.path ?? '')) : undefined
  return { outcome, bytes, requests: origin.requests.length, retries: end.stats.retries }
}

describe('files as they are', () => {
  test.each([0, 1, 12_000, 1024 * 1024 - 1, 1024 * 1024, 1024 * 1024 + 1, 5_000_000])(
    '%i bytes',
    async (size) => {
      const file = body('f', size)
      const { outcome, bytes, retries } = await fetchOne(respond.withRange(file))
      expect(outcome).toMatchObject({
        status: 'ok',
        path: 'f.bin',
        sizeBytes: size,
        fetchedBytes: size,
        attempts: 1,
      })
      expect(bytes?.equals(file.bytes())).toBe(true)
      expect(retries).toBe(0)
    },
  )

  test.each(['chunked', 'close'] as const)('no length, body ends by %s', async (framing) => {
    const { outcome, bytes } = await fetchOne(withFaults(respond.whole(small), faults.framing(framing)))
    expect(outcome).toMatchObject({ status: 'ok', unverifiedLength: true, sizeBytes: 20_000 })
    expect(bytes?.equals(small.bytes())).toBe(true)
  })

  test('a length that was announced beforehand is checked where the server gives none', async () => {
    const served = withFaults(respond.whole(small), faults.framing('chunked'))
    expect((await fetchOne(served, {}, { expectedSizeBytes: 20_000 })).outcome.status).toBe('ok')
    const { outcome } = await fetchOne(served, {}, { expectedSizeBytes: 19_999 })
    expect(outcome.error?.code).toBe('ERR_LENGTH_MISMATCH')
  })

  test('redirects; the outcome tells where the bytes came from', async () => {
    origin.route('/there/real.bin', respond.withRange(small))
    const { outcome, bytes } = await fetchOne(respond.redirect('/there/real.bin'))
    expect(outcome).toMatchObject({ status: 'ok', url: `${origin.url}/there/real.bin` })
    expect(bytes?.equals(small.bytes())).toBe(true)
    const loop = await fetchOne(respond.redirect('/f.bin'))
    expect(loop.outcome).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { code: 'ERR_HTTP_REDIRECT' },
    })
  })

  test('a digest is checked, and told', async () => {
    for (const file of [small, large]) {
      const digest = { algorithm: 'sha-256', value: file.digest() } as const
      const good = await fetchOne(respond.withRange(file), {}, { digests: [digest] })
      expect(good.outcome).toMatchObject({ status: 'ok', digest })
      const flipped = withFaults(respond.withRange(file), faults.flipBit(10_000))
      const bad = await fetchOne(flipped, {}, { digests: [digest] })
      expect(bad.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_DIGEST_MISMATCH' } })
      const mended = await fetchOne(
        withFaults(respond.withRange(file), faults.firstTimes(1, faults.flipBit(10_000))),
        {},
        { digests: [digest] },
      )
      expect(mended.outcome.status).toBe('ok')
      expect(mended.bytes?.equals(file.bytes())).toBe(true)
    }
  })
})

describe('a coding that nobody asked for', () => {
  test.each([
    ['gzip', gzipSync],
    ['x-gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s is taken away', async (coding, encode) => {
    for (const file of [body('s', 0), small, large]) {
      const encoded = respond.withRange(bodyFrom(encode(file.bytes())), {
        headers: { 'Content-Encoding': coding, 'Repr-Digest': `sha-256=:${'A'.repeat(43)}=:` },
      })
      const { outcome, bytes } = await fetchOne(encoded)
      expect(outcome).toMatchObject({ status: 'ok', sizeBytes: file.sizeBytes, attempts: 1 })
      expect(bytes?.equals(file.bytes())).toBe(true)
    }
    const nothing = await fetchOne(
      respond.whole(bodyFrom(Buffer.alloc(0)), { headers: { 'Content-Encoding': coding } }),
    )
    expect(nothing.outcome).toMatchObject({ status: 'ok', sizeBytes: 0 })
  })

  test('of a file that is compressed by its own name or type, the bytes stay', async () => {
    const tarball = bodyFrom(gzipSync(large.bytes()))
    for (const [path, headers] of [
      ['/f.tar.gz', {}],
      ['/f.tgz?v=1', {}],
      ['/f', { 'Content-Type': 'application/x-gzip' }],
      ['/f', { 'Content-Disposition': 'attachment; filename="f.svgz"' }],
    ] as const) {
      origin.reset()
      origin.route(
        '/*',
        respond.withRange(tarball, { headers: { 'Content-Encoding': 'x-gzip', ...headers } }),
      )
      await using sut = new EngineCase()
      const end = await sut.run(tasks(origin.url, [path]))
      expect(end.outcomes).toMatchObject([{ status: 'ok', sizeBytes: tarball.sizeBytes }])
      const [name = ''] = names(sut.dir)
      expect(readFileSync(join(sut.dir, name)).equals(tarball.bytes())).toBe(true)
    }
  })

  test('a body that is not sound is tried again, and never passes for the file', async () => {
    const gzipped = gzipSync(small.bytes())
    const cut = respond.whole(bodyFrom(gzipped.subarray(0, -9)), { headers: { 'Content-Encoding': 'gzip' } })
    const { outcome, requests } = await fetchOne(cut)
    expect(outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_HTTP_ENCODED' } })
    expect(requests).toBe(4)
    const broken = withFaults(respond.whole(small), faults.gzip(), faults.firstTimes(1, faults.flipBit(1000)))
    const again = await fetchOne(broken)
    expect(again.outcome).toMatchObject({ status: 'ok', attempts: 2 })
    expect(again.bytes?.equals(small.bytes())).toBe(true)
    const lost = withFaults(
      respond.whole(large),
      faults.gzip(),
      faults.firstTimes(1, faults.cutAfter(9000, 'rst')),
    )
    expect((await fetchOne(lost)).bytes?.equals(large.bytes())).toBe(true)
  })
})

describe('what passes is tried again', () => {
  const passing: [string, Behaviour][] = [
    ['a short body', withFaults(respond.whole(small), faults.firstTimes(2, faults.shortBy(100)))],
    [
      'a reset in the body',
      withFaults(respond.whole(small), faults.firstTimes(2, faults.cutAfter(7000, 'rst'))),
    ],
    ['silence in the body', withFaults(respond.whole(small), faults.firstTimes(2, faults.stallAfter(7000)))],
    ['no answer', withFaults(respond.whole(small), faults.firstTimes(2, faults.latency(60_000)))],
    [
      'a closed connection',
      faults.inTurn(respond.hangUp('fin'), respond.hangUp('rst'), respond.whole(small)),
    ],
    ['500 and 503', faults.inTurn(respond.status(500), respond.status(503), respond.whole(small))],
    ['408 and 502', faults.inTurn(respond.status(408), respond.status(502), respond.whole(small))],
    ['a wrong length', withFaults(respond.whole(small), faults.firstTimes(2, faults.wrongLength(9)))],
    ['bytes that are not HTTP', faults.inTurn(respond.garbage(), respond.garbage(), respond.whole(small))],
  ]
  test.each(passing)('%s, twice', async (_title, behaviour) => {
    const { outcome, bytes, requests, retries } = await fetchOne(behaviour, { timeoutMs: 300 })
    expect(outcome).toMatchObject({ status: 'ok', attempts: 3 })
    expect(bytes?.equals(small.bytes())).toBe(true)
    expect([requests, retries]).toEqual([3, 2])
  })

  const lasting: [string, Behaviour, ErrorCode][] = [
    ['a short body', withFaults(respond.whole(small), faults.shortBy(100)), 'ERR_LENGTH_MISMATCH'],
    ['a stall', withFaults(respond.whole(small), faults.stallAfter(7000)), 'ERR_NET_STALLED'],
    ['500', respond.status(500), 'ERR_HTTP_SERVER'],
    ['a wrong length', withFaults(respond.whole(small), faults.wrongLength(9)), 'ERR_LENGTH_MISMATCH'],
    ['garbage', respond.garbage(), 'ERR_HTTP_PROTOCOL'],
    ['a connection that is closed', respond.hangUp('rst'), 'ERR_NET_RESET'],
    ['a part, of which a cache thinks that it is all', part('bytes 0-9999/20000'), 'ERR_RANGE_INVALID'],
    ['a part from the middle', part('bytes 5000-14999/20000'), 'ERR_RANGE_INVALID'],
    ['a part of nobody knows how much', part('bytes 0-9999/*'), 'ERR_RANGE_INVALID'],
    ['a part that does not say which', part(undefined), 'ERR_RANGE_INVALID'],
  ]
  test.each(lasting)('%s for ever: so many times and no more', async (_title, behaviour, code) => {
    const { outcome, requests, retries } = await fetchOne(behaviour, { timeoutMs: 150 })
    expect(outcome).toMatchObject({ status: 'failed', attempts: 4, error: { code } })
    expect([requests, retries]).toEqual([4, 3])
  })

  test('all of a large file arrives over connections that break, without starting anew', async () => {
    const broken = withFaults(respond.withRange(large), faults.firstTimes(4, faults.cutAfter(500_000, 'rst')))
    const { outcome, bytes } = await fetchOne(broken)
    expect(outcome.status).toBe('ok')
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(outcome.fetchedBytes).toBeLessThan(2 * large.sizeBytes)
  })

  test('a large file whose server knows no ranges', async () => {
    const broken = withFaults(respond.whole(large), faults.firstTimes(2, faults.cutAfter(1_500_000, 'rst')))
    const { outcome, bytes } = await fetchOne(broken)
    expect(outcome.status).toBe('ok')
    expect(bytes?.equals(large.bytes())).toBe(true)
  })

  test('retries: 0 tries once', async () => {
    const { outcome, requests } = await fetchOne(respond.status(500), { retry: { retries: 0 } })
    expect([outcome.attempts, requests]).toEqual([1, 1])
  })
})

describe('what does not pass is not tried again', () => {
  const final: [string, Behaviour, ErrorCode, number][] = [
    ['404', respond.status(404), 'ERR_HTTP_NOT_FOUND', 404],
    ['410', respond.status(410), 'ERR_HTTP_NOT_FOUND', 410],
    ['401', respond.status(401), 'ERR_HTTP_AUTH', 401],
    ['403', respond.status(403), 'ERR_HTTP_AUTH', 403],
    ['400', respond.status(400), 'ERR_HTTP_STATUS', 400],
    ['a page in place of the file', respond.html('<p>log in</p>'), 'ERR_CONTENT_UNEXPECTED', 200],
    [
      'a coding nobody knows',
      respond.whole(small, { headers: { 'Content-Encoding': 'lzw' } }),
      'ERR_HTTP_ENCODED',
      200,
    ],
  ]
  test.each(final)('%s', async (_title, behaviour, code, httpStatus) => {
    const { outcome, requests } = await fetchOne(behaviour)
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1, httpStatus, error: { code } })
    expect(requests).toBe(1)
  })

  test('a page is taken where it is wanted', async () => {
    const page = respond.html('<p>hello</p>')
    expect((await fetchOne(page, { acceptHtml: true })).outcome.status).toBe('ok')
    origin.route('/page', page)
    await using sut = new EngineCase()
    const end = await sut.run(tasks(origin.url, ['/page']))
    expect(end.outcomes).toMatchObject([{ status: 'ok', contentType: 'text/html; charset=utf-8' }])
  })

  test('a port that nobody listens on fails its files and no others', async () => {
    const gone = await createFaultOrigin()
    await gone.close()
    origin.route('/good.bin', respond.whole(small))
    await using sut = new EngineCase()
    const end = await sut.run([task(`${gone.url}/a.bin`), ...tasks(origin.url, ['/good.bin'])])
    expect(outcomeOf(end, '/a.bin')).toMatchObject({ status: 'failed', error: { code: 'ERR_NET_CONNECT' } })
    expect(outcomeOf(end, '/good.bin').status).toBe('ok')
    expect(end.stats.failures).toEqual({ ERR_NET_CONNECT: 1 })
  })
})

describe('a server that asks to slow down', () => {
  test('429 and 503 with Retry-After: 0 do not spend attempts', async () => {
    const asks = faults.inTurn(respond.throttle('0'), respond.throttle('0', 503), respond.whole(small))
    const { outcome, retries } = await fetchOne(asks, { retry: { retries: 0 } })
    expect(outcome).toMatchObject({ status: 'ok', attempts: 1 })
    expect(retries).toBe(2)
  })

  test('429 without Retry-After waits as after a failure, but does not spend attempts either', async () => {
    const { outcome } = await fetchOne(
      faults.inTurn(respond.throttle(), respond.throttle(), respond.whole(small)),
      {
        retry: { retries: 0 },
      },
    )
    expect(outcome).toMatchObject({ status: 'ok', attempts: 1 })
  })

  test('Retry-After holds for the whole host, and is not cut short', async () => {
    origin.reset()
    origin.route('/limited.bin', faults.inTurn(respond.throttle('1'), respond.whole(small)))
    origin.route('/other*', respond.whole(small))
    await using sut = new EngineCase({ limits: { perHost: 1 } })
    const end = await sut.run(tasks(origin.url, ['/limited.bin', '/other-1.bin', '/other-2.bin']))
    expect(end.stats.ok).toBe(3)
    const [first, ...later] = origin.requests
    for (const request of later) expect(request.atMs - (first?.atMs ?? 0)).toBeGreaterThan(990)
    expect(end.events.some((event) => event.type === 'host.paused')).toBe(true)
  })

  test('a wait that is longer than allowed fails the file', async () => {
    for (const status of [429, 503] as const) {
      const { outcome, requests } = await fetchOne(respond.throttle('7200', status))
      const error = {
        code: 'ERR_HTTP_THROTTLED',
        message: expect.stringContaining('come back in 2h'),
        hint: expect.stringContaining('--retry-after-max'),
      }
      expect(outcome).toMatchObject({ status: 'failed', attempts: 1, error })
      expect(requests).toBe(1)
    }
  })
})

describe('several places', () => {
  test('mirrors are tried in turn', async () => {
    const gone = await createFaultOrigin()
    await gone.close()
    origin.route('/f.bin', respond.whole(small))
    await using sut = new EngineCase()
    const end = await sut.run([task([`${gone.url}/f.bin`, `${origin.url}/f.bin`])])
    expect(end.outcomes).toMatchObject([{ status: 'ok', attempts: 2 }])
    expect(readFileSync(join(sut.dir, 'f.bin')).equals(small.bytes())).toBe(true)
  })

  test('a mirror that does not have the file is no reason to give up', async () => {
    origin.route('/missing/f.bin', respond.status(404))
    origin.route('/f.bin', respond.whole(small))
    await using sut = new EngineCase()
    const end = await sut.run([task([`${origin.url}/missing/f.bin`, `${origin.url}/f.bin`])])
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
  })
})

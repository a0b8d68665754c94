import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Digest } from '../../../src/core/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  mapReply,
  respond,
  withFaults,
  type Behaviour,
  type Body,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { startNginx } from '../../nginx.ts'
import { describeWith } from '../../programs.ts'
import { EngineCase, outcomeOf, task, type RunEnd } from '../engine-case.ts'

let one: FaultOrigin
let two: FaultOrigin
let three: FaultOrigin
beforeAll(async () => {
  one = await createFaultOrigin()
  two = await createFaultOrigin()
  three = await createFaultOrigin()
})
afterAll(() => Promise.all([one, two, three].map((origin) => origin.close())))
beforeEach(() => {
  for (const origin of [one, two, three]) origin.reset()
})

const large = body('large', 6_000_011)
const other = body('other', 6_000_011)
const small = body('small', 20_000)
const sha256 = (file: Body): Digest => ({ algorithm: 'sha-256', value: file.digest() })
const notices = (end: RunEnd): string =>
  end.events.flatMap((event) => (event.type === 'job.notice' ? [event.message] : [])).join('\n')
/** Slow enough for the others to be of use. */
const slowly = (file: Body, etag = '"1"'): Behaviour =>
  withFaults(respond.withRange(file, { etag }), faults.rate(4_000_000))

/** Fetches one file from all three, unless other origins are given. */
async function fetchFrom(
  behaviours: readonly Behaviour[],
  extra: Parameters<typeof task>[1] = {},
): Promise<{ end: RunEnd; bytes: Buffer | undefined }> {
  const origins = [one, two, three].slice(0, behaviours.length)
  origins.forEach((origin, i) => origin.route('/f.bin', behaviours[i] ?? respond.status(404)))
  await using sut = new EngineCase()
  const end = await sut.run([
    task(
      origins.map((origin) => `${origin.url}/f.bin`),
      extra,
    ),
  ])
  const { status, path } = outcomeOf(end, '/f.bin')
  return { end, bytes: status === 'ok' ? readFileSync(join(sut.dir, path ?? '')) : undefined }
}

describe('a large file', () => {
  test('comes from different hosts at once, each with a tag of its own', async () => {
    const { bytes } = await fetchFrom([slowly(large, '"a"'), slowly(large, '"b"'), slowly(large, '"c"')], {
      split: 6,
    })
    expect(bytes?.equals(large.bytes())).toBe(true)
    for (const origin of [one, two, three]) expect(origin.sentBytes).toBeGreaterThan(100_000)
    // A tag is told only to the origin that it came from.
    for (const [origin, etag] of [
      [one, '"a"'],
      [two, '"b"'],
      [three, '"c"'],
    ] as const) {
      const told = origin.requests.flatMap(({ headers }) => headers['if-range'] ?? [])
      expect(told.every((each) => each === etag)).toBe(true)
    }
  })

  test('goes on with the others where one breaks down', async () => {
    const dying = withFaults(slowly(large), faults.cutAfter(300_000, 'rst'))
    const { end, bytes } = await fetchFrom([dying, slowly(large), slowly(large)], { split: 3 })
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
    expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(large.sizeBytes + 1_000_000)
  })

  test('a mirror whose file has another length is left out, and people are told', async () => {
    const { end, bytes } = await fetchFrom([slowly(large), slowly(body('x', 6_000_012)), slowly(large)], {
      split: 3,
    })
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(notices(end)).toContain(
      `the mirror ${two.url}/f.bin is left out: the file has 6000012 bytes now, it had 6000011`,
    )
    expect(two.requests).toHaveLength(1)
  })

  test.each([
    ['404', respond.status(404), 'no such file'],
    ['no ranges', respond.whole(large), 'sent the whole file in answer to a range'],
    ['a page', respond.html(), 'HTML page'],
  ])('a mirror that answers with %s is left out', async (_title, behaviour, why) => {
    const { end, bytes } = await fetchFrom([slowly(large), behaviour], { split: 3 })
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(notices(end)).toContain(`the mirror ${two.url}/f.bin is left out: `)
    expect(notices(end)).toContain(why)
  })

  test('a mirror that announces another digest is left out before a byte of it is taken', async () => {
    const telling = (file: Body): Behaviour =>
      withFaults(
        slowly(file),
        mapReply((reply) => ({
          ...reply,
          headers: { ...reply.headers, 'Repr-Digest': `sha-256=:${file.digest('sha256', 'base64')}:` },
        })),
      )
    const { end, bytes } = await fetchFrom([telling(large), telling(other)], { split: 3 })
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(notices(end)).toContain(
      `the mirror ${two.url}/f.bin is left out: the server has a file whose sha-256`,
    )
    expect(end.stats.retries).toBe(0)
  })

  test('wrong bytes of one mirror are found by the digest, and whose they are by asking each alone', async () => {
    for (const behaviours of [
      [slowly(other), slowly(large), slowly(large)],
      [slowly(large), slowly(other), slowly(large)],
    ]) {
      const { end, bytes } = await fetchFrom(behaviours, { split: 4, digests: [sha256(large)] })
      expect(end.outcomes[0]?.error).toBeUndefined()
      expect(bytes?.equals(large.bytes())).toBe(true)
    }
  })

  test('bytes of mirrors that do not fit together: without a digest the file is that of one of them', async () => {
    const { end, bytes } = await fetchFrom([slowly(large), slowly(other), slowly(other)], { split: 4 })
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
    // Where the seams happened to fit, there was only one that gave bytes.
    const wholes = [large, other].filter((file) => bytes?.equals(file.bytes()))
    expect(wholes).toHaveLength(1)
  })

  test('a file that changes at its own origin is begun again, not spliced from the mirrors', async () => {
    const changing = (request: Parameters<Behaviour>[0]): ReturnType<Behaviour> =>
      (request.count === 1
        ? withFaults(respond.withRange(large, { etag: '"1"' }), faults.cutAfter(2_500_000, 'rst'))
        : respond.withRange(other, { etag: '"2"' }))(request)
    const { bytes, end } = await fetchFrom([changing, respond.withRange(other, { etag: '"2"' })])
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
    expect(bytes?.equals(other.bytes())).toBe(true)
  })
})

test.each(['async', 'threads'] as const)('a mirror that has no room holds up no other (%s)', async (mode) => {
  one.route('/f.bin', withFaults(respond.withRange(large), faults.rate(2_000_000)))
  for (const origin of [two, three]) origin.route('/f.bin', respond.withRange(large))
  two.route('/busy.bin', withFaults(respond.withRange(small), faults.rate(4000)))
  await using sut = new EngineCase({ mode, limits: { perHost: 1 } })
  const [busy, file] = [
    task(`${two.url}/busy.bin`),
    task([one, two, three].map((origin) => `${origin.url}/f.bin`)),
  ]
  const running = sut.start([busy, file])
  while (!running.outcomes.some((each) => each.id === file.id)) await new Promise((go) => setTimeout(go, 20))
  expect(readFileSync(join(sut.dir, 'f.bin')).equals(large.bytes())).toBe(true)
  expect([two, three].map((origin) => origin.requests.some((each) => each.path === '/f.bin'))).toEqual([
    false,
    true,
  ])
  running.run.cancel({})
  running.abort()
  await running.end
})

describe('a small file', () => {
  test('of a wrong length or digest is taken from the next mirror', async () => {
    const { end, bytes } = await fetchFrom([respond.whole(body('s', 19_999)), respond.whole(small)], {
      expectedSizeBytes: 20_000,
    })
    expect(bytes?.equals(small.bytes())).toBe(true)
    expect(notices(end)).toContain(
      `the mirror ${one.url}/f.bin is left out: the server has a file of 19999 bytes, 20000 were expected`,
    )
    const second = await fetchFrom([respond.whole(body('s', 20_000)), respond.whole(small)], {
      digests: [sha256(small)],
    })
    expect(second.bytes?.equals(small.bytes())).toBe(true)
    expect(notices(second.end)).toContain(`the mirror ${one.url}/f.bin is left out: sha-256 is`)
  })

  test('fails with what the last mirror said where none has it', async () => {
    const { end } = await fetchFrom([respond.status(404), respond.status(410), respond.status(404)])
    expect(end.outcomes).toMatchObject([{ status: 'failed', error: { code: 'ERR_HTTP_NOT_FOUND' } }])
    for (const origin of [one, two, three]) expect(origin.requests).toHaveLength(1)
  })
})

test('many files: a host that fails is asked after the others', async () => {
  await using dead = await createFaultOrigin()
  await dead.close()
  two.route('/*', respond.whole(small))
  await using sut = new EngineCase({ limits: { total: 1 } })
  const end = await sut.run(
    Array.from({ length: 20 }, (_, i) => task([`${dead.url}/${i}.bin`, `${two.url}/${i}.bin`])),
  )
  expect(end.stats.ok).toBe(20)
  // Twice it is tried, then it is known.
  expect(end.stats.retries).toBeLessThanOrEqual(3)
})

test('redirects that lead to another mirror each time: what is there is kept', async () => {
  const targets = [two, three]
  one.route('/f.bin', (request) => {
    const to = targets[request.count % 2]
    return respond.redirect(`${to?.url}/f.bin`)(request)
  })
  for (const [origin, etag] of [
    [two, '"a"'],
    [three, '"b"'],
  ] as const) {
    origin.route(
      '/f.bin',
      withFaults(slowly(large, etag), faults.firstTimes(2, faults.cutAfter(1_500_000, 'rst'))),
    )
  }
  await using sut = new EngineCase()
  const end = await sut.run([task(`${one.url}/f.bin`)])
  expect(end.outcomes).toMatchObject([{ status: 'ok' }])
  expect(readFileSync(join(sut.dir, 'f.bin')).equals(large.bytes())).toBe(true)
  expect(notices(end)).toBe('')
  expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(1.2 * large.sizeBytes)
})

describeWith(['nginx'], 'mirrors of nginx', () => {
  test('both are used, with ETags that differ; one that is down is no matter', async () => {
    const limit = 'limit_rate 3m; etag on;'
    await using nginx = await startNginx([limit, limit])
    const bytes = large.bytes()
    writeFileSync(join(nginx.www, 'f.bin'), bytes)
    await using sut = new EngineCase()
    const urls = ['http://127.0.0.1:1', ...nginx.urls].map((url) => `${url}/f.bin`)
    const value = createHash('sha512').update(bytes).digest('hex')
    const end = await sut.run([task(urls, { split: 4, digests: [{ algorithm: 'sha-512', value }] })])
    expect(end.outcomes).toMatchObject([{ status: 'ok', digest: { value } }])
    expect(readFileSync(join(sut.dir, 'f.bin')).equals(bytes)).toBe(true)
  })
})

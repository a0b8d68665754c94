import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestAlgorithms, type Digest, type DigestAlgorithm, type Outcome } from '../../../src/core/index.ts'
import { announcedDigest, createCrc32c } from '../../../src/engine/verify/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  mapReply,
  respond,
  withFaults,
  type Behaviour,
  type Body,
  type Fault,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { EngineCase, outcomeOf, task } from '../engine-case.ts'

let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())

const small = body('small', 20_000)
const large = body('large', 5_000_007)
const nodeNames = { 'sha-256': 'sha256', 'sha-512': 'sha512', 'sha-1': 'sha1', md5: 'md5' } as const

function digestOf(bytes: Buffer, algorithm: DigestAlgorithm): string {
  if (algorithm !== 'crc32c') return createHash(nodeNames[algorithm]).update(bytes).digest('hex')
  const sum = createCrc32c()
  sum.update(bytes)
  return sum.digest('hex')
}

const structured = (algorithm: DigestAlgorithm, hex: string): string =>
  `${algorithm === 'sha-1' ? 'sha' : algorithm}=:${Buffer.from(hex, 'hex').toString('base64')}:`

/** Adds header fields that depend on the bytes of the answer. */
const withField = (name: string, value: (content: Buffer) => string): Fault =>
  mapReply((reply) =>
    reply.body === undefined
      ? reply
      : { ...reply, headers: { ...reply.headers, [name]: value(reply.body.bytes()) } },
  )

const reprDigest = (file: Body, algorithm: DigestAlgorithm = 'sha-256'): Fault =>
  withField('Repr-Digest', () => structured(algorithm, digestOf(file.bytes(), algorithm)))
const contentDigest: Fault = withField('Content-Digest', (content) =>
  structured('sha-512', digestOf(content, 'sha-512')),
)
const oldDigest = (file: Body): Fault =>
  withField(
    'Digest',
    () => `SHA=x,SHA-256=${createHash('sha256').update(file.bytes()).digest('base64')},unixsum=30637`,
  )

async function fetchOne(
  behaviour: Behaviour,
  extra: Parameters<typeof task>[1] = {},
): Promise<{ outcome: Outcome; bytes: Buffer | undefined; requests: number; notices: readonly string[] }> {
  origin.reset()
  origin.route('/f.bin', behaviour)
  await using sut = new EngineCase()
  const end = await sut.run([task(`${origin.url}/f.bin`, extra)])
  const outcome = outcomeOf(end, '/f.bin')
  const there = readdirSync(sut.dir).filter((name) => name !== '.trawl')
  expect(there).toEqual(outcome.status === 'ok' ? ['f.bin'] : [])
  return {
    outcome,
    bytes: outcome.status === 'ok' ? readFileSync(join(sut.dir, 'f.bin')) : undefined,
    requests: origin.requests.length,
    notices: end.events.flatMap((event) => (event.type === 'job.notice' ? [event.message] : [])),
  }
}

describe('expected digests', () => {
  test.each(digestAlgorithms)('%s, of a small and of a large file', async (algorithm) => {
    for (const file of [small, large]) {
      const digest: Digest = { algorithm, value: digestOf(file.bytes(), algorithm) }
      const good = await fetchOne(respond.withRange(file), { digests: [digest] })
      expect(good.outcome).toMatchObject({ status: 'ok', digest })
      const flipped = withFaults(respond.withRange(file), faults.flipBit(15_000))
      const bad = await fetchOne(flipped, { digests: [digest] })
      expect(bad.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_DIGEST_MISMATCH' } })
      expect(bad.outcome.error?.message).toContain(`expected ${digest.value}`)
    }
  })

  test('a digest that is asked for is computed and told, and comes before those that are expected', async () => {
    for (const file of [small, large]) {
      const value = digestOf(file.bytes(), 'md5')
      const asked = await fetchOne(respond.withRange(file), { digestAlgorithm: 'md5' })
      expect(asked.outcome.digest).toEqual({ algorithm: 'md5', value })
      const digests: Digest[] = [{ algorithm: 'sha-1', value: digestOf(file.bytes(), 'sha-1') }]
      const both = await fetchOne(respond.withRange(file), { digestAlgorithm: 'md5', digests })
      expect(both.outcome.digest).toEqual({ algorithm: 'md5', value })
    }
  })

  test('nothing is computed where nothing is known', async () => {
    expect((await fetchOne(respond.withRange(small))).outcome.digest).toBeUndefined()
  })
})

describe('digests that the server tells', () => {
  const told: [string, (file: Body) => Fault, DigestAlgorithm][] = [
    ['Repr-Digest', (file) => reprDigest(file), 'sha-256'],
    ['Repr-Digest with crc32c', (file) => reprDigest(file, 'crc32c'), 'crc32c'],
    ['Digest', oldDigest, 'sha-256'],
    ['Content-Digest of the whole', () => contentDigest, 'sha-512'],
  ]
  test.each(told)('%s', async (_title, fault, algorithm) => {
    for (const file of [small, large]) {
      const good = await fetchOne(withFaults(respond.withRange(file), fault(file)))
      const digest = { algorithm, value: digestOf(file.bytes(), algorithm) }
      expect(good.outcome).toMatchObject({ status: 'ok', digest })
      // The field is that of the right file, the bytes are not.
      const once = faults.firstTimes(1, faults.flipBit(15_000))
      const mended = await fetchOne(withFaults(respond.withRange(file), fault(file), once))
      expect(mended.outcome.status).toBe('ok')
      expect(mended.bytes?.equals(file.bytes())).toBe(true)
      expect(mended.requests).toBeGreaterThan(1)
      const bad = await fetchOne(withFaults(respond.withRange(file), fault(file), faults.flipBit(15_000)))
      expect(bad.outcome).toMatchObject({ status: 'failed', error: { code: 'ERR_DIGEST_MISMATCH' } })
      expect(bad.outcome.error?.message).toContain('the server announced')
    }
  })

  test('a file that the server says is another is not fetched at all', async () => {
    const digests: Digest[] = [{ algorithm: 'sha-256', value: '0'.repeat(64) }]
    origin.reset()
    const sent = origin.sentBytes
    const { outcome, requests } = await fetchOne(
      withFaults(
        respond.withRange(body('l', 50_000_000)),
        withField('Repr-Digest', () => structured('sha-256', 'ff'.repeat(32))),
      ),
      { digests },
    )
    expect(outcome).toMatchObject({ status: 'failed', attempts: 1, error: { code: 'ERR_DIGEST_MISMATCH' } })
    expect(outcome.error?.message).toContain('the server has a file whose sha-256 is ffff')
    expect(requests).toBe(1)
    expect(origin.sentBytes - sent).toBeLessThan(20_000_000)
  })

  test('fields that cannot be understood are as good as none', async () => {
    for (const value of ['nonsense', 'sha-256=:AAAA:', 'sha-999=:AAAA:', 'sha-256=deadbeef', '']) {
      const odd = withFaults(
        respond.withRange(small),
        withField('Repr-Digest', () => value),
        withField('Digest', () => value),
        withField('Content-Digest', () => value),
      )
      expect((await fetchOne(odd)).outcome).toMatchObject({ status: 'ok', attempts: 1 })
    }
  })

  test('never fail on anything that a header can hold', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.constantFrom(200, 206), (first, second, status) => {
        const headers = { 'repr-digest': first, digest: second, 'content-digest': [first, second] }
        const found = announcedDigest({ status, headers })
        expect(found === undefined || digestAlgorithms.includes(found.algorithm)).toBe(true)
      }),
    )
  })
})

describe('digests of segments', () => {
  const cutOnce = faults.firstTimes(1, faults.cutAfter(2_500_000, 'rst'))

  test('Content-Digest of a 206 is of that part', async () => {
    const { outcome, bytes } = await fetchOne(withFaults(respond.withRange(large), contentDigest, cutOnce))
    expect(outcome.status).toBe('ok')
    expect(bytes?.equals(large.bytes())).toBe(true)
  })

  test('a part that is not what its Content-Digest says spoils all, and all comes anew', async () => {
    // Only the answer to the second request, which is a range, is damaged after its digest was made.
    const damage: Fault = (inner) => (request) =>
      request.count === 2 ? faults.flipBit(100_000)(inner)(request) : inner(request)
    const { outcome, bytes, requests } = await fetchOne(
      withFaults(respond.withRange(large), contentDigest, damage, cutOnce),
    )
    expect(outcome.status).toBe('ok')
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(requests).toBeGreaterThan(2)
  })

  test('a Repr-Digest that changes is a file that changed: nothing of the one is mixed with the other', async () => {
    const other = body('other', large.sizeBytes)
    // Same tag, same length, other bytes: only the digest tells.
    const served = (file: Body): Behaviour =>
      withFaults(respond.withRange(file, { etag: '"same"' }), reprDigest(file))
    const changed = faults.inTurn(served(large), served(other))
    const split = await fetchOne(changed, { split: 4 })
    expect(split.outcome.status).toBe('ok')
    expect(split.bytes?.equals(other.bytes())).toBe(true)
    expect(split.notices.join()).toContain('the file changed on the server: another sha-256')
    const resumed = await fetchOne(withFaults(changed, cutOnce))
    expect(resumed.outcome.status).toBe('ok')
    expect(resumed.bytes?.equals(other.bytes())).toBe(true)
  })
})

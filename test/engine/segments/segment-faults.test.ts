import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { DownloadTask } from '../../../src/core/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type Body,
  type Fault,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { EngineCase, outcomeOf, task, type EngineCaseOptions, type RunEnd } from '../engine-case.ts'

let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())

const mebibyte = 1024 * 1024
const file = body('segments', 8 * mebibyte + 123)
const other = body('another version', file.sizeBytes)
const four: Partial<DownloadTask> = { split: 4 }

/** Only requests for a part get the fault. */
const onRanges = (fault: Fault): Fault => faults.when((request) => request.range !== undefined, fault)

interface Fetched {
  readonly end: RunEnd
  readonly bytes: Buffer | undefined
  readonly notices: readonly string[]
}

async function fetched(
  behaviour: Behaviour,
  extra: Partial<DownloadTask> = four,
  options: EngineCaseOptions = {},
): Promise<Fetched> {
  origin.reset()
  origin.route('/f.bin', behaviour)
  await using sut = new EngineCase(options)
  const end = await sut.run([task(`${origin.url}/f.bin`, extra)])
  const outcome = outcomeOf(end, '/f.bin')
  const bytes = outcome.status === 'ok' ? readFileSync(join(sut.dir, 'f.bin')) : undefined
  if (bytes) expect(readdirSync(join(sut.dir, '.trawl/parts'))).toEqual([])
  const notices = end.events.flatMap((event) =>
    event.type === 'job.notice' ? [event.error?.code ?? ''] : [],
  )
  return { end, bytes, notices }
}

function expectWhole({ end, bytes }: Fetched, content: Body = file): void {
  expect(end.outcomes).toMatchObject([{ status: 'ok', sizeBytes: content.sizeBytes }])
  expect(bytes?.equals(content.bytes())).toBe(true)
}

const asked = (): number => origin.requests.filter((request) => request.range !== undefined).length

describe('several connections to one file', () => {
  test('each byte comes once', async () => {
    const slow = withFaults(respond.withRange(file), faults.rate(4 * mebibyte))
    const result = await fetched(slow)
    expectWhole(result)
    expect(asked()).toBeGreaterThanOrEqual(3)
    expect(result.end.outcomes[0]?.fetchedBytes).toBeLessThan(1.1 * file.sizeBytes)
  })

  test('parts that end by themselves leave their connections for the next', async () => {
    const short = withFaults(
      respond.withRange(file),
      onRanges(faults.shorterRange(400_000)),
      faults.rate(8 * mebibyte),
    )
    expectWhole(await fetched(short))
    expect(asked()).toBeGreaterThan(10)
    expect(origin.connections).toBeLessThanOrEqual(6)
  })

  test('a connection that stands still holds nothing up', async () => {
    const stalling = withFaults(
      respond.withRange(file),
      faults.rate(2 * mebibyte),
      faults.onNth(3, faults.stallAfter(50_000)),
    )
    expectWhole(await fetched(stalling, four, { timeoutMs: 60_000 }))
  })

  test('a server that allows one connection only', async () => {
    const one = withFaults(
      respond.withRange(file),
      faults.rate(4 * mebibyte),
      onRanges(faults.instead(respond.status(403))),
    )
    const result = await fetched(one)
    expectWhole(result)
    expect(result.end.outcomes[0]?.attempts).toBe(1)
  })
})

describe('answers to ranges that are wrong', () => {
  const slow = faults.rate(6 * mebibyte)
  const cases: [string, Behaviour][] = [
    [
      'short bodies',
      withFaults(respond.withRange(file), slow, faults.firstTimes(4, onRanges(faults.shortBy(1000)))),
    ],
    [
      'resets',
      withFaults(
        respond.withRange(file),
        slow,
        faults.firstTimes(4, onRanges(faults.cutAfter(90_000, 'rst'))),
      ),
    ],
    ['bodies that are too long', withFaults(respond.withRange(file), slow, onRanges(faults.longBy(5000)))],
    ['the whole in place of a part', withFaults(respond.whole(file), slow)],
    [
      'ranges that come and go',
      withFaults(faults.toggling(respond.withRange(file), respond.whole(file)), slow),
    ],
    ['another start', withFaults(respond.withRange(file), slow, faults.wrongStart(1000))],
    ['no total', withFaults(respond.withRange(file), slow, faults.unknownTotal())],
    ['no Content-Range', withFaults(respond.withRange(file), slow, faults.noContentRange())],
    [
      'a Content-Range that is none',
      withFaults(respond.withRange(file), slow, faults.badContentRange('bytes a-b/c')),
    ],
    [
      'less than was asked for',
      withFaults(respond.withRange(file), slow, onRanges(faults.shorterRange(700_000))),
    ],
    ['multipart/byteranges', withFaults(respond.multipartRanges(file), slow)],
    ['416', withFaults(respond.withRange(file), slow, faults.alwaysUnsatisfiable(file.sizeBytes))],
    [
      '416 without a length',
      withFaults(respond.withRange(file), slow, onRanges(faults.instead(respond.status(416)))),
    ],
    ['gzip', withFaults(respond.withRange(file), slow, onRanges(faults.gzip()))],
    ['chunked parts', withFaults(respond.withRange(file), slow, onRanges(faults.framing('chunked')))],
    [
      'parts that end with the connection',
      withFaults(respond.withRange(file), slow, onRanges(faults.framing('close'))),
    ],
    ['If-Range refused', withFaults(respond.withRange(file), slow, faults.refuseIfRange)],
    ['If-Range not looked at', withFaults(respond.withRange(file), slow, faults.blindIfRange)],
  ]
  test.each(cases)('%s', async (_title, behaviour) => {
    const result = await fetched(behaviour)
    expectWhole(result)
    // Nothing of this is a change of the file.
    expect(result.notices).not.toContain('ERR_ENTITY_CHANGED')
  })

  test('another total is another version: told, and taken in one stream where it goes on', async () => {
    const total = faults.wrongTotal(file.sizeBytes + 1)
    const result = await fetched(withFaults(respond.withRange(file), slow, total))
    expectWhole(result)
    expect(result.notices).toContain('ERR_ENTITY_CHANGED')
  })

  test('If-Range that is refused costs no second fetch of the file', async () => {
    const refusing = withFaults(respond.withRange(file), slow, faults.refuseIfRange)
    const { end } = await fetched(refusing)
    expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(1.1 * file.sizeBytes)
    expect(asked()).toBeGreaterThan(2)
  })
})

describe('a file that stops in the middle is gone on with', () => {
  const cut = faults.firstTimes(1, faults.cutAfter(5 * mebibyte, 'rst'))
  const one: Partial<DownloadTask> = { split: 1 }

  test('by a range, where there are ranges', async () => {
    const result = await fetched(withFaults(respond.withRange(file), cut), one)
    expectWhole(result)
    expect(result.end.outcomes[0]?.fetchedBytes).toBeLessThan(file.sizeBytes + mebibyte)
  })

  const without: [string, Behaviour][] = [
    ['the server ignores ranges', withFaults(respond.withRange(file), faults.ignoreRange, cut)],
    [
      'the server answers 416',
      withFaults(respond.withRange(file), faults.alwaysUnsatisfiable(file.sizeBytes), cut),
    ],
    ['parts do not say which they are', withFaults(respond.withRange(file), faults.noContentRange(), cut)],
    ['parts come as multipart', withFaults(respond.multipartRanges(file), cut)],
  ]
  test.each(without)('by the whole, where %s', async (_title, behaviour) => {
    const result = await fetched(behaviour, one)
    expectWhole(result)
    expect(result.notices).toEqual([])
    expect(result.end.outcomes[0]?.fetchedBytes).toBeLessThan(2 * file.sizeBytes)
  })
})

describe('versions are never spliced', () => {
  const slow = faults.rate(6 * mebibyte)
  const date = new Date('2026-01-02T03:04:05Z')
  const later = new Date('2026-02-02T03:04:05Z')
  /** From the third request on, another version. */
  const swapped = (
    before: Parameters<typeof respond.withRange>[1],
    after: Parameters<typeof respond.withRange>[1],
    content: Body = other,
  ): Behaviour =>
    withFaults(
      faults.inTurn(
        respond.withRange(file, before),
        respond.withRange(file, before),
        respond.withRange(content, after),
      ),
      slow,
    )

  const changes: [string, Behaviour, Body][] = [
    ['ETag', swapped({ etag: '"a"' }, { etag: '"b"' }), other],
    ['date', swapped({ etag: null, lastModified: date }, { etag: null, lastModified: later }), other],
    [
      'weak ETag and date',
      swapped({ etag: 'W/"a"', lastModified: date }, { etag: 'W/"b"', lastModified: later }),
      other,
    ],
    [
      'length alone',
      swapped(
        { etag: null, lastModified: null },
        { etag: null, lastModified: null },
        body('longer', file.sizeBytes + 1),
      ),
      body('longer', file.sizeBytes + 1),
    ],
    ['bytes alone', swapped({ etag: null, lastModified: null }, { etag: null, lastModified: null }), other],
    [
      'bytes under the same date',
      swapped({ etag: null, lastModified: date }, { etag: null, lastModified: date }),
      other,
    ],
  ]
  test.each(changes)('%s: it starts again, and people are told', async (_title, behaviour, content) => {
    const result = await fetched(behaviour)
    expectWhole(result, content)
    expect(result.notices).toContain('ERR_ENTITY_CHANGED')
  })

  test('between two runs', async () => {
    for (const facts of [{ etag: '"a"' }, { etag: null, lastModified: null }]) {
      origin.reset()
      origin.route('/f.bin', withFaults(respond.withRange(file, facts), faults.cutAfter(6 * mebibyte, 'rst')))
      await using sut = new EngineCase({ retry: { retries: 0 } })
      const wanted = task(`${origin.url}/f.bin`, { split: 1 })
      expect((await sut.run([wanted])).stats.failed).toBe(1)
      origin.route('/f.bin', respond.withRange(other, facts.etag === null ? facts : { etag: '"b"' }))
      const end = await sut.run([wanted])
      expect(end.outcomes).toMatchObject([{ status: 'ok' }])
      expect(readFileSync(join(sut.dir, 'f.bin')).equals(other.bytes())).toBe(true)
    }
  })

  test('tags that change with each answer are no change', async () => {
    const restless: Behaviour = withFaults(
      respond.withRange(file, { etag: (request) => `"${request.count}"`, lastModified: date }),
      slow,
    )
    const weak: Behaviour = withFaults(
      respond.withRange(file, { etag: (request) => `W/"${request.count}"`, lastModified: date }),
      slow,
    )
    for (const behaviour of [restless, weak]) {
      const result = await fetched(behaviour)
      expectWhole(result)
      expect(result.notices).toEqual([])
      expect(asked()).toBeGreaterThan(2)
    }
  })

  test('a file that changes all the time is taken in one stream', async () => {
    let count = 0
    const changing: Behaviour = (request) => {
      count++
      const content = body(`version ${count}`, file.sizeBytes)
      return withFaults(
        respond.withRange(content, { etag: `"${count}"`, lastModified: new Date(count * 1e6) }),
        slow,
      )(request)
    }
    const result = await fetched(changing)
    expectWhole(result, body(`version ${count}`, file.sizeBytes))
  })
})

describe('least speed', () => {
  test('a transfer below it is opened anew, and what is there is kept', async () => {
    const crawling = withFaults(respond.withRange(file), faults.firstTimes(1, faults.rate(200_000)))
    const minSpeed = { bytesPerSecond: 2_000_000, windowMs: 400 }
    const result = await fetched(crawling, { split: 1 }, { minSpeed })
    expectWhole(result)
    expect(
      result.end.events.some(
        (event) => event.type === 'task.retrying' && event.error.code === 'ERR_NET_STALLED',
      ),
    ).toBe(true)
  })

  test('a small file too, within its retries', async () => {
    const small = body('small', 300_000)
    const crawling = withFaults(respond.withRange(small), faults.firstTimes(2, faults.rate(50_000)))
    const minSpeed = { bytesPerSecond: 1_000_000, windowMs: 300 }
    expectWhole(await fetched(crawling, {}, { minSpeed }), small)
    const always = await fetched(
      withFaults(respond.withRange(small), faults.rate(50_000)),
      {},
      {
        minSpeed,
        retry: { retries: 1 },
      },
    )
    expect(always.end.outcomes).toMatchObject([
      { status: 'failed', attempts: 2, error: { code: 'ERR_NET_STALLED' } },
    ])
  })
})

describe('any faults in any order', () => {
  const small = body('random', 3 * mebibyte + 17)
  const one = fc.oneof(
    fc.constant<Fault | undefined>(undefined),
    fc
      .tuple(fc.integer({ min: 0, max: 2_000_000 }), fc.constantFrom('fin' as const, 'rst' as const))
      .map(([after, how]) => faults.cutAfter(after, how)),
    fc.integer({ min: 1, max: 5000 }).map((count) => faults.shortBy(count)),
    fc.integer({ min: 1, max: 5000 }).map((count) => onRanges(faults.longBy(count))),
    fc.integer({ min: 1000, max: 900_000 }).map((count) => onRanges(faults.shorterRange(count))),
    fc.constantFrom<Fault>(
      faults.ignoreRange,
      faults.noContentRange(),
      faults.wrongStart(4096),
      faults.unknownTotal(),
      onRanges(faults.gzip()),
      onRanges(faults.framing('chunked')),
      faults.refuseIfRange,
      faults.instead(respond.status(500)),
      faults.instead(respond.status(503)),
      faults.instead(respond.hangUp('rst')),
      faults.instead(respond.garbage()),
      onRanges(faults.instead(respond.status(416))),
      onRanges(faults.instead(respond.multipartRanges(small))),
    ),
  )

  test('the bytes are right in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(one, { minLength: 1, maxLength: 14 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom<Parameters<typeof respond.withRange>[1]>(
          {},
          { etag: null },
          { etag: null, lastModified: null },
          { etag: 'W/"weak"', lastModified: null },
        ),
        async (sequence, split, facts) => {
          const good = withFaults(respond.withRange(small, facts), faults.rate(20 * mebibyte))
          const faulty: Behaviour = (request) => {
            const fault = sequence[request.count - 1]
            return (fault ? fault(good) : good)(request)
          }
          const retry = { retries: 20 }
          expectWhole(await fetched(faulty, { split }, { retry, timeoutMs: 2000 }), small)
        },
      ),
      { numRuns: 20 },
    )
  }, 120_000)
})

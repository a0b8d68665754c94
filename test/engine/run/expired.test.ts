import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Locator, Resolver, ResolveReason } from '../../../src/core/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { startNginx } from '../../nginx.ts'
import { describeWith } from '../../programs.ts'
import { tempFolders } from '../../storage/temp-folder.ts'
import { EngineCase, task, type EngineCaseOptions, type RunEnd } from '../engine-case.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
beforeAll(async () => {
  origin = await createFaultOrigin()
})
afterAll(() => origin.close())
beforeEach(() => origin.reset())

const large = body('large', 6_000_011)
/** Enough is on disk to go on from. */
const cut = faults.firstTimes(1, faults.cutAfter(3_000_000, 'fin'))
const refused = (status: number): Behaviour => respond.status(status, {}, 'Request has expired\n')

async function fetchOne(
  options: EngineCaseOptions,
  path = '/f.bin',
): Promise<{ end: RunEnd; bytes: Buffer | undefined }> {
  await using sut = new EngineCase(options)
  const end = await sut.run([task(origin.url + path)])
  const [outcome] = end.outcomes
  const bytes = outcome?.status === 'ok' ? readFileSync(join(sut.dir, outcome.path ?? '')) : undefined
  return { end, bytes }
}

describe('an address that was good and is refused in the middle of the file', () => {
  test.each([401, 403, 410])('%i: is asked for anew, and what is there is kept', async (status) => {
    origin.route(
      '/f.bin',
      faults.inTurn(
        withFaults(respond.withRange(large), cut),
        refused(status),
        refused(status),
        respond.withRange(large),
      ),
    )
    const { end, bytes } = await fetchOne({})
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(1.5 * large.sizeBytes)
    expect(origin.requests[3]?.range).toMatch(/^bytes=[1-9]/)
  })

  test('the original address gives a fresh one by its redirect', async () => {
    // Each ticket is good for a single request.
    origin.route('/f.bin', faults.redirectToTicket('/signed/f.bin'))
    origin.route('/signed/f.bin', faults.singleUse()(withFaults(respond.withRange(large), cut)))
    const { end, bytes } = await fetchOne({})
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(1.2 * large.sizeBytes)
  })

  test('is not asked for for ever, and what is there waits for the next run', async () => {
    const dir = newFolder()
    origin.route('/f.bin', faults.inTurn(withFaults(respond.withRange(large), cut), refused(403)))
    {
      await using sut = new EngineCase({ dir })
      const end = await sut.run([task(`${origin.url}/f.bin`)])
      expect(end.outcomes).toMatchObject([{ status: 'failed', error: { code: 'ERR_HTTP_AUTH' } }])
      expect(origin.requests).toHaveLength(5)
    }
    origin.route('/f.bin', respond.withRange(large))
    await using sut = new EngineCase({ dir })
    const end = await sut.run([task(`${origin.url}/f.bin`)])
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
    expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(4_500_000)
    expect(readFileSync(join(dir, 'f.bin')).equals(large.bytes())).toBe(true)
  })

  test('what comes after it is another version: begun again, told, never spliced', async () => {
    const other = body('other', large.sizeBytes)
    origin.route(
      '/f.bin',
      faults.inTurn(
        withFaults(respond.withRange(large, { etag: '"1"' }), cut),
        refused(403),
        respond.withRange(other, { etag: '"2"' }),
      ),
    )
    const { end, bytes } = await fetchOne({})
    expect(bytes?.equals(other.bytes())).toBe(true)
    expect(end.events.some((event) => event.type === 'job.notice' && /changed/.test(event.message))).toBe(
      true,
    )
  })

  test('the first answer is no reason: who is refused at once is refused', async () => {
    origin.route('/f.bin', refused(403))
    const { end } = await fetchOne({})
    expect(end.outcomes).toMatchObject([{ status: 'failed', attempts: 1, error: { code: 'ERR_HTTP_AUTH' } }])
    expect(origin.requests).toHaveLength(1)
  })
})

test('a log-in page in place of the rest: nothing of what is there is lost', async () => {
  const dir = newFolder()
  origin.route('/f.bin', faults.inTurn(withFaults(respond.withRange(large), cut), respond.html()))
  {
    await using sut = new EngineCase({ dir })
    const end = await sut.run([task(`${origin.url}/f.bin`)])
    expect(end.outcomes).toMatchObject([{ status: 'failed', error: { code: 'ERR_CONTENT_UNEXPECTED' } }])
  }
  {
    // Also in a later run, whose first answer it is.
    await using sut = new EngineCase({ dir })
    const end = await sut.run([task(`${origin.url}/f.bin`)])
    expect(end.outcomes).toMatchObject([{ status: 'failed', error: { code: 'ERR_CONTENT_UNEXPECTED' } }])
  }
  origin.route('/f.bin', respond.withRange(large))
  await using sut = new EngineCase({ dir })
  const end = await sut.run([task(`${origin.url}/f.bin`)])
  expect(end.outcomes).toMatchObject([{ status: 'ok' }])
  expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(4_500_000)
  expect(readFileSync(join(dir, 'f.bin')).equals(large.bytes())).toBe(true)
})

interface Asked {
  readonly source: string
  readonly ref: string
  readonly reason: ResolveReason
}

/** Signs `/signed/REF?n=1` and so on. */
function signer(
  answer: (asked: Asked, count: number) => string | Error = ({ ref }, n) => `/signed/${ref}?n=${n}`,
): {
  readonly asked: Asked[]
  readonly resolver: Resolver
} {
  const asked: Asked[] = []
  return {
    asked,
    resolver: {
      async resolve({ source, ref }, reason) {
        asked.push({ source, ref, reason })
        const found = await Promise.resolve(answer({ source, ref, reason }, asked.length))
        if (found instanceof Error) throw found
        return { kind: 'mirrors', places: [{ url: origin.url + found }] }
      },
    },
  }
}

const reference = (ref: string): ReturnType<typeof task> => {
  const locator: Locator = { kind: 'source', source: 'cloud', ref }
  return { ...task(`http://unused.example/${ref}`), locator, id: createHash('md5').update(ref).digest('hex') }
}

describe('references', () => {
  test('are resolved before the first request and when the address expired; bytes are kept', async () => {
    const { asked, resolver } = signer()
    const signed: Behaviour = (request) => {
      const n = request.query.get('n')
      if (n === '1') return withFaults(respond.withRange(large), cut)(request)
      return n === '2' ? refused(403)(request) : respond.withRange(large)(request)
    }
    // The first address is good for one request only.
    origin.route('/signed/f.bin', faults.inTurn(signed, refused(410), signed))
    await using sut = new EngineCase({ resolver })
    const end = await sut.run([reference('f.bin')])
    expect(end.outcomes).toMatchObject([{ status: 'ok', input: 'cloud:f.bin', path: 'f.bin' }])
    expect(readFileSync(join(sut.dir, 'f.bin')).equals(large.bytes())).toBe(true)
    expect(end.outcomes[0]?.fetchedBytes).toBeLessThan(1.2 * large.sizeBytes)
    expect(asked.map((each) => each.reason)).toEqual(['first', 'expired', 'expired'])
    expect(asked[0]).toEqual({ source: 'cloud', ref: 'f.bin', reason: 'first' })
  })

  test('are resolved again where the very first request is refused, a few times', async () => {
    origin.route('/signed/*', (request) =>
      (request.query.get('n') === '1' ? refused(403) : respond.withRange(large))(request),
    )
    const good = signer()
    const { end } = await (async () => {
      await using sut = new EngineCase({ resolver: good.resolver })
      return { end: await sut.run([reference('g.bin')]) }
    })()
    expect(end.outcomes).toMatchObject([{ status: 'ok', attempts: 1 }])
    origin.route('/signed/*', refused(403))
    const bad = signer()
    await using sut = new EngineCase({ resolver: bad.resolver })
    const failed = await sut.run([reference('g.bin')])
    expect(failed.outcomes).toMatchObject([{ status: 'failed', error: { code: 'ERR_HTTP_AUTH' } }])
    expect(bad.asked).toHaveLength(4)
  })

  test('that cannot be resolved fail alone; what may pass is tried again', async () => {
    origin.route('/signed/*', (request) => respond.withRange(body(request.path, 1000))(request))
    let weak = 0
    const { resolver } = signer(({ ref }) => {
      if (ref === 'never') return new Error('no such thing')
      if (ref === 'weak' && weak++ < 2) return new Error('busy')
      return `/signed/${ref}`
    })
    await using sut = new EngineCase({ resolver })
    const end = await sut.run(['a', 'never', 'weak', 'b'].map(reference))
    expect(end.stats).toMatchObject({ ok: 3, failed: 1 })
    const failed = end.outcomes.find((each) => each.status === 'failed')
    expect(failed).toMatchObject({ input: 'cloud:never', error: { code: 'ERR_RESOLVE_FAILED' } })
    expect(failed?.error?.message).toContain('no such thing')
  })

  test('without anybody to ask fail and say why', async () => {
    await using sut = new EngineCase()
    const end = await sut.run([reference('f.bin')])
    expect(end.outcomes).toMatchObject([{ status: 'failed', error: { code: 'ERR_RESOLVE_FAILED' } }])
    expect(end.outcomes[0]?.error?.hint).toContain('resolvePlaces')
  })

  test('are not all resolved long before they begin', async () => {
    const { asked, resolver } = signer()
    origin.route('/signed/*', withFaults(respond.whole(body('s', 100)), faults.latency(50)))
    await using sut = new EngineCase({ resolver, limits: { total: 2 } })
    const running = sut.start(Array.from({ length: 400 }, (_, i) => reference(`f${i}`)))
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(asked.length).toBeLessThan(150)
    running.run.drain()
    const end = await running.end
    expect(end.stats.unfinished).toBeGreaterThan(300)
  })

  test('that are being resolved end with the run', async () => {
    const never: Resolver = { resolve: () => new Promise(() => {}) }
    await using sut = new EngineCase({ resolver: never })
    const running = sut.start([reference('a'), reference('b')])
    await new Promise((resolve) => setTimeout(resolve, 20))
    running.abort()
    expect((await running.end).stats).toMatchObject({ planned: 2, unfinished: 2 })
  })

  test('a plain address that expired is asked about too', async () => {
    const { asked, resolver } = signer()
    origin.route('/old.bin', faults.inTurn(withFaults(respond.withRange(large), cut), refused(403)))
    origin.route('/signed/*', respond.withRange(large))
    const asksWithPath: Resolver = {
      resolve: (locator, reason, options) =>
        resolver.resolve({ ...locator, ref: locator.ref.slice(origin.url.length + 1) }, reason, options),
    }
    const { end, bytes } = await fetchOne({ resolver: asksWithPath }, '/old.bin')
    expect(end.outcomes).toMatchObject([{ status: 'ok', path: 'old.bin' }])
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(asked).toEqual([{ source: 'url', ref: 'old.bin', reason: 'expired' }])
  })
})

describeWith(['nginx'], 'with signed addresses of nginx', () => {
  test('the original address redirects to them; one that expired gives way to a fresh one', async () => {
    const signed = `location /f.bin {
        if ($arg_signature != "good") { return 403; }
        if ($arg_expires ~ "^1") { return 410; }
        limit_rate 1200k; }`
    await using nginx = await startNginx([signed])
    writeFileSync(join(nginx.www, 'f.bin'), large.bytes())
    const at = (query: string): string => `${nginx.urls[0]}/f.bin?${query}`
    const answers: string[] = []
    // A cache on the way gives one that is too old, and one that nobody signed.
    origin.route(
      '/f.bin',
      respond.redirect(({ count }) => {
        const query =
          count === 2 ? 'signature=good&expires=1' : count === 3 ? 'expires=9' : 'signature=good&expires=9'
        answers.push(query)
        return at(query)
      }),
    )
    await using sut = new EngineCase()
    const end = await sut.run([task(`${origin.url}/f.bin`, { split: 3 })])
    expect(end.outcomes).toMatchObject([{ status: 'ok' }])
    expect(readFileSync(join(sut.dir, 'f.bin')).equals(large.bytes())).toBe(true)
    expect(answers.length).toBeGreaterThan(3)
  })
})

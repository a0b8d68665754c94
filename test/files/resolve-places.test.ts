import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/core/index.ts'
import type { GetInputs, ResolvePlaces } from '../../src/files/index.ts'
import { createTrawl, type Trawl } from '../../src/session/index.ts'
import {
  body,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type FaultOrigin,
} from '../../src/testing/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const newFolder = tempFolders()
let origin: FaultOrigin
let trawl: Trawl
beforeAll(async () => {
  origin = await createFaultOrigin()
  trawl = await createTrawl({ retries: 1, retryDelayMs: 1 })
})
afterAll(async () => {
  await trawl.close()
  await origin.close()
})
beforeEach(() => {
  origin.reset()
  origin.route('/*', (request) => respond.withRange(body(request.path, 1000))(request))
})

async function get(
  inputs: GetInputs,
  resolvePlaces?: ResolvePlaces,
  dir = newFolder(),
): Promise<{ dir: string; outcomes: readonly Outcome[] }> {
  const outcomes: Outcome[] = []
  const hooks = { afterItem: (each: Outcome) => void outcomes.push(each) }
  await trawl.get(inputs, { dir, hooks, ...(resolvePlaces ? { resolvePlaces } : {}) }).result
  return { dir, outcomes: outcomes.toSorted((a, b) => a.ordinal - b.ordinal) }
}

describe('references as inputs', () => {
  test('may resolve to text, a URL, mirrors, or places with headers of their own', async () => {
    const answers: Record<string, Awaited<ReturnType<ResolvePlaces>>> = {
      text: `${origin.url}/text.bin`,
      url: new URL(`${origin.url}/url.bin`),
      mirrors: ['http://127.0.0.1:1/x', `${origin.url}/mirrors.bin`],
      places: {
        kind: 'alternatives',
        places: [{ url: `${origin.url}/places.bin`, headers: { 'x-key': 'k' } }],
      },
    }
    const { outcomes } = await get(
      Object.keys(answers).map((ref) => ({ source: 'mine', ref })),
      ({ source, ref }) => {
        expect(source).toBe('mine')
        return answers[ref] ?? ''
      },
    )
    expect(outcomes.map((each) => [each.status, each.input, each.path])).toEqual([
      ['ok', 'mine:text', 'text.bin'],
      ['ok', 'mine:url', 'url.bin'],
      // Named by the first of its addresses that answered.
      ['ok', 'mine:mirrors', 'mirrors.bin'],
      ['ok', 'mine:places', 'places.bin'],
    ])
    expect(origin.requests.find((each) => each.path === '/places.bin')?.headers['x-key']).toBe('k')
  })

  test('are the same files in the next run, whatever their addresses are then', async () => {
    let n = 0
    const dir = newFolder()
    const resolve: ResolvePlaces = ({ ref }) => `${origin.url}/${ref}?signature=${++n}`
    const input = [
      {
        source: 'mine',
        ref: 'a.bin',
        path: 'sub/a.bin',
        checksum: `sha-256=${body('/a.bin', 1000).digest()}`,
      },
    ]
    expect((await get(input, resolve, dir)).outcomes).toMatchObject([{ status: 'ok', path: 'sub/a.bin' }])
    expect((await get(input, resolve, dir)).outcomes).toMatchObject([
      { status: 'skipped', skipReason: 'finished-before' },
    ])
    expect(n).toBe(1)
  })

  test('that resolve to nonsense fail alone', async () => {
    const nonsense: unknown[] = ['no url', 'ftp://x/y', [], undefined, { kind: 'mirrors' }, 7, '']
    const resolve = (({ ref }: { ref: string }) =>
      ref === 'good' ? `${origin.url}/good.bin` : nonsense[Number(ref)]) as ResolvePlaces
    const { outcomes } = await get(
      [...nonsense.keys(), 'good'].map((ref) => ({ source: 'mine', ref: String(ref) })),
      resolve,
    )
    expect(outcomes.map((each) => each.error?.code ?? each.status)).toEqual([
      'ERR_URL_INVALID',
      'ERR_URL_SCHEME',
      'ERR_RESOLVE_FAILED',
      'ERR_RESOLVE_FAILED',
      'ERR_RESOLVE_FAILED',
      'ERR_RESOLVE_FAILED',
      'ERR_URL_INVALID',
      'ok',
    ])
  })

  test('that are none are refused, each by name', async () => {
    const wrong = [{ source: '', ref: 'x' }, { source: 'mine' }, { source: 'mine', ref: 7 }, {}]
    const { outcomes } = await get([...wrong, `${origin.url}/a.bin`] as never, () => '')
    expect(outcomes.map((each) => each.error?.code ?? each.status)).toEqual([
      ...wrong.map(() => 'ERR_URL_INVALID'),
      'ok',
    ])
  })
})

test('a signed address in a list of plain ones is renewed in the middle of the file', async () => {
  const large = body('large', 5_000_000)
  const cut = faults.firstTimes(1, faults.cutAfter(3_000_000, 'fin'))
  origin.route('/signed.bin', faults.inTurn(withFaults(respond.withRange(large), cut), respond.status(403)))
  origin.route('/fresh.bin', respond.withRange(large))
  const asked: unknown[] = []
  const { dir, outcomes } = await get([`${origin.url}/signed.bin`], (reference, reason) => {
    asked.push({ ...reference, reason })
    return `${origin.url}/fresh.bin`
  })
  expect(outcomes).toMatchObject([{ status: 'ok', path: 'signed.bin' }])
  expect(readFileSync(join(dir, 'signed.bin')).equals(large.bytes())).toBe(true)
  expect(outcomes[0]?.fetchedBytes).toBeLessThan(6_000_000)
  expect(asked).toEqual([{ source: 'url', ref: `${origin.url}/signed.bin`, reason: 'expired' }])
})

test('a digest that is to be computed is asked of the server too', async () => {
  const sha512 = body('/w.bin', 1000).digest('sha512', 'base64')
  const wants: string[] = []
  origin.route('/w.bin', (request) => {
    wants.push(request.headers['want-repr-digest'] ?? '')
    const reply = respond.whole(body('/w.bin', 1000), { headers: { 'Repr-Digest': `sha-512=:${sha512}:` } })
    return reply(request)
  })
  const outcomes: Outcome[] = []
  const hooks = { afterItem: (each: Outcome) => void outcomes.push(each) }
  await trawl.get([`${origin.url}/w.bin`], { dir: newFolder(), digest: 'sha-512', hooks }).result
  expect(wants).toEqual(['sha-512=10'])
  expect(outcomes).toMatchObject([{ status: 'ok', digest: { algorithm: 'sha-512' } }])
})

test('checksums of single inputs: a wrong one is named and harms no other', async () => {
  const good = body('/a.bin', 1000).digest()
  const { outcomes } = await get([
    { url: `${origin.url}/a.bin`, checksum: `sha256:${good}` },
    { url: `${origin.url}/b.bin`, checksum: 'sha-256=12' },
    { url: `${origin.url}/c.bin`, digests: [{ algorithm: 'sha-3' as never, value: good }] },
    { url: `${origin.url}/d.bin`, digests: [{ algorithm: 'sha-256', value: good }] },
    `${origin.url}/e.bin`,
  ])
  expect(outcomes.map((each) => each.error?.code ?? each.status)).toEqual([
    'ok',
    'ERR_INPUT_INVALID',
    'ERR_INPUT_INVALID',
    'ERR_DIGEST_MISMATCH',
    'ok',
  ])
  expect(outcomes[1]).toMatchObject({ input: `${origin.url}/b.bin` })
  expect(outcomes[1]?.error?.message).toBe('not a checksum: sha-256=12')
})

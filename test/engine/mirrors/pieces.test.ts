import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { PieceHashes } from '../../../src/core/index.ts'
import {
  body,
  bodyFrom,
  createFaultOrigin,
  faults,
  respond,
  withFaults,
  type Behaviour,
  type Body,
  type FaultOrigin,
} from '../../../src/testing/index.ts'
import { startNginx } from '../../nginx.ts'
import { describeWith } from '../../programs.ts'
import { EngineCase, outcomeOf, task, type EngineCaseOptions, type RunEnd } from '../engine-case.ts'

let one: FaultOrigin
let two: FaultOrigin
beforeAll(async () => {
  one = await createFaultOrigin()
  two = await createFaultOrigin()
})
afterAll(() => Promise.all([one, two].map((origin) => origin.close())))
beforeEach(() => {
  for (const origin of [one, two]) origin.reset()
})

const pieceBytes = 256 * 1024
const large = body('large', 6_000_011)
const small = body('small', 300_007)

function piecesOf(file: Body): PieceHashes {
  const values: string[] = []
  for (let at = 0; at < file.sizeBytes; at += pieceBytes) {
    values.push(
      createHash('sha256')
        .update(file.read(at, at + pieceBytes))
        .digest('hex'),
    )
  }
  return { algorithm: 'sha-256', pieceBytes, values }
}

/** The file with one byte changed in each of these pieces. */
function corrupted(file: Body, ...pieces: readonly number[]): Body {
  const bytes = file.bytes()
  for (const piece of pieces) bytes[piece * pieceBytes + 7] = (bytes[piece * pieceBytes + 7] ?? 0) ^ 0xff
  return bodyFrom(bytes)
}

const slowly = (file: Body): Behaviour => withFaults(respond.withRange(file), faults.rate(6_000_000))
const retries = (end: RunEnd): string[] =>
  end.events.flatMap((event) => (event.type === 'task.retrying' ? [event.error.message] : []))

async function fetchFile(
  file: Body,
  behaviours: readonly Behaviour[],
  options: EngineCaseOptions = {},
): Promise<{ end: RunEnd; bytes: Buffer | undefined; left: readonly string[] }> {
  const origins = [one, two].slice(0, behaviours.length)
  origins.forEach((origin, i) => origin.route('/f.bin', behaviours[i] ?? respond.status(404)))
  await using sut = new EngineCase(options)
  const urls = origins.map((origin) => `${origin.url}/f.bin`)
  const end = await sut.run([
    task(urls, { pieces: piecesOf(file), ...(urls.length === 1 ? { split: 1 } : {}) }),
  ])
  const { status, path } = outcomeOf(end, '/f.bin')
  return {
    end,
    bytes: status === 'ok' ? readFileSync(join(sut.dir, path ?? '')) : undefined,
    left: readdirSync(sut.dir).filter((name) => name !== '.trawl'),
  }
}

describe.each(['async', 'threads'] as const)('a wrong piece of one mirror (%s)', (mode) => {
  test('is thrown away and comes from the other, and nothing else comes again', async () => {
    const { end, bytes } = await fetchFile(large, [slowly(corrupted(large, 1, 3)), slowly(large)], { mode })
    expect(bytes?.equals(large.bytes())).toBe(true)
    const [first] = retries(end)
    expect(first).toContain('piece 2 of 23 (bytes 262144-524287) is wrong: its sha-256 is ')
    // A wrong piece may have to be asked of both, to know whose it was.
    expect(one.sentBytes + two.sentBytes).toBeLessThan(large.sizeBytes + 3_000_000)
  })

  test('of a small file makes it come from the other', async () => {
    const { bytes } = await fetchFile(
      small,
      [respond.withRange(corrupted(small, 1)), respond.withRange(small)],
      { mode },
    )
    expect(bytes?.equals(small.bytes())).toBe(true)
  })
})

describe('a wrong piece of the only source', () => {
  test('alone is asked again', async () => {
    const { end, bytes } = await fetchFile(large, [
      faults.inTurn(respond.withRange(corrupted(large, 4)), respond.withRange(large)),
    ])
    expect(bytes?.equals(large.bytes())).toBe(true)
    expect(retries(end)).toHaveLength(1)
    expect(one.requests.slice(1).map(({ headers }) => headers['range'])).toEqual(['bytes=1048576-1310719'])
  })

  test('fails the file after it was wrong again, and it gets no name', async () => {
    const { end, left } = await fetchFile(large, [respond.withRange(corrupted(large, 4))])
    const { status, error } = outcomeOf(end, '/f.bin')
    expect({ status, code: error?.code }).toEqual({ status: 'failed', code: 'ERR_DIGEST_MISMATCH' })
    expect(error?.message).toContain('piece 5 of 23 (bytes 1048576-1310719) is wrong')
    expect(left).toEqual([])
    expect(one.requests.length).toBeLessThanOrEqual(8)
  })

  test('in every piece begins anew', async () => {
    const all = corrupted(large, ...Array.from({ length: 23 }, (_, i) => i))
    const { bytes } = await fetchFile(large, [
      faults.inTurn(respond.withRange(all), respond.withRange(large)),
    ])
    expect(bytes?.equals(large.bytes())).toBe(true)
  })

  test('is found where the length is not told', async () => {
    const wrong = withFaults(respond.withRange(corrupted(small, 0)), faults.framing('chunked'))
    const { end } = await fetchFile(small, [wrong])
    expect(outcomeOf(end, '/f.bin').error?.message).toContain('piece 1 of 2 (bytes 0-262143) is wrong')
  })
})

test('a piece that all mirrors have wrong is asked of each, and fails the file', async () => {
  const wrong = corrupted(large, 9)
  const { end, left } = await fetchFile(large, [slowly(wrong), slowly(wrong)])
  const { status, error } = outcomeOf(end, '/f.bin')
  expect({ status, code: error?.code }).toEqual({ status: 'failed', code: 'ERR_DIGEST_MISMATCH' })
  expect(error?.message).toContain('piece 10 of 23')
  expect(left).toEqual([])
  expect(one.sentBytes + two.sentBytes).toBeLessThan(large.sizeBytes + 3_000_000)
})

test('a file that has not as many pieces is left for the mirror that has', async () => {
  const other = body('other', 5_000_000)
  const { bytes, end } = await fetchFile(large, [respond.withRange(other), respond.withRange(large)])
  expect(bytes?.equals(large.bytes())).toBe(true)
  expect(retries(end)).toEqual(['23 pieces of 262144 bytes are expected, the file has 5000000 bytes'])
})

test('a piece that is wrong on disk after a kill comes again', async () => {
  await using sut = new EngineCase()
  one.route('/f.bin', respond.withRange(large, { etag: '"1"' }))
  // The bytes of an earlier run are taken as given until they are compared.
  const wrong = corrupted(large, 2)
  two.route('/f.bin', withFaults(respond.withRange(wrong), faults.shortBy(1_000_000)))
  const wanted = task(`${two.url}/f.bin`, { pieces: piecesOf(large) })
  const end = await sut.run([wanted])
  expect(outcomeOf(end, '/f.bin').status).toBe('failed')
  two.route('/f.bin', respond.withRange(large))
  const again = await sut.run([wanted])
  expect(outcomeOf(again, '/f.bin').status).toBe('ok')
  expect(readFileSync(join(sut.dir, 'f.bin')).equals(large.bytes())).toBe(true)
})

describeWith(['nginx'], 'mirrors of nginx', () => {
  test('a wrong piece of one comes from the other', async () => {
    const limit = 'limit_rate 6m;'
    await using nginx = await startNginx([`${limit} rewrite ^/f.bin$ /wrong.bin;`, limit])
    writeFileSync(join(nginx.www, 'f.bin'), large.bytes())
    writeFileSync(join(nginx.www, 'wrong.bin'), corrupted(large, 0, 22).bytes())
    await using sut = new EngineCase()
    const end = await sut.run([
      task(
        nginx.urls.map((url) => `${url}/f.bin`),
        { pieces: piecesOf(large) },
      ),
    ])
    expect(outcomeOf(end, '/f.bin').status).toBe('ok')
    expect(readFileSync(join(sut.dir, 'f.bin')).equals(large.bytes())).toBe(true)
    expect(retries(end)[0]).toContain('piece 1 of 23')
  })
})

import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bodyFrom, createFaultOrigin, faults, respond } from '../../src/testing/index.ts'
import { EngineCase } from './engine-case.ts'

test('a document that comes with a coding nobody asked for is read without it, within the same bound', async () => {
  await using origin = await createFaultOrigin()
  const text = Buffer.from('{"pages": []}'.repeat(1000))
  origin.route('/*', respond.whole(bodyFrom(gzipSync(text)), { headers: { 'Content-Encoding': 'gzip' } }))
  await using sut = new EngineCase()
  const { bytes } = await sut.engine.fetchDocument(`${origin.url}/manifest.json`)
  expect(bytes.equals(text)).toBe(true)
  await expect(
    sut.engine.fetchDocument(`${origin.url}/manifest.json`, { maxBytes: 5000 }),
  ).rejects.toMatchObject({ code: 'ERR_TOO_LARGE' })
})

test('a part of a document, which nobody asked for, is not taken for the document', async () => {
  await using origin = await createFaultOrigin()
  const text = Buffer.from('<a href="1.jpg"></a><a href="2.jpg"></a>')
  const part = {
    status: 206,
    headers: { 'Content-Range': `bytes 0-19/${text.length}` },
    body: bodyFrom(text.subarray(0, 20)),
  }
  origin.route(
    '/gallery',
    faults.inTurn(() => part, respond.whole(bodyFrom(text))),
  )
  await using sut = new EngineCase()
  const retry = { retries: 2, baseDelayMs: 1, maxDelayMs: 1, maxRetryAfterMs: 1 }
  const { bytes } = await sut.engine.fetchDocument(`${origin.url}/gallery`, { retry })
  expect(bytes.equals(text)).toBe(true)
  origin.route('/gallery', () => part)
  await expect(sut.engine.fetchDocument(`${origin.url}/gallery`, { retry })).rejects.toMatchObject({
    code: 'ERR_RANGE_INVALID',
  })
})

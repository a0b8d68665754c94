import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { bodyFrom, createFaultOrigin, respond } from '../../src/testing/index.ts'
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

import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { isTrawlError } from '../../../src/core/index.ts'
import { extract, fixture, site } from './iiif-documents.ts'

const names = [
  '0024-book-4-toc',
  '0030-multi-volume-collection',
  '0033-choice',
  '0036-composition-from-multiple-images',
  '0040-image-rotation-service-manifest-css',
  '0283-missing-image',
  '0489-multimedia-canvas',
  'bodleian',
  'exhibition-1',
  'iiif-fixture-manifest-with-dimensions',
  'thumbnails',
  'wikimedia-proxy',
]
const documents = names.map((name): unknown => JSON.parse(fixture(name)))

/** Puts something else in the place of some of the values. */
function damage(value: unknown, choose: () => number, instead: readonly unknown[]): unknown {
  if (choose() % 23 === 0) return instead[choose() % instead.length]
  if (Array.isArray(value)) return value.map((one) => damage(one, choose, instead))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, damage(inner, choose, instead)]),
  )
}

it('a broken manifest gives items or an error of ours, never a crash', async () => {
  const instead = [null, 0, -1, 1e308, '', 'x', 'http://[', [], {}, [[]], [null], { id: 5 }, true]
  let broken = 0
  await fc.assert(
    fc.asyncProperty(
      fc.nat(documents.length - 1),
      fc.infiniteStream(fc.nat(1_000_000)),
      async (which, numbers) => {
        const choose = (): number => numbers.next().value ?? 0
        const text = JSON.stringify(damage(documents[which], choose, instead))
        const url = `${site}/m`
        try {
          const { items } = await extract(url, { [url]: text }, { info: 'no', stitch: 'yes' })
          expect(items.length).toBeGreaterThan(0)
        } catch (error) {
          if (!isTrawlError(error)) throw error
          expect(['ERR_SOURCE_PARSE', 'ERR_SOURCE_EMPTY', 'ERR_HTTP_NOT_FOUND']).toContain(error.code)
          broken++
        }
      },
    ),
    { numRuns: 600 },
  )
  expect(broken).toBeGreaterThan(0)
})

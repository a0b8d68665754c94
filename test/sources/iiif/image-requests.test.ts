import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageRequests, parseImageInfo, type ImageWish } from '../../../src/sources/index.ts'
import { largestSize } from '../../../src/sources/iiif/image-requests.ts'

const base = 'https://img.example.net/iiif/a%2Fb'
const context = (version: number) => `http://iiif.io/api/image/${version}/context.json`
const size = { width: 6000, height: 4000 }

const v3 = { '@context': context(3), id: base, type: 'ImageService3', profile: 'level2', ...size }
const v2 = {
  '@context': context(2),
  '@id': base,
  profile: ['http://iiif.io/api/image/2/level2.json'],
  ...size,
}
const v1 = {
  '@context': 'http://library.stanford.edu/iiif/image-api/1.1/context.json',
  '@id': base,
  profile: 'http://library.stanford.edu/iiif/image-api/1.1/compliance.html#level1',
  ...size,
}

function plan(
  json: unknown,
  wish: ImageWish = {},
): { urls: readonly string[]; size: readonly [number, number]; limited: boolean } {
  const { urls, widthPx, heightPx, limited } = imageRequests(parseImageInfo(json, base), wish)
  return { urls: urls.map((url) => url.replace(`${base}/`, '')), size: [widthPx, heightPx], limited }
}

describe('imageRequests', () => {
  it.each([
    ['version 3', v3, ['full/max/0/default.jpg', 'full/6000,4000/0/default.jpg', 'full/full/0/default.jpg']],
    ['version 2', v2, ['full/full/0/default.jpg', 'full/max/0/default.jpg', 'full/6000,/0/default.jpg']],
    ['version 1', v1, ['full/full/0/native.jpg', 'full/6000,/0/native.jpg']],
    [
      'version 1 under its other name',
      {
        ...v1,
        '@context': undefined,
        profile: 'http://library.stanford.edu/iiif/image-api/1.1/conformance.html#level1',
      },
      ['full/full/0/native.jpg', 'full/6000,/0/native.jpg'],
    ],
    [
      'version 2 with the profile of a server that is ahead',
      { ...v2, profile: 'http://iiif.io/api/image/2/level3.json' },
      ['full/full/0/default.jpg', 'full/max/0/default.jpg', 'full/6000,/0/default.jpg'],
    ],
    [
      'level 0 of version 2 with listed sizes',
      {
        ...v2,
        profile: 'http://iiif.io/api/image/2/level0.json',
        sizes: [
          { width: 3000, height: 2000 },
          { width: 300, height: 200 },
        ],
      },
      [
        'full/full/0/default.jpg',
        'full/max/0/default.jpg',
        'full/6000,/0/default.jpg',
        'full/3000,/0/default.jpg',
        'full/3000,2000/0/default.jpg',
      ],
    ],
    [
      'level 0 of version 3 with the full size listed',
      { ...v3, profile: 'level0', sizes: [{ width: 6000, height: 4000 }] },
      ['full/max/0/default.jpg', 'full/6000,4000/0/default.jpg', 'full/full/0/default.jpg'],
    ],
  ])('asks for the whole image of %s', (_name, json, urls) => {
    expect(plan(json)).toEqual({ urls, size: [6000, 4000], limited: false })
  })

  it.each([
    [
      'maxWidth of version 3',
      { ...v3, maxWidth: 1500 },
      [1500, 1000],
      ['full/max/0/default.jpg', 'full/1500,1000/0/default.jpg', 'full/full/0/default.jpg'],
    ],
    [
      'maxArea of version 3',
      { ...v3, maxArea: 6_000_000 },
      [3000, 2000],
      ['full/max/0/default.jpg', 'full/3000,2000/0/default.jpg', 'full/full/0/default.jpg'],
    ],
    [
      'maxWidth of version 2.1, in the profile',
      { ...v2, profile: ['http://iiif.io/api/image/2/level2.json', { maxWidth: 3000, maxHeight: 1000 }] },
      [1500, 1000],
      ['full/max/0/default.jpg', 'full/1500,/0/default.jpg', 'full/!1500,1000/0/default.jpg'],
    ],
    [
      'maxWidth at level 0 of version 2',
      {
        ...v2,
        profile: ['http://iiif.io/api/image/2/level0.json', { maxWidth: 2000 }],
        sizes: [
          { width: 1500, height: 1000 },
          { width: 3000, height: 2000 },
        ],
      },
      [2000, 1333],
      [
        'full/1500,/0/default.jpg',
        'full/1500,1000/0/default.jpg',
        'full/max/0/default.jpg',
        'full/full/0/default.jpg',
      ],
    ],
    [
      'maxWidth at level 0 of version 3',
      { ...v3, profile: 'level0', maxWidth: 2000, sizes: [{ width: 1500, height: 1000 }] },
      [2000, 1333],
      ['full/max/0/default.jpg', 'full/1500,1000/0/default.jpg'],
    ],
  ])('keeps within %s', (_name, json, expected, urls) => {
    expect(plan(json)).toEqual({ urls, size: expected, limited: true })
  })

  it('cuts, turns and colours as the manifest wishes', () => {
    const wish = { region: { x: 10, y: 20, widthPx: 300, heightPx: 100 }, rotation: 90, quality: 'gray' }
    expect(plan(v3, wish)).toEqual({
      urls: [
        '10,20,300,100/max/90/gray.jpg',
        '10,20,300,100/300,100/90/gray.jpg',
        '10,20,300,100/full/90/gray.jpg',
      ],
      size: [100, 300],
      limited: false,
    })
  })

  it('takes png where the server prefers it, with jpg to fall back on, but no format few programs read', () => {
    expect(plan({ ...v3, preferredFormats: ['webp', 'png'] }).urls).toEqual(
      ['png', 'jpg'].flatMap((end) =>
        ['max', '6000,4000', 'full'].map((word) => `full/${word}/0/default.${end}`),
      ),
    )
    expect(plan({ ...v3, preferredFormats: ['webp'] }).urls[0]).toBe('full/max/0/default.jpg')
    expect(plan(v3, { format: 'webp' }).urls[0]).toBe('full/max/0/default.webp')
  })

  it.each([
    'localhost',
    'http://localhost:8080/iiif/x',
    'https://example.org/x',
    '/iiif/x',
    'https://img.example.net/iiif/a%2Fb/',
  ])('does not trust the id %s', (id) => {
    const { urls } = imageRequests(parseImageInfo({ ...v3, id }, base))
    expect(urls.every((url) => url.startsWith(`${base}/`))).toBe(true)
    expect(urls).toHaveLength(3)
  })

  it('tries another sane id last', () => {
    const { urls } = imageRequests(parseImageInfo({ ...v3, id: 'https://images.library.test/x/' }, base))
    expect(urls).toHaveLength(4)
    expect(urls.at(-1)).toBe('https://images.library.test/x/full/max/0/default.jpg')
  })

  it.each([null, [], 'x', {}, { width: 5 }, { width: 'a', height: 'b' }, { width: 0, height: 0 }])(
    'refuses %j as info.json',
    (json) => {
      expect(() => parseImageInfo(json, base)).toThrow(expect.objectContaining({ code: 'ERR_SOURCE_PARSE' }))
    },
  )
})

describe('largestSize', () => {
  it('fits the limits, keeps the shape and wastes little', () => {
    const side = fc.integer({ min: 1, max: 20_000 })
    const limit = fc.option(fc.integer({ min: 1, max: 30_000 }), { nil: undefined })
    fc.assert(
      fc.property(
        side,
        side,
        fc.tuple(limit, limit),
        fc.option(fc.integer({ min: 1, max: 4e8 }), { nil: undefined }),
        (w, h, [maxWidth, maxHeight], maxArea) => {
          const limits = {
            ...(maxWidth === undefined ? {} : { maxWidthPx: maxWidth }),
            ...(maxHeight === undefined ? {} : { maxHeightPx: maxHeight }),
            ...(maxArea === undefined ? {} : { maxAreaPx: maxArea }),
          }
          const got = largestSize({ widthPx: w, heightPx: h }, limits)
          expect(got.widthPx).toBeLessThanOrEqual(Math.min(w, maxWidth ?? w))
          expect(got.heightPx).toBeLessThanOrEqual(h)
          expect(got.widthPx).toBeGreaterThanOrEqual(1)
          expect(got.heightPx).toBeGreaterThanOrEqual(1)
          // One pixel is the least there is, even where a limit asks for less.
          if (got.widthPx > 1 && got.heightPx > 1) {
            expect(got.heightPx).toBeLessThanOrEqual(maxHeight ?? h)
            expect(got.widthPx * got.heightPx).toBeLessThanOrEqual(maxArea ?? Infinity)
          }
          const scale = Math.min(
            1,
            (maxWidth ?? w) / w,
            (maxHeight ?? h) / h,
            Math.sqrt((maxArea ?? w * h) / (w * h)),
          )
          // At most what rounding one row costs.
          expect(got.widthPx + 1).toBeGreaterThan((w * scale * (h * scale)) / (h * scale + 1) - 1)
        },
      ),
      { numRuns: 3000 },
    )
  })
})

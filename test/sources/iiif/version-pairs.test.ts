import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { extract, images, site } from './iiif-documents.ts'

interface Leaf {
  readonly label: string
  readonly kind: 'image' | 'plain' | 'empty' | 'choice'
}

interface Work {
  readonly title: string
  readonly direction: 'left-to-right' | 'right-to-left'
  readonly leaves: readonly Leaf[]
  /** A chapter begins at these leaves; an odd one is below the even one before it. */
  readonly chapters: readonly number[]
}

const text = fc.stringMatching(/^[a-z]{1,6}$/)
const works: fc.Arbitrary<Work> = fc
  .record({
    title: text,
    direction: fc.constantFrom('left-to-right', 'right-to-left'),
    leaves: fc.array(fc.record({ label: text, kind: fc.constantFrom('image', 'plain', 'empty', 'choice') }), {
      minLength: 1,
      maxLength: 6,
    }),
    chapters: fc.uniqueArray(fc.nat(5), { maxLength: 4 }),
  })
  .map((work) => ({
    ...work,
    chapters: work.chapters.filter((at) => at < work.leaves.length).sort((a, b) => a - b),
  }))

const canvasId = (at: number) => `${site}/canvas/${at}`

const image2 = (id: string) => ({
  '@id': `${images}/${id}/full/full/0/default.jpg`,
  '@type': 'dctypes:Image',
  width: 20,
  height: 30,
  service: {
    '@context': 'http://iiif.io/api/image/2/context.json',
    '@id': `${images}/${id}`,
    profile: 'http://iiif.io/api/image/2/level1.json',
  },
})

const resource2 = (leaf: Leaf, at: number) => {
  if (leaf.kind === 'plain')
    return { '@id': `${site}/${at}.jpg`, '@type': 'dctypes:Image', width: 20, height: 30 }
  return leaf.kind === 'choice'
    ? { '@type': 'oa:Choice', default: image2(`${at}`), item: [image2(`${at}x`)] }
    : image2(`${at}`)
}

function version2(work: Work): string {
  return JSON.stringify({
    '@context': 'http://iiif.io/api/presentation/2/context.json',
    '@id': `${site}/m`,
    '@type': 'sc:Manifest',
    label: work.title,
    viewingDirection: work.direction,
    sequences: [
      {
        '@type': 'sc:Sequence',
        canvases: work.leaves.map((leaf, at) => ({
          '@id': canvasId(at),
          '@type': 'sc:Canvas',
          label: leaf.label,
          width: 20,
          height: 30,
          images:
            leaf.kind === 'empty'
              ? []
              : [
                  {
                    '@type': 'oa:Annotation',
                    motivation: 'sc:painting',
                    resource: resource2(leaf, at),
                    on: canvasId(at),
                  },
                ],
        })),
      },
    ],
    structures: work.chapters.map((at, i) => ({
      '@id': `${site}/r/${i}`,
      '@type': 'sc:Range',
      label: `c${i}`,
      canvases: [canvasId(at)],
      ...(i % 2 === 0 && work.chapters[i + 1] !== undefined ? { ranges: [`${site}/r/${i + 1}`] } : {}),
    })),
  })
}

const image3 = (id: string) => ({
  id: `${images}/${id}/full/full/0/default.jpg`,
  type: 'Image',
  width: 20,
  height: 30,
  service: [
    {
      '@id': `${images}/${id}`,
      '@type': 'ImageService2',
      profile: 'http://iiif.io/api/image/2/level1.json',
    },
  ],
})

const body3 = (leaf: Leaf, at: number) => {
  if (leaf.kind === 'plain') return { id: `${site}/${at}.jpg`, type: 'Image', width: 20, height: 30 }
  return leaf.kind === 'choice'
    ? { type: 'Choice', items: [image3(`${at}`), image3(`${at}x`)] }
    : image3(`${at}`)
}

function version3(work: Work): string {
  const range = (i: number): Record<string, unknown> => ({
    id: `${site}/r/${i}`,
    type: 'Range',
    label: { none: [`c${i}`] },
    items: [
      { id: canvasId(work.chapters[i] ?? 0), type: 'Canvas' },
      ...(i % 2 === 0 && work.chapters[i + 1] !== undefined ? [range(i + 1)] : []),
    ],
  })
  return JSON.stringify({
    '@context': 'http://iiif.io/api/presentation/3/context.json',
    id: `${site}/m`,
    type: 'Manifest',
    label: { none: [work.title] },
    viewingDirection: work.direction,
    items: work.leaves.map((leaf, at) => ({
      id: canvasId(at),
      type: 'Canvas',
      label: { none: [leaf.label] },
      width: 20,
      height: 30,
      items:
        leaf.kind === 'empty'
          ? []
          : [
              {
                type: 'AnnotationPage',
                items: [
                  { type: 'Annotation', motivation: 'painting', body: body3(leaf, at), target: canvasId(at) },
                ],
              },
            ],
    })),
    structures: work.chapters.flatMap((_, i) => (i % 2 === 0 ? [range(i)] : [])),
  })
}

it('the same book in version 2 and in version 3 gives the same items', async () => {
  await fc.assert(
    fc.asyncProperty(works, async (work) => {
      const url = `${site}/m`
      const two = await extract(url, { [url]: version2(work) }, { info: 'no' })
      const three = await extract(url, { [url]: version3(work) }, { info: 'no' })
      expect(three.items).toEqual(two.items)
      const chapters = two.items.filter((item) => item.type === 'chapter')
      expect(chapters.map((item) => item.chapter.depth)).toEqual(work.chapters.map((_, i) => i % 2))
      expect(two.items.filter((item) => item.type === 'page')).toHaveLength(work.leaves.length)
    }),
    { numRuns: 150 },
  )
})

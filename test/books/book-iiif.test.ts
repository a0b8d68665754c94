import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import type { BookResult } from '../../src/books/index.ts'
import { openPack } from '../../src/pack/index.ts'
import { createTrawl, type BookJobOptions } from '../../src/session/index.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { jpegPage, useBookOrigin } from './book-origin.ts'

const origin = useBookOrigin()
const folder = tempFolders()

async function book(input: string, options: BookJobOptions): Promise<BookResult | undefined> {
  const trawl = await createTrawl()
  let found: BookResult | undefined
  try {
    const hooks = { afterBook: (result: BookResult) => void (found = result) }
    await trawl.book(input, { retries: 0, hooks, ...options }).result
    return found
  } finally {
    await trawl.close()
  }
}

async function packed(path: string): Promise<readonly { label: string | undefined; bytes: Buffer }[]> {
  const reader = await openPack(path)
  try {
    return await Array.fromAsync(reader.pages(), async (page) => ({
      label: page.label,
      bytes: await page.read(),
    }))
  } finally {
    await reader.close()
  }
}

/** An Image API server: `info.json`, and any size of an image of one colour; `refuse` answers 501 to those forms. */
function serveImage(
  id: string,
  size: { readonly width: number; readonly height: number },
  options: { readonly version: 2 | 3; readonly refuse?: RegExp },
): void {
  const base = `${origin.url}/iiif/${id}`
  const info =
    options.version === 3
      ? {
          '@context': 'http://iiif.io/api/image/3/context.json',
          id: base,
          type: 'ImageService3',
          protocol: 'http://iiif.io/api/image',
          profile: 'level2',
          ...size,
        }
      : {
          '@context': 'http://iiif.io/api/image/2/context.json',
          '@id': base,
          protocol: 'http://iiif.io/api/image',
          profile: ['http://iiif.io/api/image/2/level2.json'],
          ...size,
        }
  origin.set(`/iiif/${id}/info.json`, JSON.stringify(info))
  for (const words of ['max', 'full', `${size.width},${size.height}`, `${size.width},`]) {
    origin.set(`/iiif/${id}/full/${words}/0/default.jpg`, (_, response) => {
      if (options.refuse?.test(words)) {
        response.writeHead(501).end()
        return
      }
      void jpegPage(Number(id.replaceAll(/\D/g, '')), size).then((bytes) => response.end(bytes))
    })
  }
}

function manifest3(): unknown {
  const canvas = (n: number): unknown => ({
    id: `${origin.url}/canvas/${n}`,
    type: 'Canvas',
    label: { en: [`f. ${n}`] },
    width: 200,
    height: 300,
    items: [
      {
        id: `${origin.url}/page/${n}`,
        type: 'AnnotationPage',
        items: [
          {
            id: `${origin.url}/anno/${n}`,
            type: 'Annotation',
            motivation: 'painting',
            target: `${origin.url}/canvas/${n}`,
            body: {
              id: `${origin.url}/iiif/p${n}/full/max/0/default.jpg`,
              type: 'Image',
              format: 'image/jpeg',
              width: 200,
              height: 300,
              service: [{ id: `${origin.url}/iiif/p${n}`, type: 'ImageService3', profile: 'level2' }],
            },
          },
        ],
      },
    ],
  })
  return {
    '@context': 'http://iiif.io/api/presentation/3/context.json',
    id: `${origin.url}/manifest3.json`,
    type: 'Manifest',
    label: { en: ['Three leaves'] },
    items: [1, 2, 3].map(canvas),
  }
}

function manifest2(): unknown {
  const canvas = (n: number): unknown => ({
    '@id': `${origin.url}/canvas/${n}`,
    '@type': 'sc:Canvas',
    label: `p. ${n}`,
    width: 200,
    height: 300,
    images: [
      {
        '@type': 'oa:Annotation',
        motivation: 'sc:painting',
        on: `${origin.url}/canvas/${n}`,
        resource: {
          '@id': `${origin.url}/iiif/q${n}/full/full/0/default.jpg`,
          '@type': 'dctypes:Image',
          format: 'image/jpeg',
          service: {
            '@context': 'http://iiif.io/api/image/2/context.json',
            '@id': `${origin.url}/iiif/q${n}`,
            profile: 'http://iiif.io/api/image/2/level2.json',
          },
        },
      },
    ],
  })
  return {
    '@context': 'http://iiif.io/api/presentation/2/context.json',
    '@id': `${origin.url}/manifest2.json`,
    '@type': 'sc:Manifest',
    label: 'Two leaves',
    sequences: [{ '@type': 'sc:Sequence', canvases: [1, 2].map(canvas) }],
  }
}

test('a Presentation 3 manifest: largest images, in order, with labels; refused forms lead to the next', async () => {
  for (const n of [1, 2, 3]) {
    serveImage(`p${n}`, { width: 200, height: 300 }, { version: 3, ...(n === 2 ? { refuse: /^max$/ } : {}) })
  }
  origin.set('/manifest3.json', JSON.stringify(manifest3()))
  const dir = folder()
  const made = await book(`${origin.url}/manifest3.json`, { dir, formats: ['pdf'] })
  expect(made).toMatchObject({ status: 'done', title: 'Three leaves', missing: [] })
  const pages = await packed(made?.files[0] ?? '')
  expect(pages.map(({ label }) => label)).toEqual(['f. 1', 'f. 2', 'f. 3'])
  const second = await sharp(pages[1]?.bytes).metadata()
  expect([second.width, second.height]).toEqual([200, 300])
})

test('a Presentation 2 manifest', async () => {
  for (const n of [1, 2]) serveImage(`q${n}`, { width: 200, height: 300 }, { version: 2 })
  origin.set('/manifest2.json', JSON.stringify(manifest2()))
  const dir = folder()
  const made = await book(`${origin.url}/manifest2.json`, { dir, formats: ['cbz'] })
  expect(made).toMatchObject({ status: 'done', title: 'Two leaves', pages: 2 })
  expect(readdirSync(dir).filter((name) => name !== '.trawl')).toEqual(['Two leaves.cbz'])
})

function serveLeaves(second: { readonly width: number; readonly height: number }): Promise<void> {
  for (const n of [1, 2, 3]) serveImage(`p${n}`, { width: 200, height: 300 }, { version: 3 })
  origin.set('/manifest3.json', JSON.stringify(manifest3()))
  return jpegPage(2, second).then((bytes) => {
    for (const words of ['max', 'full', '200,300', '200,'])
      origin.set(`/iiif/p2/full/${words}/0/default.jpg`, bytes)
  })
}

test('a server that silently limits sizes: the smaller image is taken after all others, and told of', async () => {
  await serveLeaves({ width: 100, height: 150 })
  const dir = folder()
  const made = await book(`${origin.url}/manifest3.json`, { dir })
  expect(made).toMatchObject({ status: 'done', pages: 3, missing: [] })
  expect(made?.notes).toEqual(['page 2: the image has 100 x 150 pixels, its source says 200 x 300'])
  expect(origin.requests.filter((path) => path.startsWith('/iiif/p2/full/'))).toContain(
    '/iiif/p2/full/200,300/0/default.jpg',
  )
  origin.requests.length = 0
  const again = await book(`${origin.url}/manifest3.json`, { dir })
  expect(again).toMatchObject({ status: 'unchanged', notes: made?.notes })
  expect(origin.requests.filter((path) => path.endsWith('.jpg'))).toEqual([])
})

test('an image of another shape than its source says is a missing page', async () => {
  await serveLeaves({ width: 100, height: 100 })
  const made = await book(`${origin.url}/manifest3.json`, { dir: folder() })
  expect(made).toMatchObject({ status: 'incomplete', files: [] })
  expect(made?.missing).toMatchObject([{ number: 2, error: { code: 'ERR_IMAGE_DIMENSIONS' } }])
})

test('a placeholder is told of by the number and the label of its page, one without an image by its manifest', async () => {
  origin.set('/1.jpg', await jpegPage(1))
  const canvas = (number: number, images: readonly unknown[]): unknown => ({
    '@id': `${origin.url}/c${number}`,
    '@type': 'sc:Canvas',
    label: `f. ${number}r`,
    width: 120,
    height: 180,
    images,
  })
  const image = {
    motivation: 'sc:painting',
    resource: { '@id': `${origin.url}/1.jpg`, '@type': 'dctypes:Image' },
  }
  const manifest = `${origin.url}/manifest.json`
  origin.set(
    '/manifest.json',
    JSON.stringify({
      '@context': 'http://iiif.io/api/presentation/2/context.json',
      '@id': manifest,
      '@type': 'sc:Manifest',
      label: 'Gaps',
      sequences: [{ canvases: [canvas(7, [image]), canvas(8, [])] }],
    }),
  )
  const dir = folder()
  const report = join(dir, 'report.jsonl')
  const made = await book(manifest, { dir, formats: ['cbz'], partial: 'placeholder', report })
  // ComicInfo.xml is stored as it is.
  const container = readFileSync(made?.files[0] ?? '', 'utf8')
  expect(container).toContain('Missing: page 2 (f. 8r): the source lists this page without an image.')
  expect(readFileSync(report, 'utf8')).toContain(`"input":${JSON.stringify(manifest)},"status":"failed"`)
})

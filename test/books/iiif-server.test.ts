import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp, { type Sharp } from 'sharp'
import { afterEach, expect, test } from 'vitest'
import { runMain, type MainEnd } from '../cli/run-main.ts'
import { iipsrvProgram, startIipsrv, type Iipsrv } from '../iipsrv.ts'
import { describeWith } from '../programs.ts'
import { tempFolders } from '../storage/temp-folder.ts'

const folder = tempFolders()
const running: Iipsrv[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server[Symbol.asyncDispose]()))
})

async function serve(env: Readonly<Record<string, string>> = {}): Promise<Iipsrv> {
  const server = await startIipsrv(env)
  running.push(server)
  for (let n = 1; n <= 4; n++) await scan(n).toFile(join(server.www, `leaf ${n}.tif`))
  return server
}

const width = (n: number): number => 500 + n
const height = 700

/** A tiled pyramid, as libraries keep their scans. */
function scan(n: number): Sharp {
  const noise = { type: 'gaussian', mean: 40 * n, sigma: 25 } as const
  return sharp({ create: { width: width(n), height, channels: 3, background: '#000', noise } }).tiff({
    tile: true,
    pyramid: true,
    tileWidth: 256,
    tileHeight: 256,
    compression: 'jpeg',
    quality: 92,
  })
}

const labels = ['[cover]', 'ii', 'iii', '1']
const service = (server: Iipsrv, n: number): string => `${server.url}/iiif/leaf%20${n}.tif`

function manifest3(server: Iipsrv, type: 'ImageService2' | 'ImageService3'): unknown {
  const id = `${server.url}/manifest.json`
  const canvases = labels.map((label, i) => ({
    id: `${id}/canvas/${i + 1}`,
    type: 'Canvas',
    label: { none: [label] },
    width: width(i + 1),
    height,
    items: [{ id: `${id}/page/${i + 1}`, type: 'AnnotationPage', items: [painting(i + 1)] }],
  }))
  function painting(n: number): unknown {
    const base = service(server, n)
    const own = type === 'ImageService3' ? { id: base, type } : { '@id': base, '@type': type }
    return {
      id: `${id}/annotation/${n}`,
      type: 'Annotation',
      motivation: 'painting',
      target: `${id}/canvas/${n}`,
      body: {
        id: `${base}/full/max/0/default.jpg`,
        type: 'Image',
        format: 'image/jpeg',
        service: [{ ...own, profile: 'level1' }],
      },
    }
  }
  const range = (n: number, label: string, pages: readonly number[]): unknown => ({
    id: `${id}/range/${n}`,
    type: 'Range',
    label: { en: [label] },
    items: pages.map((page) => ({ id: `${id}/canvas/${page}`, type: 'Canvas' })),
  })
  return {
    '@context': 'http://iiif.io/api/presentation/3/context.json',
    id,
    type: 'Manifest',
    label: { en: ['Four leaves'] },
    rights: 'http://creativecommons.org/publicdomain/mark/1.0/',
    viewingDirection: 'right-to-left',
    items: canvases,
    structures: [range(1, 'Binding', [1]), range(2, 'Preface', [2, 3]), range(3, 'Text', [4])],
  }
}

function manifest2(server: Iipsrv): unknown {
  const id = `${server.url}/manifest.json`
  const canvases = labels.map((label, i) => ({
    '@id': `${id}/canvas/${i + 1}`,
    '@type': 'sc:Canvas',
    label,
    width: width(i + 1),
    height,
    images: [
      {
        '@type': 'oa:Annotation',
        motivation: 'sc:painting',
        on: `${id}/canvas/${i + 1}`,
        resource: {
          '@id': `${service(server, i + 1)}/full/full/0/default.jpg`,
          '@type': 'dctypes:Image',
          format: 'image/jpeg',
          service: {
            '@context': 'http://iiif.io/api/image/2/context.json',
            '@id': service(server, i + 1),
            profile: 'http://iiif.io/api/image/2/level1.json',
          },
        },
      },
    ],
  }))
  const range = (n: number, label: string, pages: readonly number[]): unknown => ({
    '@id': `${id}/range/${n}`,
    '@type': 'sc:Range',
    label,
    canvases: pages.map((page) => `${id}/canvas/${page}`),
  })
  return {
    '@context': 'http://iiif.io/api/presentation/2/context.json',
    '@id': id,
    '@type': 'sc:Manifest',
    label: 'Four leaves',
    viewingDirection: 'right-to-left',
    sequences: [{ '@type': 'sc:Sequence', canvases }],
    structures: [range(1, 'Binding', [1]), range(2, 'Preface', [2, 3]), range(3, 'Text', [4])],
  }
}

function book(server: Iipsrv, manifest: unknown, dir: string, ...more: readonly string[]): Promise<MainEnd> {
  writeFileSync(join(server.www, 'manifest.json'), JSON.stringify(manifest))
  return runMain(['book', `${server.url}/manifest.json`, '-d', dir, ...more])
}

function run(program: string, ...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  expect(`${status} ${stderr}`).toBe('0 ')
  return stdout
}

interface QpdfJson {
  readonly outlines: readonly { readonly title: string; readonly destpageposfrom1: number }[]
  readonly pagelabels: readonly {
    readonly index: number
    readonly label: Readonly<Record<string, string | number>>
  }[]
}

function outlineOf(pdf: string): readonly (readonly [string, number])[] {
  const json = JSON.parse(run('qpdf', '--json=1', '--json-key=outlines', pdf)) as QpdfJson
  return json.outlines.map(({ title, destpageposfrom1 }) => [title, destpageposfrom1])
}

/** Page labels as qpdf has them: the style and first number or the text, by the page where they begin. */
function labelsOf(pdf: string): readonly unknown[] {
  const json = JSON.parse(run('qpdf', '--json=1', '--json-key=pagelabels', pdf)) as QpdfJson
  return json.pagelabels.map(({ index, label }) => [
    index,
    label['/P'] ?? '',
    label['/S'] ?? '',
    label['/St'],
  ])
}

function imagesOf(pdf: string): readonly { readonly bytes: Buffer; readonly digest: string }[] {
  const dir = folder()
  run('pdfimages', '-all', pdf, join(dir, 'i'))
  return readdirSync(dir)
    .sort()
    .map((name) => readFileSync(join(dir, name)))
    .map((bytes) => ({ bytes, digest: createHash('sha256').update(bytes).digest('hex') }))
}

async function servedDigests(server: Iipsrv, size: string): Promise<readonly string[]> {
  const digests = []
  for (let n = 1; n <= 4; n++) {
    const answer = await fetch(`${service(server, n)}/full/${size}/0/default.jpg`)
    digests.push(
      createHash('sha256')
        .update(Buffer.from(await answer.arrayBuffer()))
        .digest('hex'),
    )
  }
  return digests
}

async function expectWholeBook(server: Iipsrv, made: MainEnd, pdf: string): Promise<void> {
  expect(`${made.code} ${made.stderr}`).toMatch(/^0 /)
  run('qpdf', '--check', pdf)
  const info = run('pdfinfo', pdf)
  expect(info).toMatch(/^Pages:\s+4$/m)
  expect(info).toMatch(/^Title:\s+Four leaves$/m)
  expect(outlineOf(pdf)).toEqual([
    ['Binding', 1],
    ['Preface', 2],
    ['Text', 4],
  ])
  expect(labelsOf(pdf)).toEqual([
    [0, '[cover]', '', 1],
    [1, '', '/r', 2],
    [3, '', '/D', 1],
  ])
  const catalog = run('qpdf', '--json=1', '--json-key=objects', pdf)
  expect(catalog).toContain('"/Direction": "/R2L"')
  expect(imagesOf(pdf).map(({ digest }) => digest)).toEqual(await servedDigests(server, 'full'))
}

describeWith(
  ['nginx', iipsrvProgram, 'qpdf', 'pdfinfo', 'pdfimages'],
  'iipsrv as a IIIF image server',
  () => {
    test('Presentation 3 over Image API 2: the largest images, labels, outline, direction', async () => {
      const server = await serve()
      const dir = folder()
      const made = await book(server, manifest3(server, 'ImageService2'), dir)
      await expectWholeBook(server, made, join(dir, 'Four leaves.pdf'))
    })

    test('Presentation 2', async () => {
      const server = await serve()
      const dir = folder()
      const made = await book(server, manifest2(server), dir)
      await expectWholeBook(server, made, join(dir, 'Four leaves.pdf'))
    })

    test('Presentation 3 over Image API 3', async () => {
      const server = await serve({ IIIF_VERSION: '3' })
      const dir = folder()
      const made = await book(server, manifest3(server, 'ImageService3'), dir)
      expect(`${made.code} ${made.stderr}`).toMatch(/^0 /)
      const images = imagesOf(join(dir, 'Four leaves.pdf'))
      expect(images.map(({ digest }) => digest)).toEqual(await servedDigests(server, 'max'))
    })

    test('a server that limits sizes: its best image, or tiles put together', async () => {
      const server = await serve({ MAX_CVT: '400' })
      const manifest = manifest3(server, 'ImageService2')
      const best = folder()
      expect((await book(server, manifest, best)).code).toBe(0)
      const limited = imagesOf(join(best, 'Four leaves.pdf')).map(({ digest }) => digest)
      expect(limited).toEqual(await servedDigests(server, 'max'))
      const stitched = folder()
      const made = await book(
        server,
        manifest,
        stitched,
        '--source-option',
        'stitch=limited',
        '--pages',
        '1-2',
      )
      expect(`${made.code} ${made.stderr}`).toMatch(/^0 /)
      const images = imagesOf(join(stitched, 'Four leaves.pdf'))
      for (const [i, { bytes }] of images.entries()) {
        const { width: wide, height: high } = await sharp(bytes).metadata()
        expect([wide, high]).toEqual([width(i + 1), height])
      }
      expect(images).toHaveLength(2)
    })

    test('an image that the server no longer has is a missing page with its address', async () => {
      const server = await serve()
      const dir = folder()
      rmSync(join(server.www, 'leaf 3.tif'))
      const made = await book(server, manifest3(server, 'ImageService2'), dir, '--retries', '0')
      expect(made.code).toBe(1)
      expect(made.stderr).toContain(`${service(server, 3)}/full/max/0/default.jpg`)
      expect(readdirSync(dir)).toEqual(['.trawl'])
    })
  },
)

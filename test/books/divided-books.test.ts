import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { openPack } from '../../src/pack/index.ts'
import { runMain } from '../cli/run-main.ts'
import { tempFolders } from '../storage/temp-folder.ts'
import { jpegPage, useBookOrigin } from './book-origin.ts'
import { makeBook, pagesOf } from './make-book.ts'

const origin = useBookOrigin()
const folder = tempFolders()
const finals = (dir: string): readonly string[] => readdirSync(dir).filter((name) => name !== '.trawl')

interface CanvasImage {
  readonly path: string
  readonly at?: string
}

function canvas(id: string, images: readonly CanvasImage[]): unknown {
  const url = `${origin.url}/${id}`
  return {
    id: url,
    type: 'Canvas',
    label: { none: [id] },
    width: 240,
    height: 180,
    items: [
      {
        id: `${url}/page`,
        type: 'AnnotationPage',
        items: images.map(({ path, at = '' }, i) => ({
          id: `${url}/annotation/${i}`,
          type: 'Annotation',
          motivation: 'painting',
          target: `${url}${at}`,
          body: { id: `${origin.url}${path}`, type: 'Image', format: 'image/jpeg', width: 120, height: 180 },
        })),
      },
    ],
  }
}

function manifest(name: string, canvases: readonly unknown[]): string {
  return JSON.stringify({
    '@context': 'http://iiif.io/api/presentation/3/context.json',
    id: `${origin.url}/${name}.json`,
    type: 'Manifest',
    label: { en: [name] },
    items: canvases,
  })
}

test('a collection becomes one book for each manifest, with its place in the series', async () => {
  for (const n of [1, 2]) {
    origin.set(`/v${n}.jpg`, await jpegPage(n))
    origin.set(`/volume${n}.json`, manifest(`Volume ${n}`, [canvas(`c${n}`, [{ path: `/v${n}.jpg` }])]))
  }
  const items = [1, 2].map((n) => ({
    id: `${origin.url}/volume${n}.json`,
    type: 'Manifest',
    label: { en: [`Volume ${n}`] },
  }))
  const collection = {
    '@context': 'http://iiif.io/api/presentation/3/context.json',
    id: `${origin.url}/work.json`,
    type: 'Collection',
    label: { en: ['The work'] },
    behavior: ['multi-part'],
    items,
  }
  origin.set('/work.json', JSON.stringify(collection))
  const dir = folder()
  const made = await makeBook(`${origin.url}/work.json`, { dir, formats: ['cbz'] })
  expect(made.status).toBe('done')
  expect(finals(dir)).toEqual(['Volume 1.cbz', 'Volume 2.cbz'])
  const reader = await openPack(join(dir, 'Volume 2.cbz'))
  await reader.close()
  expect(reader.metadata).toMatchObject({ title: 'Volume 2', series: 'The work', number: '2' })
})

test('several images on one canvas become one page, each in its place', async () => {
  origin.set('/left.jpg', await jpegPage(1))
  origin.set('/right.jpg', await jpegPage(4))
  const images = [
    { path: '/left.jpg', at: '#xywh=0,0,120,180' },
    { path: '/right.jpg', at: '#xywh=120,0,120,180' },
  ]
  origin.set('/spread.json', manifest('Spread', [canvas('s', images)]))
  const made = await makeBook(`${origin.url}/spread.json`, { dir: folder(), formats: ['zip'] })
  expect(made.books[0]).toMatchObject({ status: 'done', pages: 1 })
  const [page] = await pagesOf(made.books[0]?.files[0] ?? '')
  const { data, info } = await sharp(page).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  expect([info.width, info.height]).toEqual([240, 180])
  const at = (x: number): readonly number[] => [...data.subarray((90 * 240 + x) * 3, (90 * 240 + x) * 3 + 3)]
  const far = (found: readonly number[], wanted: readonly number[]): number =>
    Math.max(...found.map((value, i) => Math.abs(value - (wanted[i] ?? 0))))
  expect(far(at(60), [37, 91, 128])).toBeLessThan(6)
  expect(far(at(180), [148, 108, 128])).toBeLessThan(6)
})

async function chapterFolders(names: readonly string[]): Promise<string> {
  const root = join(folder(), 'Series')
  for (const [i, name] of names.entries()) {
    mkdirSync(join(root, name), { recursive: true })
    for (const page of [1, 2]) writeFileSync(join(root, name, `${page}.jpg`), await jpegPage(i * 2 + page))
  }
  return root
}

test('--by chapter makes a file of each, by number, and a new one alone is made later', async () => {
  const root = await chapterFolders(['Chapter 2', 'Chapter 10', 'Chapter 10.5'])
  const dir = folder()
  expect((await runMain(['book', root, '-d', dir, '-f', 'cbz', '--by', 'chapter'])).code).toBe(0)
  const before = [
    'Series - 002 - Chapter 2.cbz',
    'Series - 010 - Chapter 10.cbz',
    'Series - 010.5 - Chapter 10.5.cbz',
  ]
  expect(finals(dir).toSorted()).toEqual(before)
  mkdirSync(join(root, 'Chapter 11'))
  writeFileSync(join(root, 'Chapter 11', '1.jpg'), await jpegPage(9))
  const update = await runMain(['book', root, '-d', dir, '-f', 'cbz', '--by', 'chapter'])
  expect(update.stderr).toContain('made ')
  expect(update.stderr.match(/nothing new in/g)).toHaveLength(3)
  expect(update.stderr).toContain('Chapter 11.cbz (1 page)')
  expect(finals(dir)).toHaveLength(4)
})

test('--by volume makes a file of each volume, with what stands before and behind them', async () => {
  const series = await chapterFolders([
    'Volume 1/Chapter 1',
    'Volume 1/Chapter 2',
    'Volume 2/Chapter 3',
    'Zugabe',
  ])
  writeFileSync(join(series, 'cover.jpg'), await jpegPage(30))
  const dir = folder()
  const how = ['-d', dir, '-f', 'cbz', '--by', 'volume']
  const made = await runMain(['book', series, ...how])
  expect(`${made.code}`, made.stderr).toBe('0')
  const names = ['Series - v01.cbz', 'Series - v02.cbz', 'Series.cbz', 'Series (1).cbz']
  expect(finals(dir).toSorted()).toEqual(names.toSorted())
  const counts = await Promise.all(names.map(async (name) => (await pagesOf(join(dir, name))).length))
  expect(counts).toEqual([4, 2, 1, 2])
  const reader = await openPack(join(dir, 'Series - v02.cbz'))
  await reader.close()
  expect(reader.metadata).toMatchObject({ series: 'Series', volume: 2 })
  const again = await runMain(['book', series, ...how])
  expect(again.stderr.match(/nothing new in/g)).toHaveLength(4)
  expect(finals(dir)).toHaveLength(4)
})

test('volumes are read from titles of flat chapters too', async () => {
  const root = await chapterFolders(['Vol. 1 Ch. 1', 'Vol. 1 Ch. 2', 'Vol. 2 Ch. 3'])
  const dir = folder()
  expect((await runMain(['book', root, '-d', dir, '-f', 'zip', '--by', 'volume'])).code).toBe(0)
  expect(finals(dir).toSorted()).toEqual(['Series - v01.zip', 'Series - v02.zip'])
  const shown = await runMain(['book', root, '--dry-run', '--json', '--chapters', '3'])
  expect((JSON.parse(shown.stdout.toString()) as { pages: readonly string[] }).pages).toHaveLength(2)
  const filtered = ['book', root, '--dry-run', '--json', '--filter', 'chapter.volume == 1.0']
  const some = JSON.parse((await runMain(filtered)).stdout.toString()) as { pages: readonly string[] }
  expect(some.pages).toHaveLength(4)
})

test('--chapters by number, from the end, and together with --pages', async () => {
  const root = await chapterFolders(['Chapter 2', 'Chapter 10', 'Chapter 10.5'])
  const count = async (...args: readonly string[]): Promise<number> => {
    const shown = await runMain(['book', root, '--dry-run', '--json', ...args])
    expect(`${shown.code} ${shown.stderr}`).toBe('0 ')
    return (JSON.parse(shown.stdout.toString()) as { pages: readonly string[] }).pages.length
  }
  expect(await count('--chapters', '10-10.5')).toBe(4)
  expect(await count('--chapters', '-1')).toBe(2)
  expect(await count('--chapters', '2,10.5', '--pages', '2-')).toBe(3)
})

test('a selection or filter that leaves nothing is an error, also in a dry run', async () => {
  const root = await chapterFolders(['Chapter 1'])
  for (const args of [
    ['--pages', '50-'],
    ['--filter', 'page.number > 9'],
    ['--chapters', '7'],
  ]) {
    for (const dry of [['--dry-run'], []]) {
      const ended = await runMain(['book', root, '-d', folder(), ...args, ...dry])
      expect(ended.code, args.join(' ')).toBe(1)
      expect(ended.stderr).toContain('there are no pages')
    }
  }
})

import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import sharp from 'sharp'
import { tempFolders } from '../storage/temp-folder.ts'
import { openPack } from '../../src/pack/index.ts'
import { jpegPage, setPages, useBookOrigin } from './book-origin.ts'
import { digests, makeBook, pagesOf } from './make-book.ts'

const origin = useBookOrigin()
const folder = tempFolders()

/** A picture with something on it, as servers give for what they do not have. */
function notFoundPicture(): Promise<Buffer> {
  const text = Buffer.from(
    '<svg width="120" height="180"><rect width="120" height="180" fill="#fff"/><circle cx="60" cy="90" r="40"/></svg>',
  )
  return sharp(text).jpeg().toBuffer()
}

test('a picture in place of several pages: told of, not archived; refused, those pages are missing', async () => {
  const { list } = await setPages(origin, 6)
  const picture = await notFoundPicture()
  for (const n of [2, 3, 5]) origin.set(`/p${n}.jpg`, picture)
  const dir = folder()
  const archive = join(dir, 'done.txt')
  const sha256 = createHash('sha256').update(picture).digest('hex')
  const first = await makeBook(list, { dir, title: 'Odd', archive, formats: ['cbz'] })
  expect(first.status).toBe('done')
  expect(first.books[0]?.notes).toEqual([
    `pages 2, 3, 5 are one image; if it is no page, give --refuse-image ${sha256}`,
  ])
  const again = await makeBook(list, { dir, title: 'Odd', archive, formats: ['cbz'] })
  expect(again.books[0]?.status).toBe('unchanged')
  expect(existsSync(archive)).toBe(false)
  const refuseImage = [sha256.toUpperCase()]
  const refused = await makeBook(list, { dir, title: 'Odd', archive, formats: ['cbz'], refuseImage })
  expect(refused.books[0]?.missing.map(({ number, error }) => [number, error.code])).toEqual([
    [2, 'ERR_IMAGE_REFUSED'],
    [3, 'ERR_IMAGE_REFUSED'],
    [5, 'ERR_IMAGE_REFUSED'],
  ])
  for (const n of [2, 3, 5]) origin.set(`/p${n}.jpg`, await jpegPage(n))
  origin.requests.length = 0
  const healed = await makeBook(list, { dir, title: 'Odd', archive, formats: ['cbz'], refuseImage })
  expect(healed.books[0]?.status).toBe('done')
  expect(origin.requests.toSorted()).toEqual(['/p2.jpg', '/p3.jpg', '/p5.jpg'])
  expect(readFileSync(archive, 'utf8').trim().split('\n')).toHaveLength(1)
})

test.each([
  ['-2:', [5, 6]],
  ['-1', [6]],
  ['2::2', [2, 4, 6]],
  [':2,-1', [1, 2, 6]],
  ['5-', [5, 6]],
])('--pages %s', async (pages, wanted) => {
  const { list } = await setPages(origin, 6)
  const made = await makeBook(list, { dir: folder(), pages, title: 'Some', formats: ['zip'] })
  const bytes = await Promise.all(wanted.map((n) => jpegPage(n)))
  expect(digests(await pagesOf(made.books[0]?.files[0] ?? ''))).toEqual(digests(bytes))
})

test('a metadata file wins over the source, flags over the file', async () => {
  const { list } = await setPages(origin, 2)
  const dir = folder()
  const metadata = join(dir, 'about.yaml')
  writeFileSync(metadata, 'title: From the file\nauthors: [A, B]\nseries: S\nnumber: 3\nlanguage: fr\n')
  const made = await makeBook(list, { dir, metadata, title: 'From the flag', formats: ['cbz'] })
  const reader = await openPack(made.books[0]?.files[0] ?? '')
  await reader.close()
  expect(reader.metadata).toMatchObject({
    title: 'From the flag',
    authors: ['A', 'B'],
    series: 'S',
    number: '3',
    language: 'fr',
  })
})

test('pages on sheets of one size', async () => {
  const { list } = await setPages(origin, 2)
  origin.set('/p2.jpg', await jpegPage(2, { width: 300, height: 100 }))
  const made = await makeBook(list, { dir: folder(), pageSize: '210x297mm', title: 'Sheets' })
  const pdf = readFileSync(made.books[0]?.files[0] ?? '', 'latin1')
  const boxes = [...pdf.matchAll(/\/MediaBox ?\[([^\]]*)\]/g)].map((match) => match[1]?.trim())
  expect(boxes).toEqual(['0 0 595.2756 841.8898', '0 0 841.8898 595.2756'])
})

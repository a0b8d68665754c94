import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPackWriter, openPack, type PackPage } from '../../../src/pack/index.ts'
import { readPages } from '../pdf/pdf-file.ts'
import { jpegPages } from '../sample-pages.ts'

const root = mkdtempSync(join(tmpdir(), 'trawl-folder-'))
afterAll(() => rmSync(root, { recursive: true }))
let pages: PackPage[] = []
beforeAll(async () => {
  pages = await jpegPages(root, 3)
})
let count = 0
const fresh = () => {
  const dir = join(root, `case-${++count}`)
  mkdirSync(dir)
  return dir
}
const place = (dir: string, names: readonly string[]) => {
  for (const name of names) {
    mkdirSync(dirname(join(dir, name)), { recursive: true })
    writeFileSync(join(dir, name), readFileSync(pages[0]?.path ?? ''))
  }
}

describe('a folder that is read', () => {
  it('gives its images in natural order, and its folders as chapters', async () => {
    const dir = fresh()
    place(dir, [
      'b 10/2.jpg',
      'b 10/1.jpg',
      'b 9/x/3.png',
      'b 9/x/20.png',
      '.hidden/1.jpg',
      'notes.txt',
      '._1.jpg',
    ])
    const found = await readPages(dir)
    expect(
      found.map((page) => [page.name, page.chapters?.map(({ title, depth }) => [title, depth])]),
    ).toEqual([
      [
        'b 9/x/3.png',
        [
          ['b 9', 0],
          ['x', 1],
        ],
      ],
      ['b 9/x/20.png', undefined],
      ['b 10/1.jpg', [['b 10', 0]]],
      ['b 10/2.jpg', undefined],
    ])
  })

  it('has no chapters where all images lie in one folder', async () => {
    const dir = fresh()
    place(dir, ['pages/1.jpg', 'pages/2.jpg'])
    expect((await readPages(dir)).map((page) => page.chapters)).toEqual([undefined, undefined])
  })

  it('does not follow links to folders', async () => {
    const dir = fresh()
    place(dir, ['1.jpg'])
    symlinkSync(dir, join(dir, 'again'))
    symlinkSync(join(dir, '1.jpg'), join(dir, '2.jpg'))
    expect((await readPages(dir)).map((page) => page.name)).toEqual(['1.jpg', '2.jpg'])
  })

  it('tells what its ComicInfo.xml says', async () => {
    const dir = join(fresh(), 'book')
    const writer = createPackWriter('folder', { path: dir, comicInfo: true })
    for (const page of pages) {
      await writer.add({
        ...page,
        ...(page.index === 1 ? { chapters: [{ id: 'a', title: 'Two', depth: 0 }] } : {}),
      })
    }
    await writer.finish({ title: 'The title', direction: 'rtl' })
    const reader = await openPack(dir)
    expect(reader.metadata).toEqual({ title: 'The title', direction: 'rtl' })
    await reader.close()
    expect((await readPages(dir)).map((page) => page.chapters?.[0]?.title)).toEqual([
      undefined,
      'Two',
      undefined,
    ])
  })
})

describe('a folder that is written', () => {
  it('takes the place of an empty one', async () => {
    const dir = fresh()
    const writer = createPackWriter('folder', { path: dir })
    for (const page of pages) await writer.add(page)
    await writer.finish({ title: 'A' })
    expect(readdirSync(dir)).toEqual(['0001.jpg', '0002.jpg', '0003.jpg'])
  })

  it('does not touch one with something inside, and replaces it whole where told', async () => {
    const dir = fresh()
    writeFileSync(join(dir, 'theirs.txt'), 'x')
    expect(() => createPackWriter('folder', { path: dir })).toThrow(
      expect.objectContaining({ code: 'ERR_EXISTS' }),
    )
    const writer = createPackWriter('folder', { path: dir, replace: true })
    for (const page of pages) await writer.add(page)
    await writer.finish({ title: 'A' })
    expect(readdirSync(dir)).toEqual(['0001.jpg', '0002.jpg', '0003.jpg'])
    expect(readdirSync(dirname(dir)).filter((name) => name.includes('trawl-'))).toEqual([])
  })
})

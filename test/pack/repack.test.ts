import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  createPackFan,
  createPackWriter,
  createTarWriter,
  openPack,
  repack,
  type PackFormat,
  type PackPage,
} from '../../src/pack/index.ts'
import { readPages } from './pdf/pdf-file.ts'
import { jpegPages, quadrantImage } from './sample-pages.ts'

const root = mkdtempSync(join(tmpdir(), 'trawl-repack-test-'))
afterAll(() => rmSync(root, { recursive: true }))
const source = join(root, 'source')
const tempDir = join(root, 'temp')
let pages: PackPage[] = []
beforeAll(async () => {
  mkdirSync(source)
  mkdirSync(tempDir)
  pages = await jpegPages(source, 4)
})
const files = () => pages.map((page) => readFileSync(page.path))
let count = 0
const target = (name: string) => {
  const dir = join(root, `case-${++count}`)
  mkdirSync(dir)
  return join(dir, name)
}
const pack = async (input: string, format: PackFormat, path: string): Promise<void> => {
  const reader = await openPack(input)
  await repack(reader, createPackFan([createPackWriter(format, { path })]), {
    metadata: { title: 'T' },
    tempDir,
  })
  await reader.close()
}

describe('packing again', () => {
  it.each<[PackFormat, PackFormat]>([
    ['pdf', 'cbz'],
    ['cbz', 'pdf'],
    ['epub', 'zip'],
    ['zip', 'epub'],
    ['folder', 'folder'],
  ])('from %s to %s keeps the bytes of pages', async (from, to) => {
    const [one, two] = [target('one'), target('two')]
    await pack(source, from, one)
    await pack(one, to, two)
    expect((await readPages(two)).map((page) => page.bytes)).toEqual(files())
    expect(readdirSync(tempDir)).toEqual([])
  })

  it('keeps title, direction, chapters and labels from PDF to EPUB', async () => {
    const [one, two] = [target('one.pdf'), target('two.epub')]
    const writer = createPackWriter('pdf', { path: one })
    for (const page of pages) {
      const label = ['cover', 'i', 'ii', '1'][page.index] ?? ''
      const chapters = page.index === 1 ? { chapters: [{ id: 'c', title: 'The chapter', depth: 0 }] } : {}
      await writer.add({ ...page, label, ...chapters })
    }
    await writer.finish({ title: 'The title', direction: 'rtl', language: 'ja' })
    await pack(one, 'epub', two)
    const reader = await openPack(two)
    expect(reader.metadata).toMatchObject({ title: 'The title', direction: 'rtl', language: 'ja' })
    await reader.close()
    const found = await readPages(two)
    expect(found.map((page) => page.label)).toEqual(['cover', 'i', 'ii', '1'])
    expect(found.map((page) => page.chapters?.[0]?.title)).toEqual([
      undefined,
      'The chapter',
      undefined,
      undefined,
    ])
  })

  it('lets the user say what the container says otherwise', async () => {
    const [one, two] = [target('one.pdf'), target('two.pdf')]
    const first = createPackWriter('pdf', { path: one })
    for (const page of pages) await first.add(page)
    await first.finish({ title: 'Theirs', summary: 'Kept' })
    const reader = await openPack(one)
    await repack(reader, createPackFan([createPackWriter('pdf', { path: two })]), {
      metadata: { title: 'Unused', language: 'de' },
      override: { title: 'Mine' },
      tempDir,
    })
    await reader.close()
    const again = await openPack(two)
    expect(again.metadata).toMatchObject({ title: 'Mine', summary: 'Kept', language: 'de' })
    await again.close()
  })

  it('reads a tar', async () => {
    const [one, two] = [target('one.cbt'), target('two.zip')]
    const tar = createTarWriter({ path: one })
    for (const [i, bytes] of files().entries()) tar.addMember(`page${i + 8}.jpg`, bytes)
    tar.finish()
    await pack(one, 'zip', two)
    expect((await readPages(two)).map((page) => page.bytes)).toEqual(files())
  })

  it('leaves nothing where a page is no image', async () => {
    const dir = join(root, 'broken')
    mkdirSync(dir)
    writeFileSync(join(dir, '1.jpg'), files()[0] ?? '')
    writeFileSync(join(dir, '2.jpg'), '<html>')
    const path = target('book.pdf')
    await expect(pack(dir, 'pdf', path)).rejects.toMatchObject({ code: 'ERR_IMAGE_UNSUPPORTED' })
    expect(readdirSync(join(path, '..'))).toEqual([])
  })

  it('stops when it is cancelled', async () => {
    const path = target('book.pdf')
    const stop = new AbortController()
    const reader = await openPack(source)
    const writers = createPackFan([createPackWriter('pdf', { path })])
    const run = repack(reader, writers, {
      metadata: { title: 'T' },
      signal: stop.signal,
      onPage: (done) => {
        if (done === 2) stop.abort()
      },
    })
    await expect(run).rejects.toMatchObject({ code: 'ERR_CANCELLED' })
    expect(readdirSync(join(path, '..'))).toEqual([])
  })

  it.each([
    ['a RAR archive', Buffer.from('Rar!\x1a\x07\x01\0')],
    ['this file', Buffer.from('hello')],
    ['this file', Buffer.alloc(0)],
  ])('refuses %s', async (what, bytes) => {
    const path = target('book.cbr')
    writeFileSync(path, bytes)
    await expect(openPack(path)).rejects.toMatchObject({
      code: 'ERR_PACK_UNSUPPORTED',
      message: expect.stringContaining(what),
    })
  })
})

describe('several formats at once', () => {
  it('get the same pages', async () => {
    const dir = target('')
    const fan = createPackFan([
      createPackWriter('pdf', { path: join(dir, 'a.pdf') }),
      createPackWriter('cbz', { path: join(dir, 'a.cbz') }),
      createPackWriter('epub', { path: join(dir, 'a.epub') }),
      createPackWriter('folder', { path: join(dir, 'a') }),
      createPackWriter('long', { path: join(dir, 'a.png') }),
    ])
    expect(fan.holdsPages).toBe(true)
    for (const page of pages) expect(await fan.add(page)).toHaveLength(5)
    const packed = await fan.finish({ title: 'A' })
    expect(packed.map((file) => file.path)).toEqual(
      ['a.pdf', 'a.cbz', 'a.epub', 'a', 'a.png'].map((name) => join(dir, name)),
    )
    for (const name of ['a.pdf', 'a.cbz', 'a.epub', 'a']) {
      expect((await readPages(join(dir, name))).map((page) => page.bytes)).toEqual(files())
    }
    expect(await sharp(join(dir, 'a.png')).metadata()).toMatchObject({ width: 40, height: 240 })
    expect(readdirSync(dir).sort()).toEqual(['a', 'a.cbz', 'a.epub', 'a.pdf', 'a.png'])
  })

  it('leave nothing where one of them cannot go on, and name it', async () => {
    const dir = target('')
    const bmp = join(root, 'page.xyz')
    writeFileSync(bmp, (await quadrantImage().webp().toBuffer()).subarray(0, 60))
    const fan = createPackFan([
      createPackWriter('zip', { path: join(dir, 'a.zip') }),
      createPackWriter('epub', { path: join(dir, 'a.epub') }),
    ])
    const [first] = pages
    if (!first) throw new Error('no pages')
    const broken = { ...first, path: bmp, facts: { ...first.facts, format: 'webp' as const } }
    await expect(fan.add(broken)).rejects.toMatchObject({
      code: 'ERR_IMAGE_DAMAGED',
      message: expect.stringMatching(/^epub: /),
    })
    await fan.abort()
    expect(readdirSync(dir)).toEqual([])
  })

  it('keep what was finished before one of them failed', async () => {
    const dir = target('')
    const fan = createPackFan([
      createPackWriter('zip', { path: join(dir, 'a.zip') }),
      createPackWriter('pdf', { path: join(dir, 'a.pdf') }),
      createPackWriter('cbz', { path: join(dir, 'a.cbz') }),
    ])
    for (const page of pages) await fan.add(page)
    writeFileSync(join(dir, 'a.pdf'), 'theirs')
    await expect(fan.finish({ title: 'A' })).rejects.toMatchObject({
      code: 'ERR_EXISTS',
      message: expect.stringContaining('a.zip'),
    })
    expect(readdirSync(dir).sort()).toEqual(['a.pdf', 'a.zip'])
    expect(existsSync(join(dir, 'a.cbz'))).toBe(false)
  })
})

describe('options that cannot be', () => {
  it.each<[string, PackFormat, object, string]>([
    ['a password on CBZ', 'cbz', { password: 'x' }, 'ERR_PACK_UNSUPPORTED'],
    ['a password on a folder', 'folder', { password: 'x' }, 'ERR_PACK_UNSUPPORTED'],
    ['an empty password', 'zip', { password: '' }, 'ERR_PACK_PASSWORD'],
    ['PDF/A with a password', 'pdf', { password: 'x', pdfA: true }, 'ERR_PACK_OPTIONS'],
    ['a page without width', 'pdf', { pageSize: { mode: 'fit-width', widthPt: 0 } }, 'ERR_CONFIG_INVALID'],
    ['no dots an inch', 'pdf', { pageSize: { mode: 'dpi', dpi: Number.NaN } }, 'ERR_CONFIG_INVALID'],
    ['a long image of no format', 'long', {}, 'ERR_PACK_UNSUPPORTED'],
  ])('%s', (_, format, options, code) => {
    const path = target('book.xyz')
    expect(() => createPackWriter(format, { path, ...options })).toThrow(expect.objectContaining({ code }))
    expect(readdirSync(join(path, '..'))).toEqual([])
  })
})

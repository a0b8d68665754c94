import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BookMetadata } from '../../../src/core/index.ts'
import { createPackWriter, openPack, type PackOptions, type PackPage } from '../../../src/pack/index.ts'
import { PartFile } from '../../../src/pack/part-file/index.ts'
import { openZip, ZipFile } from '../../../src/pack/zip/index.ts'
import { epubcheck } from '../../epubcheck.ts'
import { describeWith } from '../../programs.ts'
import { readPages } from '../pdf/pdf-file.ts'
import { jpegPages, noiseImage, pageOf, quadrantImage } from '../sample-pages.ts'

const dir = mkdtempSync(join(tmpdir(), 'trawl-epub-'))
afterAll(() => rmSync(dir, { recursive: true }))
const path = join(dir, 'book.epub')
let pages: PackPage[] = []
beforeAll(async () => {
  pages = await jpegPages(dir, 6)
})

const metadata: BookMetadata = {
  title: 'A <book> & more',
  series: 'The series',
  number: '10.5',
  authors: ['Ada Öst', 'Bo'],
  artists: ['Cy', 'Bo'],
  translators: ['Di'],
  publisher: 'P & Q',
  language: 'ja',
  direction: 'rtl',
  date: '1999-05-07',
  summary: 'Line one\nline two',
  tags: ['a', 'b'],
  rights: 'CC BY 4.0',
  source: 'https://example.org/?a=1&b=2',
}

async function writeEpub(
  list: readonly PackPage[],
  about = metadata,
  options: Partial<PackOptions> = {},
): Promise<void> {
  const writer = createPackWriter('epub', { path, replace: true, durability: 'none', ...options })
  for (const [index, page] of list.entries()) await writer.add({ ...page, index })
  await writer.finish(about)
}

async function textOf(name: string): Promise<string> {
  const archive = await openZip({ path })
  const entry = archive.entries.get(name)
  const text = entry ? archive.read(entry).toString('utf8') : ''
  archive.close()
  return text
}

const withChapters = () =>
  pages.map((page, i): PackPage => {
    const begin = {
      0: [
        { id: '1', title: 'One & only', depth: 0 },
        { id: '1.1', title: 'Part', depth: 1 },
      ],
      3: [{ id: '2', title: '', number: '2', depth: 0 }],
    }[i]
    return {
      ...page,
      label: ['cover', 'i', 'ii', '1', '2', '3'][i] ?? '',
      ...(begin ? { chapters: begin } : {}),
    }
  })

const raw = (bytes: Buffer | undefined) => sharp(bytes).ensureAlpha().raw().toBuffer()

const write = async (files: Record<string, string | Buffer>) => {
  const part = new PartFile({ path, replace: true, durability: 'none' })
  const zip = new ZipFile(part, undefined)
  for (const [name, content] of Object.entries(files)) await zip.add(name, Buffer.from(content))
  await zip.end()
  await part.flush()
  await part.commit()
}

const opf = (items: string, refs: string) =>
  `<opf:package xmlns:opf="http://www.idpf.org/2007/opf"><opf:manifest>${items}</opf:manifest><opf:spine>${refs}</opf:spine></opf:package>`

const check = () => epubcheck(path)

describe('an EPUB', () => {
  it('begins with its type, stored, as the container format asks', async () => {
    await writeEpub(pages)
    const bytes = readFileSync(path)
    expect(bytes.toString('latin1', 30, 58)).toBe('mimetypeapplication/epub+zip')
    expect(bytes.readUInt16LE(8)).toBe(0)
    expect(bytes.readUInt16LE(28)).toBe(0)
  })

  it('gives back what is known of the book, its chapters and its labels', async () => {
    await writeEpub(withChapters())
    const reader = await openPack(path)
    const { artists, authors, translators, ...rest } = metadata
    expect(reader.metadata).toEqual({
      ...rest,
      authors: [...(authors ?? []), artists?.[0]],
      translators,
      identifier: metadata.source,
    })
    await reader.close()
    const found = await readPages(path)
    expect(found.map((page) => page.label)).toEqual(['cover', 'i', 'ii', '1', '2', '3'])
    expect(found.map((page) => page.chapters?.map(({ title, depth }) => [title, depth]))).toEqual([
      [
        ['One & only', 0],
        ['Part', 1],
      ],
      undefined,
      undefined,
      [['Chapter 2', 0]],
      undefined,
      undefined,
    ])
  })

  it('has each page in a viewport of its size, turned pages too', async () => {
    const turned = await pageOf(
      dir,
      'turned.jpg',
      await quadrantImage(60, 40).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    )
    await writeEpub([...pages.slice(0, 1), turned])
    expect(await textOf('OEBPS/pages/0001.xhtml')).toContain('content="width=40, height=60"')
    expect(await textOf('OEBPS/pages/0002.xhtml')).toContain('content="width=40, height=60"')
  })

  it('puts pages on their sides by the direction, and wide pages alone', async () => {
    const wide = await pageOf(dir, 'wide.png', await quadrantImage(100, 50).png().toBuffer())
    const sides = async (direction: 'ltr' | 'rtl') => {
      await writeEpub([...pages.slice(0, 3), wide, ...pages.slice(3, 5)], { ...metadata, direction })
      const opf = await textOf('OEBPS/package.opf')
      expect(opf).toContain(`page-progression-direction="${direction}"`)
      return [...opf.matchAll(/<itemref [^>]*properties="(?:rendition:)?page-spread-([a-z]+)"/g)].map(
        (match) => match[1],
      )
    }
    expect(await sides('ltr')).toEqual(['right', 'left', 'right', 'center', 'left', 'right'])
    expect(await sides('rtl')).toEqual(['left', 'right', 'left', 'center', 'right', 'left'])
  })

  it('takes JPEG, PNG and GIF as they are and converts what readers do not know', async () => {
    const noise = noiseImage({ width: 30, height: 20, channels: 4 })
    const files: [string, Buffer, string][] = [
      ['a.png', await noise.clone().png().toBuffer(), '.png'],
      ['b.gif', await quadrantImage().gif().toBuffer(), '.gif'],
      ['c.webp', await noise.clone().webp({ lossless: true, exact: true }).toBuffer(), '.png'],
      ['d.webp', await quadrantImage().webp().toBuffer(), '.jpg'],
      ['e.avif', await quadrantImage().avif().toBuffer(), '.jpg'],
      ['f.tif', await quadrantImage().tiff().toBuffer(), '.png'],
      ['g.webp', await noise.clone().webp().toBuffer(), '.png'],
    ]
    await writeEpub(await Promise.all(files.map(([name, bytes]) => pageOf(dir, name, bytes))))
    const found = await readPages(path)
    expect(found.map((page) => page.name.slice(-4))).toEqual(files.map(([, , extension]) => extension))
    expect(found[0]?.bytes.equals(files[0]?.[1] ?? Buffer.alloc(0))).toBe(true)
    expect(found[1]?.bytes.equals(files[1]?.[1] ?? Buffer.alloc(0))).toBe(true)
    expect(await raw(found[2]?.bytes)).toEqual(await raw(files[2]?.[1]))
    expect(await raw(found[5]?.bytes)).toEqual(await raw(files[5]?.[1]))
  })

  it('of a book that has no name gets one from its pages', async () => {
    await writeEpub(pages, { title: 'A' })
    const first = /<dc:identifier[^>]*>([^<]+)</.exec(await textOf('OEBPS/package.opf'))?.[1]
    expect(first).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    await writeEpub([...pages].reverse(), { title: 'A' })
    expect(await textOf('OEBPS/package.opf')).not.toContain(first)
  })

  it('refuses a password', () => {
    expect(() => createPackWriter('epub', { path, password: 'x' })).toThrow(
      expect.objectContaining({ code: 'ERR_PACK_UNSUPPORTED' }),
    )
  })
})

describe('EPUBs of other programs', () => {
  const container =
    '<container><rootfiles><rootfile full-path="content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>'
  it('may show pages as SVG, with names that are escaped', async () => {
    await write({
      mimetype: 'application/epub+zip',
      'META-INF/container.xml': container,
      'content.opf': opf(
        '<opf:item id="a" href="t/a%20b.xhtml" media-type="application/xhtml+xml"/>',
        '<opf:itemref idref="a"/>',
      ),
      't/a b.xhtml':
        '<html xmlns:xlink="x"><body><svg:svg xmlns:svg="s"><svg:image xlink:href="../i/p%201.jpg"/></svg:svg></body></html>',
      'i/p 1.jpg': readFileSync(pages[0]?.path ?? ''),
    })
    const found = await readPages(path)
    expect(found.map((page) => page.name)).toEqual(['i/p 1.jpg'])
  })

  it('of text are refused', async () => {
    await write({
      mimetype: 'application/epub+zip',
      'META-INF/container.xml': container,
      'content.opf': opf(
        '<opf:item id="a" href="a.xhtml" media-type="application/xhtml+xml"/>',
        '<opf:itemref idref="a"/>',
      ),
      'a.xhtml': '<html><body><p>Text</p></body></html>',
    })
    await expect(readPages(path)).rejects.toMatchObject({ code: 'ERR_PACK_UNSUPPORTED' })
  })

  it.each([
    ['no package', { mimetype: 'application/epub+zip', 'META-INF/container.xml': '<container/>' }],
    ['broken XML', { mimetype: 'application/epub+zip', 'META-INF/container.xml': '<container>' }],
    ['a package that is nowhere', { mimetype: 'application/epub+zip', 'META-INF/container.xml': container }],
  ])('with %s are refused', async (_, files) => {
    await write(files)
    await expect(openPack(path)).rejects.toMatchObject({ code: 'ERR_PACK_DAMAGED' })
  })
})

describeWith(['epubcheck', 'java'], 'EPUBs under epubcheck', () => {
  it('have no errors and no warnings', { timeout: 120_000 }, async () => {
    const gif = await pageOf(dir, 'x.gif', await quadrantImage().gif().toBuffer())
    const webp = await pageOf(dir, 'y.webp', await quadrantImage().webp().toBuffer())
    const wide = await pageOf(dir, 'z.png', await quadrantImage(100, 50).png().toBuffer())
    await writeEpub([...withChapters(), gif, webp, wide])
    expect(check()).toEqual([])
    await writeEpub(pages.slice(0, 1), { title: 'Plain', direction: 'ttb' })
    expect(check()).toEqual([])
  })
})

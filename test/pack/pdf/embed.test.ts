import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, describe, expect, it } from 'vitest'
import { probeImage } from '../../../src/images/index.ts'
import { createPackWriter, type PackPage } from '../../../src/pack/index.ts'
import { isUsableProfile, srgbProfile } from '../../../src/pack/pdf/icc-profile.ts'
import { nameOf } from '../../../src/pack/pdf/read/pdf-object.ts'
import { describeWith } from '../../programs.ts'
import { noiseImage, pageOf, quadrantImage, quadrants } from '../sample-pages.ts'
import { imageDict, inspectPdf, readPages, writePdf } from './pdf-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'trawl-embed-'))
afterAll(() => rmSync(dir, { recursive: true }))
const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))
let count = 0
const page = (name: string, bytes: Buffer): Promise<PackPage> => pageOf(dir, `${++count}-${name}`, bytes)
const path = join(dir, 'book.pdf')

/** Samples of an image as they are, without any conversion of colours. */
async function samples(bytes: Buffer, deep = false): Promise<number[]> {
  const image = sharp(bytes, { ignoreIcc: true }).ensureAlpha()
  const { data } = await image
    .toColourspace(deep ? 'rgb16' : 'srgb')
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return deep ? [...new Uint16Array(data.buffer, data.byteOffset, data.length / 2)] : [...data]
}

const noise = (channels: 1 | 2 | 3 | 4, deep = false) => noiseImage({ width: 37, height: 23, channels, deep })
const palette = () => quadrantImage(50, 30).png({ palette: true }).toBuffer()

const alpha = (list: number[]) => list.filter((_, i) => i % 4 === 3)
const four = () => quadrantImage(120, 80)

describe('images that go in untouched', () => {
  it.each<[string, () => Promise<Buffer>]>([
    ['baseline.jpg', () => noise(3).jpeg().toBuffer()],
    ['progressive.jpg', () => noise(3).jpeg({ progressive: true }).toBuffer()],
    ['grey.jpg', () => noise(1).jpeg().toBuffer()],
    ['cmyk.jpg', () => quadrantImage().toColourspace('cmyk').jpeg().toBuffer()],
    ['profile.jpg', () => quadrantImage().withIccProfile('p3').jpeg().toBuffer()],
    ['file.jp2', () => Promise.resolve(fixture('rgb.jp2'))],
    ['alpha.jp2', () => Promise.resolve(fixture('rgba.jp2'))],
  ])('%s', async (name, make) => {
    const original = await make()
    await writePdf(path, [await page(name, original)])
    const [found] = await readPages(path)
    expect(found?.bytes.equals(original)).toBe(true)
    expect(readFileSync(path).includes(original)).toBe(true)
  })

  it('a bare JPEG 2000 codestream, with the boxes of a file before it', async () => {
    const original = fixture('rgb.j2k')
    await writePdf(path, [await page('bare.jp2', original)])
    const [found] = await readPages(path)
    expect(found?.bytes.subarray(-original.length).equals(original)).toBe(true)
    expect(found?.bytes.toString('latin1', 4, 8)).toBe('jP  ')
  })

  it('the first image only of several in one JPEG', async () => {
    const original = fixture('two.mpo')
    await writePdf(path, [await page('two.jpg', original)])
    const [found] = await readPages(path)
    const bytes = found?.bytes ?? Buffer.alloc(0)
    expect(bytes.equals(original.subarray(0, bytes.length))).toBe(true)
    expect(bytes.subarray(-2).toString('hex')).toBe('ffd9')
    expect(original.indexOf(Buffer.from('ffd8ff', 'hex'), 2)).toBe(bytes.length)
  })

  it('group 4 fax data of a TIFF', async () => {
    const original = fixture('fax.tif')
    await writePdf(path, [await page('fax.tif', original)])
    const [found] = await readPages(path)
    expect(found?.name).toMatch(/\.tif$/)
    expect(await samples(found?.bytes ?? Buffer.alloc(0))).toEqual(await samples(original))
  })
})

describe('images that lose nothing', () => {
  it.each<[string, () => Promise<Buffer>, boolean]>([
    ['rgb.png', () => noise(3).png().toBuffer(), false],
    ['grey.png', () => noise(1).png().toBuffer(), false],
    ['rgb16.png', () => noise(3, true).png().toBuffer(), true],
    ['grey16.png', () => noise(1, true).png().toBuffer(), true],
    ['rgba.png', () => noise(4).png().toBuffer(), false],
    ['grey-alpha.png', () => noise(2).png().toBuffer(), false],
    ['rgba16.png', () => noise(4, true).png().toBuffer(), true],
    ['interlaced.png', () => noise(3).png({ progressive: true }).toBuffer(), false],
    ['interlaced-rgba16.png', () => noise(4, true).png({ progressive: true }).toBuffer(), true],
    ['palette.png', palette, false],
    ['palette-alpha.png', () => noise(4).png({ palette: true }).toBuffer(), false],
    ['lossless.webp', () => noise(3).webp({ lossless: true }).toBuffer(), false],
    ['lossless-alpha.webp', () => noise(4).webp({ lossless: true, exact: true }).toBuffer(), false],
    ['page.gif', () => quadrantImage().gif().toBuffer(), false],
    ['page.tif', () => noise(3).tiff({ compression: 'lzw' }).toBuffer(), false],
    ['deep.tif', () => noise(3, true).tiff({ compression: 'deflate' }).toBuffer(), true],
  ])('%s', async (name, make, deep) => {
    const original = await make()
    await writePdf(path, [await page(name, original)])
    const [found] = await readPages(path)
    expect(found?.name).toMatch(/\.png$/)
    expect(await samples(found?.bytes ?? Buffer.alloc(0), deep)).toEqual(await samples(original, deep))
  })

  it('keeps the compressed data of a plain PNG as they are', async () => {
    const original = await noise(3).png().toBuffer()
    await writePdf(path, [await page('plain.png', original)])
    const start = original.indexOf('IDAT') + 4
    const data = original.subarray(start, start + original.readUInt32BE(start - 8))
    expect(readFileSync(path).includes(data)).toBe(true)
  })

  it('joins the data of a PNG in many chunks', async () => {
    const original = await noiseImage({ width: 300, height: 200, channels: 3 }).png().toBuffer()
    const split = splitData(original, 1000)
    expect(split.toString('latin1').split('IDAT').length).toBeGreaterThan(50)
    await writePdf(path, [await page('split.png', split)])
    const [found] = await readPages(path)
    expect(await samples(found?.bytes ?? Buffer.alloc(0))).toEqual(await samples(original))
  })

  it('keeps one transparent colour as a colour key', async () => {
    const original = withTransparentColour(await noise(3).png().toBuffer())
    await writePdf(path, [await page('key.png', original)])
    inspectPdf(path, (document) => {
      expect(document.resolve(imageDict(document, 0).get('Mask'))).toEqual([220, 220, 30, 30, 30, 30])
    })
    const [found] = await readPages(path)
    expect(await samples(found?.bytes ?? Buffer.alloc(0))).toEqual(await samples(original))
  })

  it('makes no mask of alpha that hides nothing', async () => {
    await writePdf(path, [await page('opaque.png', await noise(3).ensureAlpha(1).png().toBuffer())])
    inspectPdf(path, (document) => expect(imageDict(document, 0).has('SMask')).toBe(false))
  })
})

describe('images that are made into JPEG', () => {
  it.each<[string, () => Promise<Buffer>]>([
    ['lossy.webp', () => quadrantImage().webp().toBuffer()],
    ['page.avif', () => quadrantImage().avif().toBuffer()],
  ])('%s, unless all is to stay as it is', async (name, make) => {
    const original = await make()
    await writePdf(path, [await page(name, original)])
    expect((await readPages(path))[0]?.name).toMatch(/\.jpg$/)
    await writePdf(path, [await page(name, original)], { recode: 'lossless' })
    const [found] = await readPages(path)
    expect(await samples(found?.bytes ?? Buffer.alloc(0))).toEqual(await samples(original))
  })

  it('keeps the alpha of a lossy WebP exactly', async () => {
    const original = await noise(4).webp({ quality: 60, alphaQuality: 100 }).toBuffer()
    await writePdf(path, [await page('alpha.webp', original)])
    inspectPdf(path, (document) => expect(nameOf(imageDict(document, 0).get('Filter'))).toBe('DCTDecode'))
    const [found] = await readPages(path)
    expect(alpha(await samples(found?.bytes ?? Buffer.alloc(0)))).toEqual(alpha(await samples(original)))
  })

  it('lays alpha on white where asked', async () => {
    const clear = await sharp({
      create: { width: 8, height: 8, channels: 4, background: { r: 9, g: 9, b: 9, alpha: 0 } },
    })
      .png()
      .toBuffer()
    await writePdf(path, [await page('clear.png', clear)], { flatten: true })
    inspectPdf(path, (document) => expect(imageDict(document, 0).has('SMask')).toBe(false))
    const [found] = await readPages(path)
    expect(new Set(await samples(found?.bytes ?? Buffer.alloc(0)))).toEqual(new Set([255]))
  })
})

describe('colours', () => {
  it('inverts four components only where Adobe wrote them', async () => {
    const cmyk = await quadrantImage().toColourspace('cmyk').jpeg().toBuffer()
    const adobe = cmyk.indexOf('Adobe')
    const without = Buffer.from(cmyk)
    without.write('Other', adobe, 'latin1')
    await writePdf(path, [await page('adobe.jpg', cmyk), await page('other.jpg', without)])
    inspectPdf(path, (document) => {
      expect(document.resolve(imageDict(document, 0).get('Decode'))).toEqual([1, 0, 1, 0, 1, 0, 1, 0])
      expect(imageDict(document, 1).has('Decode')).toBe(false)
    })
  })

  it('writes one object for equal profiles, and none for profiles that do not fit', async () => {
    const first = await quadrantImage().withIccProfile('p3').jpeg().toBuffer()
    const second = await quadrantImage(90, 20).withIccProfile('p3').png().toBuffer()
    const paletted = await quadrantImage().withIccProfile('p3').png({ palette: true }).toBuffer()
    await writePdf(path, [
      await page('a.jpg', first),
      await page('b.png', second),
      await page('c.png', paletted),
    ])
    inspectPdf(path, (document) => {
      const spaces = [0, 1, 2].map((index) => document.resolve(imageDict(document, index).get('ColorSpace')))
      expect(spaces[1]).toEqual(spaces[0])
      expect(Array.isArray(spaces[2]) && nameOf(spaces[2][0])).toBe('Indexed')
    })
  })
})

describe('pages that cannot go in', () => {
  it('say so, and another page may take their place', async () => {
    const target = join(dir, 'placed.pdf')
    const writer = createPackWriter('pdf', { path: target })
    const good = await page('good.jpg', await noise(3).jpeg().toBuffer())
    const cut = await page('cut.webp', (await noise(3).webp().toBuffer()).subarray(0, 500))
    await writer.add(good)
    await expect(writer.add({ ...cut, index: 1 })).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_IMAGE_/),
    })
    await writer.add({ ...good, index: 1 })
    await writer.finish({ title: 'A book' })
    expect(await readPages(target)).toHaveLength(2)
  })
})

describe('equal pages', () => {
  it('share their bytes where their digest is known', async () => {
    const original = await page(
      'same.jpg',
      await noiseImage({ width: 200, height: 200, channels: 3 }).jpeg().toBuffer(),
    )
    const digest = { algorithm: 'sha-256', value: 'ab'.repeat(32) } as const
    const writer = createPackWriter('pdf', { path, replace: true })
    const first = await writer.add({ ...original, digest })
    const second = await writer.add({ ...original, digest, index: 1 })
    const third = await writer.add({ ...original, index: 2 })
    const { sizeBytes } = await writer.finish({ title: 'A book' })
    expect(second).toEqual(first)
    expect(third.offset).not.toBe(first.offset)
    expect(sizeBytes).toBeLessThan(original.facts.sizeBytes * 2.5)
    expect(await readPages(path)).toHaveLength(3)
  })
})

describeWith(['qpdf', 'pdfimages', 'pdftoppm'], 'PDFs seen by other programs', () => {
  it('come out of pdfimages as the bytes that went in', async () => {
    const jpeg = await noise(3).jpeg().toBuffer()
    const jp2 = fixture('rgb.jp2')
    await writePdf(path, [await page('a.jpg', jpeg), await page('b.jp2', jp2)])
    execFileSync('pdfimages', ['-all', path, join(dir, 'out')])
    expect(readFileSync(join(dir, 'out-000.jpg')).equals(jpeg)).toBe(true)
    expect(readFileSync(join(dir, 'out-001.jp2')).equals(jp2)).toBe(true)
  })

  it('show every format upright and in its colours', async () => {
    const files: [string, Buffer][] = [
      [
        'p3.jpg',
        await four().withIccProfile('p3').jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(),
      ],
      ['palette.png', await four().png({ palette: true }).toBuffer()],
      ['interlaced.png', await four().png({ progressive: true }).toBuffer()],
      ['deep.png', await four().toColourspace('rgb16').png().toBuffer()],
      ['alpha.png', await four().ensureAlpha(0.999).png().toBuffer()],
      ['lossy.webp', await four().webp({ quality: 95 }).toBuffer()],
      ['page.avif', await four().avif({ quality: 90 }).toBuffer()],
      ['page.gif', await four().gif().toBuffer()],
    ]
    for (let turn = 1; turn <= 8; turn++) {
      const jpeg = four()
        .withMetadata({ orientation: turn })
        .jpeg({ quality: 95, chromaSubsampling: '4:4:4' })
      files.push([`turn-${turn}.jpg`, await jpeg.toBuffer()])
    }
    const pages = await Promise.all(files.map(([name, bytes]) => page(name, bytes)))
    await writePdf(path, pages, { pageSize: { mode: 'dpi', dpi: 72 } })
    execFileSync('qpdf', ['--check', path], { stdio: 'pipe' })
    const out = mkdtempSync(join(dir, 'render-'))
    execFileSync('pdftoppm', ['-r', '72', '-png', path, join(out, 'p')])
    const shown = readdirSync(out).sort()
    expect(shown).toHaveLength(files.length)
    for (const [i, name] of shown.entries()) {
      const [file, bytes] = files[i] ?? ['', Buffer.alloc(0)]
      const expected = await cornerColours(
        await sharp(bytes).autoOrient().toColourspace('srgb').png().toBuffer(),
      )
      const found = await cornerColours(readFileSync(join(out, name)))
      expect(found.size, file).toEqual(expected.size)
      for (const [c, colour] of found.colours.entries()) {
        expect(
          distance(colour, expected.colours[c] ?? []),
          `${file}, corner ${c}: ${colour.join(' ')}`,
        ).toBeLessThan(16)
      }
    }
    const upright = await cornerColours(readFileSync(join(out, shown[0] ?? '')))
    for (const [c, colour] of upright.colours.entries()) {
      expect(distance(colour, [...(quadrants[c] ?? [])])).toBeLessThan(16)
    }
  })

  it('show fax data black on white, whichever way the TIFF counts', async () => {
    const original = fixture('fax.tif')
    const field = original.indexOf(Buffer.from([0x06, 0x01, 3, 0]))
    const turned = Buffer.from(original)
    turned[field + 8] = 0
    await writePdf(path, [await page('one.tif', original), await page('other.tif', turned)], {
      pageSize: { mode: 'dpi', dpi: 72 },
    })
    const out = mkdtempSync(join(dir, 'fax-'))
    execFileSync('pdftoppm', ['-r', '72', '-png', path, join(out, 'p')])
    const [one, other] = readdirSync(out).sort()
    for (const [name, tiff] of [
      [one, original],
      [other, turned],
    ] as const) {
      const expected = await samples(tiff)
      const found = await samples(readFileSync(join(out, name ?? '')))
      const same = found.filter((value, i) => value > 127 === (expected[i] ?? 0) > 127).length
      // Edges may be softened.
      expect(same / expected.length).toBeGreaterThan(0.85)
    }
  })
})

async function cornerColours(bytes: Buffer): Promise<{ size: number[]; colours: number[][] }> {
  const { data, info } = await sharp(bytes).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  const { width, height, channels } = info
  const at = (x: number, y: number) => [
    ...data.subarray((y * width + x) * channels, (y * width + x) * channels + 3),
  ]
  const [left, right] = [Math.floor(width / 4), Math.floor((width * 3) / 4)]
  const [top, bottom] = [Math.floor(height / 4), Math.floor((height * 3) / 4)]
  return {
    size: [width, height],
    colours: [at(left, top), at(right, top), at(left, bottom), at(right, bottom)],
  }
}

function distance(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - (b[i] ?? 0))))
}

/** The same PNG with its image data in chunks of so many bytes. */
function splitData(png: Buffer, size: number): Buffer {
  const start = png.indexOf('IDAT') - 4
  const parts: Buffer[] = []
  let end = start
  while (png.toString('latin1', end + 4, end + 8) === 'IDAT') {
    const length = png.readUInt32BE(end)
    parts.push(png.subarray(end + 8, end + 8 + length))
    end += 12 + length
  }
  const data = Buffer.concat(parts)
  const chunks: Buffer[] = []
  for (let at = 0; at < data.length; at += size) {
    const part = data.subarray(at, at + size)
    const head = Buffer.alloc(8)
    head.writeUInt32BE(part.length)
    head.write('IDAT', 4, 'latin1')
    chunks.push(head, part, crcOf(Buffer.concat([head.subarray(4), part])))
  }
  return Buffer.concat([png.subarray(0, start), ...chunks, png.subarray(end)])
}

/** The same PNG with a tRNS chunk that makes the colour 220 30 30 transparent. */
function withTransparentColour(png: Buffer): Buffer {
  const start = png.indexOf('IDAT') - 4
  const body = Buffer.from([0, 220, 0, 30, 0, 30])
  const head = Buffer.from([0, 0, 0, 6, 0x74, 0x52, 0x4e, 0x53])
  return Buffer.concat([
    png.subarray(0, start),
    head,
    body,
    crcOf(Buffer.concat([head.subarray(4), body])),
    png.subarray(start),
  ])
}

function crcOf(bytes: Buffer): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(crc32(bytes))
  return out
}

describe('turned pages', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'come out with orientation %i, though the files did not tell',
    async (orientation) => {
      const files: [string, Buffer][] = [
        ['plain.png', await noise(3).png().toBuffer()],
        ['plain.jpg', await noise(3).jpeg().toBuffer()],
      ]
      const pages = await Promise.all(files.map(([name, bytes]) => page(name, bytes)))
      const turned = pages.map((each) => ({ ...each, facts: { ...each.facts, orientation } }))
      await writePdf(path, turned)
      for (const [i, found] of (await readPages(path)).entries()) {
        expect(probeImage(found.bytes)?.orientation).toBe(orientation)
        expect(await samples(found.bytes)).toEqual(await samples(files[i]?.[1] ?? Buffer.alloc(0)))
      }
    },
  )
})

describe('the sRGB profile', () => {
  it('is one that colour engines take, and means sRGB', async () => {
    const profile = join(dir, 'srgb.icc')
    writeFileSync(profile, srgbProfile())
    expect(isUsableProfile(srgbProfile(), 3)).toBe(true)
    const before = await samples(await noise(3).png().toBuffer())
    const after = await samples(await noise(3).withIccProfile(profile).png().toBuffer())
    expect(distance(after, before)).toBeLessThanOrEqual(1)
    expect(await sharp(await noise(3).withIccProfile(profile).jpeg().toBuffer()).metadata()).toMatchObject({
      icc: srgbProfile(),
    })
  })
})

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { probeImage, probeImageFile, shownSize, sniffFormat } from '../../src/images/index.ts'
import {
  animation,
  bmp,
  chainTiff,
  heic,
  HEIGHT,
  isoBox,
  jp2,
  jpeg2000Stream,
  jxlHeader,
  makeFiles,
  noise,
  page,
  u16,
  u32,
  WIDTH,
  withSegment,
} from './fixtures.ts'

const encoded: Record<string, () => Promise<Buffer>> = {
  jpeg: () => page().jpeg().toBuffer(),
  'jpeg 4:4:4': () => page().jpeg({ chromaSubsampling: '4:4:4' }).toBuffer(),
  'jpeg progressive': () => page().jpeg({ progressive: true }).toBuffer(),
  'jpeg grey': () => page(WIDTH, HEIGHT, 1).toColourspace('b-w').jpeg().toBuffer(),
  'jpeg cmyk': () => page().toColourspace('cmyk').jpeg().toBuffer(),
  'jpeg with profile': () => page().withIccProfile('p3').jpeg().toBuffer(),
  png: () => page().png({ compressionLevel: 1 }).toBuffer(),
  'png interlaced': () => page().png({ progressive: true, compressionLevel: 1 }).toBuffer(),
  'png palette': () => page().png({ palette: true, effort: 1 }).toBuffer(),
  'png bilevel': () => page(WIDTH, HEIGHT, 1).threshold(60).png({ palette: true, colours: 2 }).toBuffer(),
  'png grey': () => page(WIDTH, HEIGHT, 1).toColourspace('b-w').png().toBuffer(),
  'png alpha': () => page(WIDTH, HEIGHT, 4).png({ compressionLevel: 1 }).toBuffer(),
  'png 16 bits': () => page().toColourspace('rgb16').png({ compressionLevel: 1 }).toBuffer(),
  'webp lossy': () => page().webp({ effort: 0 }).toBuffer(),
  'webp lossless': () => page().webp({ lossless: true, effort: 0 }).toBuffer(),
  'webp alpha': () => page(WIDTH, HEIGHT, 4).webp({ effort: 0 }).toBuffer(),
  'webp animated': () => animation().webp({ effort: 0 }).toBuffer(),
  gif: () => page(120, 90).gif({ effort: 1 }).toBuffer(),
  'gif animated': () => animation().gif({ effort: 1 }).toBuffer(),
  avif: () => page(120, 90).avif({ effort: 0 }).toBuffer(),
  'avif alpha': () => page(120, 90, 4).avif({ effort: 0 }).toBuffer(),
  tiff: () => page().tiff({ compression: 'lzw' }).toBuffer(),
  'tiff bilevel': () =>
    page(WIDTH, HEIGHT, 1).toColourspace('b-w').tiff({ bitdepth: 1, compression: 'none' }).toBuffer(),
  'tiff cmyk': () => page().toColourspace('cmyk').tiff({ compression: 'none' }).toBuffer(),
  'tiff tiled': () => page().tiff({ tile: true, tileWidth: 128, tileHeight: 128 }).toBuffer(),
  'one pixel': () => page(1, 1).png().toBuffer(),
  '30,000 pixels tall': () => page(8, 30_000).jpeg().toBuffer(),
}

const names = Object.keys(encoded)
let file: (name: string) => Buffer
let dir: string

beforeAll(async () => {
  file = await makeFiles(encoded)
  dir = await mkdtemp(join(tmpdir(), 'trawl-probe-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('probeImage', () => {
  it.each(names)('says the same of %s as the decoder', async (name) => {
    const bytes = file(name)
    const facts = probeImage(bytes)!
    const meta = await sharp(bytes).metadata()
    const format = meta.format === 'heif' ? 'avif' : meta.format
    expect(facts).toMatchObject({
      format,
      widthPx: meta.width,
      heightPx: meta.pageHeight ?? meta.height,
      alpha: meta.hasAlpha,
      channels: meta.channels - (meta.hasAlpha ? 1 : 0),
      frames: meta.pages ?? 1,
      orientation: meta.orientation ?? 1,
      sizeBytes: bytes.length,
    })
    if (meta.depth === 'ushort') expect(facts.bitDepth).toBe(16)
    expect(facts.icc ?? false).toBe(meta.icc !== undefined)
    expect(facts.progressive ?? false).toBe(meta.isProgressive)
  })

  it('tells the kinds of one format apart', () => {
    expect(probeImage(file('png bilevel'))).toMatchObject({ palette: true, bitDepth: 1 })
    expect(probeImage(file('tiff bilevel'))).toMatchObject({ bitDepth: 1, channels: 1 })
    expect(probeImage(file('jpeg cmyk'))).toMatchObject({ channels: 4, adobeTransform: 0 })
    expect(probeImage(file('jpeg progressive'))).toMatchObject({ jpegProcess: 2 })
    expect(probeImage(file('webp lossy'))).toMatchObject({ lossless: false })
    expect(probeImage(file('webp lossless'))).toMatchObject({ lossless: true })
  })

  it.each(['jpeg', 'png', 'webp', 'tiff'] as const)('reads all eight orientations of %s', async (format) => {
    for (let orientation = 1; orientation <= 8; orientation++) {
      const bytes = await page(40, 20).withMetadata({ orientation }).toFormat(format).toBuffer()
      const facts = probeImage(bytes)!
      expect(facts).toMatchObject({ orientation, widthPx: 40, heightPx: 20 })
      const shown = shownSize(facts)
      expect(shown).toEqual(orientation >= 5 ? { widthPx: 20, heightPx: 40 } : { widthPx: 40, heightPx: 20 })
    }
  })

  it('reads the resolution, and leaves placeholders of no size out', async () => {
    for (const format of ['jpeg', 'png', 'tiff'] as const) {
      const bytes = await page(40, 20).withMetadata({ density: 300 }).toFormat(format).toBuffer()
      expect(probeImage(bytes)!.dpi).toBeCloseTo(300, 0)
    }
    expect(probeImage(await page(40, 20).withMetadata({ density: 2 }).jpeg().toBuffer())!.dpi).toBeUndefined()
  })

  it('reads formats no decoder here writes', () => {
    expect(probeImage(jp2(600, 400))).toMatchObject({
      format: 'jp2',
      widthPx: 600,
      heightPx: 400,
      channels: 3,
    })
    expect(probeImage(jp2(600, 400))!.dpi).toBeCloseTo(300, 0)
    expect(probeImage(jpeg2000Stream(600, 400, 1))).toMatchObject({
      format: 'jp2',
      widthPx: 600,
      channels: 1,
    })
    expect(probeImage(heic(600, 400))).toMatchObject({ format: 'heic', widthPx: 600, heightPx: 400 })
    expect(probeImage(heic(600, 400, 1))).toMatchObject({ format: 'heic', widthPx: 400, heightPx: 600 })
    expect(probeImage(bmp(31, 17))).toMatchObject({ format: 'bmp', widthPx: 31, heightPx: 17, alpha: false })
    expect(probeImage(bmp(31, 17))!.dpi).toBeCloseTo(300, 0)
    expect(probeImage(jxlHeader(1234, 567))).toMatchObject({ format: 'jxl', widthPx: 1234, heightPx: 567 })
    const boxed = Buffer.concat([
      isoBox('JXL ', [13, 10, 0x87, 10]),
      isoBox('ftyp', Buffer.from('jxl '), u32(0)),
      isoBox('jxlc', jxlHeader(1234, 567)),
    ])
    expect(probeImage(boxed)).toMatchObject({ format: 'jxl', widthPx: 1234, heightPx: 567 })
  })

  it('recognises SVG with or without a prologue', () => {
    const plain = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="12" height="34px"/>')
    expect(probeImage(plain)).toMatchObject({ format: 'svg', widthPx: 12, heightPx: 34 })
    const long = Buffer.from(
      '\uFEFF<?xml version="1.0"?>\n<!-- made by hand -->\n<svg viewBox="0 0 50 60"></svg>',
    )
    expect(probeImage(long)).toMatchObject({ format: 'svg', widthPx: 50, heightPx: 60 })
    expect(probeImage(Buffer.from('<html><svg width="1" height="1"/></html>'))).toBeUndefined()
  })

  it('knows pictures with others behind them', () => {
    const mpo = withSegment(file('jpeg'), 0xe2, Buffer.from('MPF\0 and an index'))
    expect(probeImage(mpo)).toMatchObject({ format: 'jpeg', multiPicture: true, frames: 1 })
  })

  it('finds the size with the head alone', () => {
    for (const [name, bytes] of names.map((name) => [name, file(name)] as const)) {
      if (name.startsWith('tiff')) continue
      const facts = probeImage(bytes.subarray(0, 2048), bytes.length)
      expect(facts, name).toMatchObject({ sizeBytes: bytes.length })
    }
  })

  it('gives up politely on what is no image', () => {
    for (const text of ['', 'x', '<html></html>', '{"a":1}', 'GIF', '\x89PNG', 'RIFF\0\0\0\0WAVE']) {
      expect(probeImage(Buffer.from(text, 'latin1'))).toBeUndefined()
    }
    expect(probeImage(Buffer.concat([Buffer.from('GIF89a'), Buffer.alloc(3)]))).toBeUndefined()
  })

  it('never throws and never finds a size of zero, whatever the bytes', () => {
    const magic = [
      '\xff\xd8\xff',
      '\x89PNG\r\n\x1a\n',
      'GIF89a',
      'RIFF\x40\0\0\0WEBPVP8X',
      'II*\0\x08\0\0\0',
      'BM',
    ]
    const starts = [
      ...magic,
      '\xff\x4f\xff\x51',
      '\xff\x0a',
      '\0\0\0\x18ftypavif',
      '\0\0\0\x0cjP  \r\n\x87\n',
    ]
    fc.assert(
      fc.property(fc.constantFrom('', ...starts), fc.uint8Array({ maxLength: 400 }), (start, rest) => {
        const facts = probeImage(Buffer.concat([Buffer.from(start, 'latin1'), rest]))
        expect(facts === undefined || (facts.widthPx > 0 && facts.heightPx > 0)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })

  it('never throws on real files with wrong bytes', () => {
    const sources = [...names.map(file), jp2(60, 40), heic(60, 40), bmp(8, 8), jxlHeader(60, 40)]
    const change = fc.tuple(fc.nat(600), fc.integer({ min: 0, max: 255 }))
    fc.assert(
      fc.property(
        fc.nat(sources.length - 1),
        fc.array(change, { maxLength: 20 }),
        fc.nat(3000),
        (i, changes, end) => {
          const bytes = Buffer.from(sources[i]!.subarray(0, 3000))
          for (const [place, value] of changes) if (place < bytes.length) bytes[place] = value
          const facts = probeImage(bytes.subarray(0, end))
          expect(facts === undefined || facts.widthPx > 0).toBe(true)
        },
      ),
      { numRuns: 2000 },
    )
  })
})

describe('probeImageFile', () => {
  it('says the same as with all bytes at hand', async () => {
    for (const [name, bytes] of names.map((name) => [name, file(name)] as const)) {
      const path = join(dir, name.replaceAll(/\W/g, '-'))
      await writeFile(path, bytes)
      expect(await probeImageFile(path), name).toEqual(probeImage(bytes))
    }
  })

  it('follows a header that points far into the file', async () => {
    let big = file('jpeg')
    for (let i = 0; i < 40; i++) big = withSegment(big, 0xef, Buffer.alloc(60_000, i))
    await writeFile(join(dir, 'big.jpg'), big)
    expect(await probeImageFile(join(dir, 'big.jpg'))).toMatchObject({ widthPx: WIDTH, heightPx: HEIGHT })
    const animated = await animation(60, 200, 100).gif({ effort: 1 }).toBuffer()
    expect(animated.length).toBeGreaterThan(500_000)
    await writeFile(join(dir, 'long.gif'), animated)
    expect((await probeImageFile(join(dir, 'long.gif')))!.frames).toBe(60)
  })

  it('counts the pages of a TIFF whose directories lie apart', async () => {
    const pages = await page(40, 30).tiff({ compression: 'none' }).toBuffer()
    const three = chainTiff(pages, 3)
    await writeFile(join(dir, 'pages.tif'), three)
    expect(await probeImageFile(join(dir, 'pages.tif'))).toMatchObject({ frames: 3, widthPx: 40 })
  })
})

describe('sniffFormat', () => {
  it('needs no more than the first bytes', () => {
    for (const [name, bytes] of names.map((name) => [name, file(name)] as const)) {
      expect(sniffFormat(bytes.subarray(0, 32)), name).toBe(
        name.split(/[ ,]/)[0]!.replace(/^(one|30)$/, sniffFormat(bytes)!),
      )
    }
    expect(sniffFormat(noise(64, 1, 1))).toBeUndefined()
    expect(sniffFormat(Buffer.concat([u16(0x4d4d), u16(43)]))).toBeUndefined()
  })
})

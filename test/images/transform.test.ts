import { createCipheriv, randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  applyBytesTransforms,
  descramble,
  moveRects,
  planFingerprint,
  probeImage,
  scramble,
  stripReversal,
  transformPage,
  type PagePlan,
  type RawImage,
  type TransformedPage,
} from '../../src/images/index.ts'
import {
  animation,
  codeOf,
  fromRaw,
  meanDifference,
  noise,
  page,
  pixelsOf,
  ramp,
  turnedPng,
} from './fixtures.ts'

let root: string
let dir: string
let count = 0

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trawl-transform-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))
beforeEach(async () => {
  dir = await mkdtemp(join(root, 'out-'))
})

async function transformed(bytes: Buffer, plan: PagePlan): Promise<readonly TransformedPage[]> {
  const path = join(root, `in-${count++}`)
  await writeFile(path, bytes)
  return transformPage(path, plan, { dir, name: 'page' })
}

async function only(bytes: Buffer, plan: PagePlan): Promise<TransformedPage> {
  const parts = await transformed(bytes, plan)
  expect(parts).toHaveLength(1)
  return parts[0]!
}

function raw(width: number, height: number, channels: 1 | 2 | 3 | 4): RawImage {
  return {
    pixels: noise(width, height, channels),
    widthPx: width,
    heightPx: height,
    channels,
    bytesPerSample: 1,
  }
}

function thirdRow(image: RawImage): number[] {
  return [...image.pixels.subarray(2 * image.widthPx, 3 * image.widthPx)]
}

describe('strip reversal', () => {
  it('is the documented arithmetic, row by row', () => {
    for (let height = 1; height < 120; height++) {
      for (let strips = 0; strips < 22; strips++) {
        // The definition: cut into strips of floor(h/n) rows from the top, the last one with the rest; then reverse.
        const each = Math.floor(height / strips)
        const rows = [...Array(height).keys()]
        let expected = rows
        if (strips >= 2 && each > 0) {
          const cut = Array.from({ length: strips }, (_, i) =>
            rows.slice(i * each, i === strips - 1 ? height : (i + 1) * each),
          )
          expected = cut.reverse().flat()
        }
        const image = {
          pixels: Buffer.from(rows),
          widthPx: 1,
          heightPx: height,
          channels: 1,
          bytesPerSample: 1,
        } as const
        const out = moveRects(image, stripReversal(1, height, strips))
        expect([...out.pixels], `${height} rows, ${strips} strips`).toEqual(expected)
      }
    }
  })

  it('undoes what the inverse did, for any size, count and depth', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 0, max: 40 }),
        fc.constantFrom(1 as const, 2 as const, 3 as const, 4 as const),
        (width, height, strips, channels) => {
          const image = raw(width, height, channels)
          const how = { kind: 'strips', strips } as const
          expect(descramble(scramble(image, how), how).pixels.equals(image.pixels)).toBe(true)
          if (strips >= 2 && strips < height) {
            expect(scramble(image, how).pixels.equals(image.pixels)).toBe(false)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('grids and free rectangles', () => {
  it('undo what the inverse did; what the tiles do not fill stays', () => {
    const grids = fc
      .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }))
      .chain(([columns, rows]) =>
        fc
          .shuffledSubarray([...Array(columns * rows).keys()], { minLength: columns * rows })
          .map((order) => ({ kind: 'grid', columns, rows, order }) as const),
      )
    fc.assert(
      fc.property(
        grids,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 50 }),
        (grid, width, height) => {
          const image = raw(width, height, 3)
          expect(descramble(scramble(image, grid), grid).pixels.equals(image.pixels)).toBe(true)
        },
      ),
    )
    const image = raw(7, 5, 1)
    const swapped = descramble(image, { kind: 'grid', columns: 2, rows: 1, order: [1, 0] })
    const [a, b, c, d, e, f, last] = thirdRow(image)
    expect(thirdRow(swapped)).toEqual([d, e, f, a, b, c, last])
  })

  it('refuse what does not fit', async () => {
    const rect = { sx: 0, sy: 0, w: 5, h: 5, dx: 3, dy: 0 }
    expect(await codeOf((async () => moveRects(raw(7, 5, 1), [rect]))())).toBe('ERR_IMAGE_DIMENSIONS')
    expect(await codeOf((async () => moveRects(raw(7, 5, 1), [{ ...rect, dx: 0.5 }]))())).toBe(
      'ERR_IMAGE_DIMENSIONS',
    )
  })
})

describe('bytes transforms', () => {
  it('XOR undoes itself, in whole or in part', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 1, maxLength: 9 }),
        fc.nat(50),
        fc.option(fc.nat(100), { nil: undefined }),
        (bytes, key, offset, length) => {
          const transform = {
            kind: 'xor',
            keyHex: Buffer.from(key).toString('hex'),
            offset,
            ...(length === undefined ? {} : { count: length }),
          } as const
          expect(applyBytesTransforms(bytes, [transform, transform]).equals(bytes)).toBe(true)
        },
      ),
    )
    expect([...applyBytesTransforms(Buffer.from([1, 2, 3]), [{ kind: 'xor', keyHex: '0f' }])]).toEqual([
      14, 13, 12,
    ])
  })

  it('AES is deciphered, with the vector given or in front', async () => {
    const bytes = randomBytes(1000)
    const key = randomBytes(16)
    const iv = randomBytes(16)
    for (const kind of ['aes-cbc', 'aes-ctr'] as const) {
      const cipher = createCipheriv(`aes-128-${kind.slice(4)}`, key, iv)
      const secret = Buffer.concat([cipher.update(bytes), cipher.final()])
      const keyHex = key.toString('hex')
      expect(applyBytesTransforms(secret, [{ kind, keyHex, ivHex: iv.toString('hex') }]).equals(bytes)).toBe(
        true,
      )
      expect(applyBytesTransforms(Buffer.concat([iv, secret]), [{ kind, keyHex }]).equals(bytes)).toBe(true)
    }
    const cut = async (): Promise<Buffer> =>
      applyBytesTransforms(Buffer.alloc(33), [{ kind: 'aes-cbc', keyHex: key.toString('hex') }])
    expect(await codeOf(cut())).toBe('ERR_IMAGE_DAMAGED')
    expect([...applyBytesTransforms(Buffer.from('abcdef'), [{ kind: 'cut', start: 2, end: 1 }])]).toEqual([
      ...Buffer.from('cde'),
    ])
  })
})

describe('transformPage', () => {
  it('copies a page that the plan does not change, byte for byte', async () => {
    const jpeg = await page(80, 120).jpeg().toBuffer()
    const plans: PagePlan[] = [
      {},
      { orient: true, convert: 'jpg', resize: { widthPx: 80 }, sliceHeightPx: 100 },
      { splitSpreads: { direction: 'rtl' }, descramble: { kind: 'strips', strips: 1 } },
    ]
    for (const plan of plans) {
      const out = await only(jpeg, plan)
      expect(out).toMatchObject({ verbatim: true, path: join(dir, 'page.jpg') })
      expect((await readFile(out.path)).equals(jpeg)).toBe(true)
    }
  })

  it('puts strips right, without loss where the format has none', async () => {
    for (const channels of [1, 3, 4] as const) {
      const image = raw(61, 103, channels)
      const mixed = scramble(image, { kind: 'strips', strips: 10 })
      const png = await fromRaw(mixed.pixels, 61, 103)
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .png()
        .toBuffer()
      const out = await only(png, { descramble: { kind: 'strips', strips: 10 } })
      expect(out.verbatim).toBe(false)
      const pixels = await sharp(out.path)
        .toColourspace(channels === 1 ? 'b-w' : 'srgb')
        .raw()
        .toBuffer()
      expect(pixels.equals(image.pixels)).toBe(true)
      expect(out.facts).toMatchObject({
        format: 'png',
        channels: channels === 1 ? 1 : 3,
        alpha: channels === 4,
      })
    }
  })

  it('keeps grey grey and alpha alpha through all steps', async () => {
    for (const channels of [1, 2] as const) {
      const grey = fromRaw(noise(60, 40, channels), 60, 40).toColourspace('b-w')
      const png = turnedPng(await grey.png().toBuffer(), 6)
      const expected = await sharp(png).autoOrient().toColourspace('srgb').raw().toBuffer()
      const mixed = await only(png, { descramble: { kind: 'strips', strips: 4 }, trim: true })
      const alpha = channels === 2
      expect(mixed.facts).toMatchObject({ channels: 1, alpha, widthPx: 40, heightPx: 60 })
      const turned = await only(png, { orient: true })
      expect(turned.facts).toMatchObject({ channels: 1, alpha })
      expect((await sharp(turned.path).toColourspace('srgb').raw().toBuffer()).equals(expected)).toBe(true)
    }
  })

  it('keeps JPEG a JPEG, sampled as it was, and close to the original', async () => {
    const original = ramp(200, 301)
    for (const chromaSubsampling of ['4:4:4', '4:2:0']) {
      const source = {
        pixels: original,
        widthPx: 200,
        heightPx: 301,
        channels: 3,
        bytesPerSample: 1,
      } as const
      const mixed = scramble(source, { kind: 'strips', strips: 7 })
      const jpeg = await fromRaw(mixed.pixels, 200, 301).jpeg({ quality: 98, chromaSubsampling }).toBuffer()
      const out = await only(jpeg, { descramble: { kind: 'strips', strips: 7 }, quality: 95 })
      expect(out.facts).toMatchObject({ format: 'jpeg', chroma: chromaSubsampling })
      expect(meanDifference(await pixelsOf(out.path), original)).toBeLessThan(2)
    }
  })

  it('keeps 16 bits in PNG', async () => {
    const samples = new Uint16Array(40 * 30 * 3).map((_, i) => (i * 7919) & 0xffff)
    const png = await sharp(samples, { raw: { width: 40, height: 30, channels: 3 } })
      .toColourspace('rgb16')
      .png()
      .toBuffer()
    const out = await only(png, { descramble: { kind: 'strips', strips: 3 } })
    expect(out.facts).toMatchObject({ bitDepth: 16, channels: 3 })
    const back = await only(await readFile(out.path), { descramble: { kind: 'strips', strips: 3 } })
    const pixels = await sharp(back.path).toColourspace('rgb16').raw({ depth: 'ushort' }).toBuffer()
    expect(pixels.equals(Buffer.from(samples.buffer))).toBe(true)
  })

  it('turns all eight orientations as a viewer does, also after descrambling', async () => {
    const pixels = ramp(60, 40)
    for (let orientation = 1; orientation <= 8; orientation++) {
      const png = await fromRaw(pixels, 60, 40).withMetadata({ orientation }).png().toBuffer()
      const expected = await sharp(png).autoOrient().raw().toBuffer()
      const turned = await only(png, { orient: true })
      expect(turned.facts.orientation).toBe(1)
      expect((await pixelsOf(turned.path)).equals(expected), `orientation ${orientation}`).toBe(true)
      // The same picture, but through the canvas: strips moved and moved back.
      const source = { pixels, widthPx: 60, heightPx: 40, channels: 3, bytesPerSample: 1 } as const
      const mixed = scramble(source, { kind: 'strips', strips: 4 }).pixels
      const scrambled = await fromRaw(mixed, 60, 40).withMetadata({ orientation }).png().toBuffer()
      const right = await only(scrambled, { descramble: { kind: 'strips', strips: 4 } })
      expect((await pixelsOf(right.path)).equals(expected), `descrambled ${orientation}`).toBe(true)
    }
  })

  it('splits spreads in reading order, and leaves pages alone', async () => {
    const left = Buffer.alloc(50 * 80 * 3, 10)
    const right = Buffer.alloc(51 * 80 * 3, 200)
    const spread = await sharp({ create: { width: 101, height: 80, channels: 3, background: '#000' } })
      .composite([
        { input: left, raw: { width: 50, height: 80, channels: 3 }, left: 0, top: 0 },
        { input: right, raw: { width: 51, height: 80, channels: 3 }, left: 50, top: 0 },
      ])
      .png()
      .toBuffer()
    for (const direction of ['ltr', 'rtl'] as const) {
      const parts = await transformed(spread, { splitSpreads: { direction } })
      expect(parts.map((part) => part.path)).toEqual([join(dir, 'page.png'), join(dir, 'page-2.png')])
      const means = await Promise.all(parts.map(async (part) => (await pixelsOf(part.path))[0]))
      expect(means).toEqual(direction === 'ltr' ? [10, 200] : [200, 10])
      expect(parts.map((part) => part.facts.widthPx)).toEqual(direction === 'ltr' ? [50, 51] : [51, 50])
    }
  })

  it('slices tall strips at quiet rows, all rows once and in order', async () => {
    const pixels = noise(30, 1000, 1)
    // White gutters of six rows, near to but not at the equal cuts of 250 rows.
    for (const gutter of [238, 515, 728]) pixels.fill(255, gutter * 30, (gutter + 6) * 30)
    const png = await fromRaw(pixels, 30, 1000).toColourspace('b-w').png().toBuffer()
    const parts = await transformed(png, { sliceHeightPx: 250 })
    const joined = Buffer.concat(
      await Promise.all(parts.map((part) => sharp(part.path).toColourspace('b-w').raw().toBuffer())),
    )
    expect(joined.equals(pixels)).toBe(true)
    const cuts = parts
      .map((part) => part.facts.heightPx)
      .reduce<number[]>((sums, h) => [...sums, (sums.at(-1) ?? 0) + h], [])
    expect(cuts).toHaveLength(4)
    for (const [i, gutter] of [238, 515, 728].entries()) {
      expect(cuts[i]).toBeGreaterThanOrEqual(gutter)
      expect(cuts[i]).toBeLessThan(gutter + 6)
    }
    expect(await transformed(png, { sliceHeightPx: 700 })).toHaveLength(1)
  })

  it('trims edges, but never a blank page to nothing', async () => {
    const framed = await sharp(noise(40, 30), { raw: { width: 40, height: 30, channels: 3 } })
      .extend({ top: 11, bottom: 7, left: 5, right: 9, background: '#fff' })
      .png()
      .toBuffer()
    expect((await only(framed, { trim: true })).facts).toMatchObject({ widthPx: 40, heightPx: 30 })
    const blank = await sharp({ create: { width: 60, height: 90, channels: 3, background: '#fff' } })
      .png()
      .toBuffer()
    expect((await only(blank, { trim: true })).facts).toMatchObject({ widthPx: 60, heightPx: 90 })
    const dot = await sharp({ create: { width: 1, height: 2, channels: 3, background: '#123' } })
      .png()
      .toBuffer()
    expect((await only(dot, { trim: true })).facts).toMatchObject({ widthPx: 1, heightPx: 2 })
  })

  it('resizes into a box, by percentage, and never larger unless asked', async () => {
    const png = await page(100, 200).png().toBuffer()
    const size = async (resize: PagePlan['resize']): Promise<string> => {
      const { facts } = await only(png, resize ? { resize } : {})
      return `${facts.widthPx}x${facts.heightPx}`
    }
    expect(await size({ widthPx: 50 })).toBe('50x100')
    expect(await size({ heightPx: 50 })).toBe('25x50')
    expect(await size({ widthPx: 90, heightPx: 90 })).toBe('45x90')
    expect(await size({ percent: 30 })).toBe('30x60')
    expect(await size({ widthPx: 400 })).toBe('100x200')
    expect(await size({ widthPx: 400, enlarge: true })).toBe('400x800')
    const turned = await page(100, 200).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    expect((await only(turned, { resize: { widthPx: 100 } })).facts).toMatchObject({
      widthPx: 100,
      heightPx: 50,
    })
  })

  it('makes grey, and converts between formats', async () => {
    const colour = await page(60, 40).png().toBuffer()
    const grey = await only(colour, { grey: true })
    expect(grey.facts).toMatchObject({ channels: 1, format: 'png' })
    expect((await only(await readFile(grey.path), { grey: true })).verbatim).toBe(true)
    for (const [convert, format] of [
      ['jpg', 'jpeg'],
      ['webp', 'webp'],
      ['png', 'png'],
    ] as const) {
      const out = await only(await page(60, 40).tiff().toBuffer(), { convert })
      expect(out.facts).toMatchObject({ format, widthPx: 60, heightPx: 40 })
      expect(out.path.endsWith(`.${convert}`)).toBe(true)
    }
  })

  it('reads CMYK, profiles, palettes, bilevel and alpha', async () => {
    const grey = Buffer.alloc(50 * 40 * 3, 128)
    const cmyk = await fromRaw(grey, 50, 40).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer()
    const rgb = await only(cmyk, { convert: 'png' })
    expect(rgb.facts).toMatchObject({ channels: 3 })
    expect(meanDifference(await pixelsOf(rgb.path), grey)).toBeLessThan(20)
    const wide = await fromRaw(grey, 50, 40).withIccProfile('p3').png().toBuffer()
    const plain = await only(wide, { convert: 'jpg', quality: 100 })
    expect(plain.facts.icc).toBeUndefined()
    expect(meanDifference(await pixelsOf(plain.path), grey)).toBeLessThan(3)
    const clear = await sharp({ create: { width: 20, height: 20, channels: 4, background: '#00000000' } })
      .png()
      .toBuffer()
    const white = await only(clear, { convert: 'jpg' })
    expect([...new Set(await pixelsOf(white.path))]).toEqual([255])
    const bilevel = await page(50, 40, 1).threshold(60).png({ palette: true, colours: 2 }).toBuffer()
    expect(probeImage(bilevel)).toMatchObject({ bitDepth: 1 })
    expect((await only(bilevel, { convert: 'webp' })).facts).toMatchObject({ widthPx: 50, format: 'webp' })
  })

  it('leaves animations alone, or takes the first frame and says what it dropped', async () => {
    const gif = await animation(4, 60, 40).gif({ effort: 1 }).toBuffer()
    expect((await only(gif, { resize: { widthPx: 10 }, grey: true })).verbatim).toBe(true)
    const first = await only(gif, { convert: 'png' })
    expect(first).toMatchObject({ droppedFrames: 3, facts: { widthPx: 60, heightPx: 40, frames: 1 } })
  })

  it('undoes the cipher of the bytes first', async () => {
    const png = await page(30, 20).png().toBuffer()
    const secret = applyBytesTransforms(png, [{ kind: 'xor', keyHex: 'c0ffee' }])
    const out = await only(secret, { bytes: [{ kind: 'xor', keyHex: 'c0ffee' }] })
    expect((await readFile(out.path)).equals(png)).toBe(true)
    expect(await codeOf(transformed(secret, {}))).toBe('ERR_IMAGE_NOT_IMAGE')
  })

  it('handles a page of 30,000 rows: descramble, slice and encode', async () => {
    const image = raw(24, 30_000, 3)
    const mixed = scramble(image, { kind: 'strips', strips: 12 })
    const png = await fromRaw(mixed.pixels, 24, 30_000).png({ compressionLevel: 1 }).toBuffer()
    const parts = await transformed(png, { descramble: { kind: 'strips', strips: 12 }, sliceHeightPx: 4000 })
    const joined = Buffer.concat(await Promise.all(parts.map((part) => pixelsOf(part.path))))
    expect(parts.length).toBe(8)
    expect(joined.equals(image.pixels)).toBe(true)
  })

  it('leaves nothing behind when it fails', async () => {
    const png = await page(300, 400).png().toBuffer()
    const cut = png.subarray(0, png.length >> 1)
    expect(await codeOf(transformed(cut, { convert: 'jpg' }))).toBe('ERR_IMAGE_DAMAGED')
    expect(await codeOf(transformed(cut, { splitSpreads: { direction: 'ltr' }, trim: true }))).toBe(
      'ERR_IMAGE_DAMAGED',
    )
    const long = await page(20, 20_000).png().toBuffer()
    expect(await codeOf(transformed(long, { convert: 'webp' }))).toBe('ERR_IMAGE_TOO_LARGE')
    expect(await codeOf(transformPage(join(root, 'no-such'), {}, { dir, name: 'x' }))).toBe('ERR_IO')
    expect(await codeOf(transformPage(join(root, 'in-0'), {}, { dir: join(dir, 'none'), name: 'x' }))).toBe(
      'ERR_IO',
    )
    expect(await readdir(dir)).toEqual([])
  })
})

describe('planFingerprint', () => {
  it('depends on what the plan does, not on how it is written', () => {
    const a = planFingerprint({ grey: true, resize: { widthPx: 100, heightPx: 200 }, trim: false })
    const b = planFingerprint({ resize: { heightPx: 200, widthPx: 100 }, grey: true })
    expect(a).toBe(b)
    expect(planFingerprint({ grey: true, resize: { widthPx: 101, heightPx: 200 } })).not.toBe(a)
  })
})

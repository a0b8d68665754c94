import * as fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, it } from 'vitest'
import { isTrawlError } from '../../src/core/index.ts'
import { checkImage, probeImage, resizeSample, type SampleOptions } from '../../src/images/index.ts'
import { sampleGeometry } from '../../src/images/sample/sample-geometry.ts'
import {
  animation,
  bmp,
  codeOf,
  cut,
  fromRaw,
  hole,
  jp2,
  meanDifference,
  noise,
  page,
  pixelsOf,
  ramp,
} from './fixtures.ts'

const base = { sizePx: 64, mode: 'border', encode: 'png' } as const satisfies SampleOptions

function sizes(mode: SampleOptions['mode'], width: number, height: number, more: object = {}): string {
  const g = sampleGeometry(width, height, { sizePx: 256, mode, encode: 'jpg', ...more })
  const to = g.scaleTo ? `${g.scaleTo.widthPx}x${g.scaleTo.heightPx}` : 'as it is'
  return `${to} -> ${g.widthPx}x${g.heightPx}`
}

/** A square of an image that is 200 pixels wide. */
function area(bytes: Buffer, from: number, size: number): Buffer {
  return Buffer.concat(
    Array.from({ length: size }, (_, y) => {
      const start = ((from + y) * 200 + from) * 3
      return bytes.subarray(start, start + size * 3)
    }),
  )
}

describe('sampleGeometry', () => {
  it('follows the five modes', () => {
    expect(sizes('no', 1000, 500)).toBe('as it is -> 1000x500')
    expect(sizes('border', 1000, 500)).toBe('256x128 -> 256x256')
    expect(sizes('keep_ratio', 1000, 500)).toBe('512x256 -> 512x256')
    expect(sizes('keep_ratio_largest', 1000, 500)).toBe('256x128 -> 256x128')
    expect(sizes('center_crop', 1000, 500)).toBe('512x256 -> 256x256')
    expect(sizes('border', 100, 50)).toBe('256x128 -> 256x256')
  })

  it('leaves smaller images exactly as they are where asked', () => {
    for (const mode of ['border', 'keep_ratio', 'keep_ratio_largest', 'center_crop'] as const) {
      expect(sizes(mode, 200, 100, { onlyIfBigger: true })).toBe('as it is -> 200x100')
    }
    // The longest side counts for these two, the shortest for the others.
    expect(sizes('border', 1000, 100, { onlyIfBigger: true })).toBe('256x26 -> 256x256')
    expect(sizes('center_crop', 1000, 100, { onlyIfBigger: true })).toBe('as it is -> 1000x100')
  })

  it('rounds halves to even, as the original does', () => {
    // 5 * 256 / 512 = 2.5 becomes 2, and 7 * 256 / 512 = 3.5 becomes 4.
    expect(sizes('keep_ratio_largest', 512, 5)).toBe('256x2 -> 256x2')
    expect(sizes('keep_ratio_largest', 512, 7)).toBe('256x4 -> 256x4')
    expect(sizes('keep_ratio_largest', 60_000, 1)).toBe('256x1 -> 256x1')
  })

  it('always ends in the size it says, for any picture', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4000 }),
        fc.integer({ min: 1, max: 4000 }),
        fc.constantFrom('border', 'keep_ratio', 'keep_ratio_largest', 'center_crop'),
        (width, height, mode) => {
          const g = sampleGeometry(width, height, { sizePx: 256, mode, encode: 'jpg' })
          const scaled = g.scaleTo ?? { widthPx: width, heightPx: height }
          if (g.pad) {
            expect(scaled.widthPx + g.pad.left + g.pad.right).toBe(256)
            expect(scaled.heightPx + g.pad.top + g.pad.bottom).toBe(256)
            expect(Math.min(g.pad.left, g.pad.top, g.pad.right, g.pad.bottom)).toBeGreaterThanOrEqual(0)
          }
          if (g.crop) {
            expect(g.crop.left + 256).toBeLessThanOrEqual(scaled.widthPx)
            expect(g.crop.top + 256).toBeLessThanOrEqual(scaled.heightPx)
          }
          if (mode === 'border' || mode === 'center_crop') expect([g.widthPx, g.heightPx]).toEqual([256, 256])
        },
      ),
    )
  })
})

describe('resizeSample', () => {
  it.each(['no', 'border', 'keep_ratio', 'keep_ratio_largest', 'center_crop'] as const)(
    'mode %s gives the size it reports, and an image that is whole',
    async (mode) => {
      for (const encode of ['jpg', 'png', 'webp'] as const) {
        const sample = await resizeSample(await page(150, 90).jpeg().toBuffer(), { ...base, mode, encode })
        const { facts } = await checkImage(sample.bytes)
        expect(facts).toMatchObject({ widthPx: sample.widthPx, heightPx: sample.heightPx })
        expect(facts.format).toBe(encode === 'jpg' ? 'jpeg' : encode)
        expect(sample).toMatchObject({ originalWidthPx: 150, originalHeightPx: 90, reencoded: true })
      }
    },
  )

  it('pads with white around the middle, and crops the middle', async () => {
    const dark = await fromRaw(Buffer.alloc(100 * 50 * 3, 20), 100, 50)
      .png()
      .toBuffer()
    const padded = await pixelsOf((await resizeSample(dark, base)).bytes)
    const at = (x: number, y: number): number => padded[(y * 64 + x) * 3]!
    expect([at(0, 0), at(63, 15), at(0, 16), at(63, 47), at(63, 48), at(0, 63)]).toEqual([
      255, 255, 20, 20, 255, 255,
    ])
    const stripes = Buffer.alloc(128 * 64 * 3)
    for (let i = 0; i < stripes.length; i++) stripes[i] = Math.floor(i / 3) % 128
    const cropped = await resizeSample(await fromRaw(stripes, 128, 64).png().toBuffer(), {
      ...base,
      mode: 'center_crop',
    })
    const pixels = await pixelsOf(cropped.bytes)
    expect([pixels[0], pixels[63 * 3]]).toEqual([32, 95])
  })

  it('scales by averaging areas', async () => {
    const original = ramp(400, 300)
    const sample = await resizeSample(await fromRaw(original, 400, 300).png().toBuffer(), {
      ...base,
      sizePx: 100,
      mode: 'keep_ratio_largest',
    })
    const expected = Buffer.alloc(100 * 75 * 3)
    for (let y = 0; y < 75; y++) {
      for (let x = 0; x < 100; x++) {
        for (let c = 0; c < 3; c++) {
          let sum = 0
          for (let dy = 0; dy < 4; dy++) {
            for (let dx = 0; dx < 4; dx++) sum += original[((y * 4 + dy) * 400 + x * 4 + dx) * 3 + c]!
          }
          expected[(y * 100 + x) * 3 + c] = Math.round(sum / 16)
        }
      }
    }
    expect(meanDifference(await pixelsOf(sample.bytes), expected)).toBeLessThan(0.6)
  })

  it('filters by the header, before it decodes', async () => {
    // Whole header, no picture: only a decoder would notice.
    const header = (await page(300, 100).jpeg().toBuffer()).subarray(0, 700)
    const reasons = [
      [{ minImageSizePx: 101 }, 'image too small'],
      [{ maxImageAreaPx: 29_999 }, 'image area too large'],
      [{ maxAspectRatio: 2.9 }, 'aspect ratio too large'],
    ] as const
    for (const [filter, reason] of reasons) {
      const error: unknown = await resizeSample(header, { ...base, ...filter }).catch(
        (caught: unknown) => caught,
      )
      expect(isTrawlError(error) && [error.code, error.context['filter']]).toEqual([
        'ERR_SAMPLE_FILTERED',
        reason,
      ])
    }
    const passes = { minImageSizePx: 100, maxImageAreaPx: 30_000, maxAspectRatio: 3 }
    expect(await codeOf(resizeSample(header, { ...base, ...passes }))).toBe('ERR_IMAGE_TRUNCATED')
    expect(await codeOf(resizeSample(header, { ...base, maxPixels: 29_999 }))).toBe('ERR_IMAGE_TOO_LARGE')
  })

  it('refuses what is cut, damaged or no image', async () => {
    const jpeg = await page(300, 400).jpeg().toBuffer()
    expect(await codeOf(resizeSample(cut(jpeg, 500), base))).toBe('ERR_IMAGE_TRUNCATED')
    expect(await codeOf(resizeSample(hole(await page(300, 400).png().toBuffer()), base))).toBe(
      'ERR_IMAGE_DAMAGED',
    )
    expect(await codeOf(resizeSample(Buffer.alloc(0), base))).toBe('ERR_IMAGE_EMPTY')
    expect(await codeOf(resizeSample(Buffer.from('<html>'), base))).toBe('ERR_IMAGE_NOT_IMAGE')
    for (const bytes of [jp2(60, 40), bmp(9, 9), Buffer.from('<svg width="9" height="9"></svg>')]) {
      expect(await codeOf(resizeSample(bytes, base))).toBe('ERR_IMAGE_UNSUPPORTED')
    }
  })

  it('turns the picture as EXIF says, unless told not to', async () => {
    const jpeg = await page(120, 60).withMetadata({ orientation: 6 }).jpeg().toBuffer()
    const turned = await resizeSample(jpeg, { ...base, mode: 'keep_ratio_largest' })
    expect(turned).toMatchObject({ widthPx: 32, heightPx: 64, originalWidthPx: 60, originalHeightPx: 120 })
    const flat = await resizeSample(jpeg, { ...base, mode: 'keep_ratio_largest', orient: false })
    expect(flat).toMatchObject({ widthPx: 64, heightPx: 32, originalWidthPx: 120 })
    expect(probeImage(flat.bytes)).toMatchObject({ widthPx: 64, heightPx: 32 })
  })

  it('makes 8-bit sRGB of everything', async () => {
    const grey = Buffer.alloc(80 * 60 * 3, 128)
    const inputs = {
      cmyk: await fromRaw(grey, 80, 60).toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(),
      profile: await fromRaw(grey, 80, 60).withIccProfile('p3').png().toBuffer(),
      deep: await fromRaw(grey, 80, 60).toColourspace('rgb16').png().toBuffer(),
      grey: await fromRaw(grey, 80, 60).toColourspace('b-w').jpeg({ quality: 100 }).toBuffer(),
      tiff: await fromRaw(grey, 80, 60).tiff({ compression: 'lzw' }).toBuffer(),
      palette: await fromRaw(grey, 80, 60).png({ palette: true }).toBuffer(),
      avif: await fromRaw(grey, 80, 60).avif({ effort: 0, quality: 90 }).toBuffer(),
    }
    for (const [name, bytes] of Object.entries(inputs)) {
      const sample = await resizeSample(bytes, { ...base, mode: 'keep_ratio_largest' })
      expect(probeImage(sample.bytes), name).toMatchObject({
        channels: 3,
        bitDepth: 8,
        widthPx: 64,
        heightPx: 48,
      })
      expect(probeImage(sample.bytes)!.icc, name).toBeUndefined()
      const pixels = await pixelsOf(sample.bytes)
      expect(meanDifference(pixels, Buffer.alloc(pixels.length, 128)), name).toBeLessThan(20)
    }
  })

  it('puts what is transparent on white in JPEG, and keeps it elsewhere', async () => {
    const clear = await sharp({ create: { width: 80, height: 60, channels: 4, background: '#00000000' } })
      .png()
      .toBuffer()
    const jpg = await resizeSample(clear, { ...base, encode: 'jpg', mode: 'keep_ratio' })
    expect([...new Set(await pixelsOf(jpg.bytes))]).toEqual([255])
    expect(probeImage((await resizeSample(clear, { ...base, mode: 'keep_ratio' })).bytes)).toMatchObject({
      alpha: true,
    })
  })

  it('takes the first frame of an animation', async () => {
    for (const format of ['gif', 'webp'] as const) {
      const sample = await resizeSample(await animation(5, 120, 90).toFormat(format).toBuffer(), base)
      expect(probeImage(sample.bytes)).toMatchObject({ frames: 1, widthPx: 64, heightPx: 64 })
      expect(sample).toMatchObject({ originalWidthPx: 120, originalHeightPx: 90 })
    }
  })

  it('keeps the bytes of what needs no change, but only if they are whole', async () => {
    const keep = { ...base, encode: 'jpg', keepOriginalIfUntouched: true, mode: 'no' } as const
    const jpeg = await page(60, 40).jpeg().toBuffer()
    const kept = await resizeSample(jpeg, keep)
    expect(kept.reencoded).toBe(false)
    expect(kept.bytes.equals(jpeg)).toBe(true)
    const same = { ...keep, mode: 'keep_ratio_largest', sizePx: 60 } as const
    expect((await resizeSample(jpeg, same)).reencoded).toBe(false)
    expect(await codeOf(resizeSample(cut(jpeg, 30), keep))).toBe('ERR_IMAGE_TRUNCATED')
    const touched: [Buffer, SampleOptions][] = [
      [jpeg, { ...keep, mode: 'border', sizePx: 60 }],
      [jpeg, { ...keep, encode: 'png' }],
      [jpeg, { ...keep, blurBoxes: [[0, 0, 0.5, 0.5]] }],
      [jpeg, { ...keep, keepOriginalIfUntouched: false }],
      [await page(60, 40).withMetadata({ orientation: 3 }).jpeg().toBuffer(), keep],
      [await page(60, 40).toColourspace('cmyk').jpeg().toBuffer(), keep],
      [await animation(2, 60, 40).webp().toBuffer(), { ...keep, encode: 'webp' }],
    ]
    for (const [bytes, options] of touched) expect((await resizeSample(bytes, options)).reencoded).toBe(true)
  })

  it('blurs boxes, grown and with soft edges, and nothing far from them', async () => {
    const original = noise(200, 200)
    const png = await fromRaw(original, 200, 200).png().toBuffer()
    const sample = await resizeSample(png, { ...base, mode: 'no', blurBoxes: [[0.5, 0.5, 0.7, 0.7]] })
    const pixels = await pixelsOf(sample.bytes)
    expect(meanDifference(area(pixels, 110, 20), area(original, 110, 20))).toBeGreaterThan(5)
    expect(area(pixels, 10, 60).equals(area(original, 10, 60))).toBe(true)
    const edge = await resizeSample(png, {
      ...base,
      mode: 'no',
      blurBoxes: [
        [-0.2, 0, 0.1, 0.1],
        [0.4, 0.4, 0.4, 0.9],
      ],
    })
    expect(meanDifference(area(await pixelsOf(edge.bytes), 0, 15), area(original, 0, 15))).toBeGreaterThan(5)
    const whole = await resizeSample(png, { ...base, mode: 'keep_ratio', blurBoxes: [[0, 0, 1, 1]] })
    expect(whole).toMatchObject({ widthPx: 64, heightPx: 64 })
  })
})

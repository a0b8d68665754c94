import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { longImage, probeImageFile } from '../../src/images/index.ts'
import { planLongImage } from '../../src/images/long/plan-long-image.ts'
import { codeOf, fromRaw, meanDifference, noise, page, pixelsOf } from './fixtures.ts'

let root: string
let dir: string
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'trawl-long-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))
beforeEach(async () => {
  dir = await mkdtemp(join(root, 'out-'))
})

async function file(name: string, bytes: Buffer): Promise<string> {
  await writeFile(join(root, name), bytes)
  return join(root, name)
}

describe('planLongImage', () => {
  it('takes every row once, in order, and cuts between pages where it can', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 200 }),
        (heights, max) => {
          const parts = planLongImage(
            heights.map((heightPx) => ({ heightPx })),
            max,
          )
          const rows = parts.flatMap((part) => part.pieces)
          let [pageIndex, top] = [0, 0]
          for (const piece of rows) {
            expect([piece.page, piece.top]).toEqual([pageIndex, top])
            top += piece.heightPx
            if (top === heights[pageIndex]) [pageIndex, top] = [pageIndex + 1, 0]
          }
          expect(pageIndex).toBe(heights.length)
          for (const part of parts) {
            expect(part.heightPx).toBe(part.pieces.reduce((sum, piece) => sum + piece.heightPx, 0))
            expect(part.heightPx).toBeLessThanOrEqual(max)
          }
          const cut = rows.filter((piece) => piece.top > 0).map((piece) => heights[piece.page]!)
          expect(cut.every((height) => height > max)).toBe(true)
        },
      ),
    )
    expect(
      planLongImage([{ heightPx: 60 }, { heightPx: 60 }, { heightPx: 30 }], 100).map((p) => p.heightPx),
    ).toEqual([60, 90])
  })
})

describe('longImage', () => {
  it('stacks pages of one width pixel by pixel', async () => {
    const pixels = [noise(40, 90, 3, 1), noise(40, 70, 3, 2), noise(40, 130, 3, 3)]
    const paths = await Promise.all(
      pixels.map(async (p, i) =>
        file(
          `a${i}.png`,
          await fromRaw(p, 40, p.length / 120)
            .png()
            .toBuffer(),
        ),
      ),
    )
    const parts = await longImage(paths, { dir, name: 'book' }, { format: 'png' })
    expect(parts).toEqual([{ path: join(dir, 'book.png'), widthPx: 40, heightPx: 290, firstPage: 0 }])
    expect((await pixelsOf(parts[0]!.path)).equals(Buffer.concat(pixels))).toBe(true)
    expect(await readdir(dir)).toEqual(['book.png'])
  })

  it('scales to the widest, turns, flattens, and keeps grey books grey', async () => {
    const paths = [
      await file('b0.jpg', await page(60, 40).jpeg().toBuffer()),
      await file('b1.jpg', await page(80, 40).withMetadata({ orientation: 6 }).jpeg().toBuffer()),
      await file('b2.png', await page(30, 30, 4).png().toBuffer()),
    ]
    const [part] = await longImage(paths, { dir, name: 'mixed' })
    // 60x40, 40x80 scaled by 1.5, and 30x30 scaled by 2.
    expect(part).toMatchObject({ widthPx: 60, heightPx: 40 + 120 + 60 })
    const grey = await file('g.png', await page(50, 40, 1).toColourspace('b-w').png().toBuffer())
    const [one] = await longImage([grey, grey], { dir, name: 'grey' }, { widthPx: 25 })
    expect(await probeImageFile(one!.path)).toMatchObject({ channels: 1, widthPx: 25, heightPx: 40 })
  })

  it('makes further parts at the limit of the format, also through one page', async () => {
    const pixels = noise(16, 20_000, 3)
    const tall = await file(
      'tall.png',
      await fromRaw(pixels, 16, 20_000).png({ compressionLevel: 1 }).toBuffer(),
    )
    const webp = await longImage([tall, tall], { dir, name: 'w' }, { format: 'webp', quality: 50 })
    expect(webp.map((part) => part.heightPx)).toEqual([16_383, 3617, 16_383, 3617])
    expect(webp.map((part) => part.firstPage)).toEqual([0, 0, 1, 1])
    const jpg = await longImage([tall, tall, tall, tall], { dir, name: 'j' }, { quality: 95 })
    expect(jpg.map((part) => part.heightPx)).toEqual([60_000, 20_000])
    const rows = await sharp(jpg[0]!.path, { limitInputPixels: false })
      .extract({ left: 0, top: 20_000, width: 16, height: 20_000 })
      .raw()
      .toBuffer()
    expect(meanDifference(rows, pixels)).toBeLessThan(4)
  })

  it('leaves nothing behind when a page fails', async () => {
    const good = await file('good.png', await page(40, 30).png().toBuffer())
    const bytes = await page(40, 300).png().toBuffer()
    const bad = await file('bad.png', bytes.subarray(0, bytes.length >> 1))
    expect(await codeOf(longImage([good, bad], { dir, name: 'x' }, { maxHeightPx: 50 }))).toBe(
      'ERR_IMAGE_DAMAGED',
    )
    expect(await codeOf(longImage([join(root, 'none.png')], { dir, name: 'x' }))).toBe('ERR_IO')
    expect(await codeOf(longImage([good], { dir, name: 'x' }, { maxPixels: 100 }))).toBe(
      'ERR_IMAGE_TOO_LARGE',
    )
    expect(await readdir(dir)).toEqual([])
  })
})

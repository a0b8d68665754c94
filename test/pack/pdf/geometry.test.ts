import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pageWidthPt } from '../../../src/pack/index.ts'
import { pageGeometry, type GeometryInput, type PageSize } from '../../../src/pack/pdf/page-geometry.ts'

const natural: PageSize = { mode: 'natural' }
const image = (more: Partial<GeometryInput> = {}): GeometryInput => ({
  widthPx: 1200,
  heightPx: 1800,
  orientation: 1,
  ...more,
})

describe('size of a page', () => {
  it.each([
    ['the image tells', image({ imageDpi: 300, sourceDpi: 600 }), 288],
    ['the image tells a placeholder, the source knows', image({ imageDpi: 72, sourceDpi: 600 }), 144],
    ['the image tells a placeholder, nobody knows', image({ imageDpi: 96 }), 576],
    ['the image tells nonsense', image({ imageDpi: 3, sourceDpi: 300 }), 288],
    ['the source tells nonsense', image({ sourceDpi: 100_000 }), 576],
    ['nobody knows', image(), 576],
  ])('where %s', (_, input, width) => {
    expect(pageGeometry(input, natural, 150).width).toBeCloseTo(width, 6)
  })

  it('goes by a fixed number where the user gives one', () => {
    const { width, height } = pageGeometry(image({ imageDpi: 300 }), { mode: 'dpi', dpi: 100 }, 150)
    expect([width, height]).toEqual([864, 1296])
  })

  it('goes by one width for all pages, also for turned ones', () => {
    const size: PageSize = { mode: 'fit-width', widthPt: 400 }
    expect(pageGeometry(image(), size, 150)).toMatchObject({ width: 400, height: 600 })
    expect(pageGeometry(image({ orientation: 6 }), size, 150).height).toBeCloseTo(400 / 1.5, 6)
  })

  it('grows pages that are too small and scales pages that are too large', () => {
    expect(pageGeometry({ widthPx: 1, heightPx: 2, orientation: 1 }, natural, 150)).toMatchObject({
      width: 3,
      height: 6,
      userUnit: 1,
    })
    const strip = pageGeometry({ widthPx: 800, heightPx: 60_000, orientation: 1 }, natural, 150)
    expect(strip.userUnit).toBe(2)
    expect(strip.height * strip.userUnit).toBeCloseTo(28_800, 6)
  })

  it('lies on one sheet, as large as fits and in its middle', () => {
    const sheet: PageSize = { mode: 'sheet', widthPt: 600, heightPt: 800 }
    const tall = pageGeometry(image({ widthPx: 100, heightPx: 400 }), sheet, 150)
    expect(tall).toEqual({ width: 600, height: 800, userUnit: 1, matrix: '200 0 0 800 200 0' })
    const wide = pageGeometry(image({ widthPx: 400, heightPx: 100 }), sheet, 150)
    expect(wide).toEqual({ width: 800, height: 600, userUnit: 1, matrix: '800 0 0 200 0 200' })
    const turned = pageGeometry(image({ widthPx: 400, heightPx: 100, orientation: 6 }), sheet, 150)
    expect(turned).toEqual({ width: 600, height: 800, userUnit: 1, matrix: '0 -800 200 0 200 800' })
  })

  it('is told beforehand, for pages that are all to be as wide as the widest', () => {
    const facts = { format: 'jpeg', channels: 3, alpha: false, bitDepth: 8, frames: 1, sizeBytes: 1 } as const
    const page = { facts: { ...facts, widthPx: 1200, heightPx: 600, orientation: 6, dpi: 300 } }
    expect(pageWidthPt(page)).toBe(144)
    expect(pageWidthPt(page, { pageSize: { mode: 'dpi', dpi: 100 } })).toBe(432)
    expect(pageWidthPt({ facts: { ...page.facts, dpi: 72 } }, { defaultDpi: 100 })).toBe(432)
    expect(pageWidthPt({ facts: { ...page.facts, dpi: 72 }, dpi: 600 }, { defaultDpi: 100 })).toBe(72)
  })

  it('always stays within what PDF allows, in true proportion up to 4,800 to 1', () => {
    const side = fc.integer({ min: 1, max: 200_000 })
    fc.assert(
      fc.property(
        side,
        side,
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 1, max: 3000 }),
        (w, h, o, dpi) => {
          const out = pageGeometry({ widthPx: w, heightPx: h, orientation: o, imageDpi: dpi }, natural, 150)
          for (const value of [out.width, out.height]) {
            expect(value).toBeGreaterThanOrEqual(3)
            expect(value).toBeLessThanOrEqual(14_400)
          }
          const turned = o >= 5 && o <= 8
          if (Math.max(w, h) / Math.min(w, h) < 4700) {
            expect(out.width / out.height / (turned ? h / w : w / h)).toBeCloseTo(1, 6)
          }
        },
      ),
    )
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { finestScale, parseImageInfo, tilesFor, type ImageInfo } from '../../../src/sources/index.ts'

const base = 'https://img.example.net/iiif/x'
const info = (more: Record<string, unknown>): ImageInfo =>
  parseImageInfo({ id: base, type: 'ImageService3', profile: 'level0', ...more }, base)

describe('tilesFor', () => {
  it('follows the arithmetic of the specification', () => {
    const plan = tilesFor(
      info({ width: 1000, height: 700, tiles: [{ width: 256, scaleFactors: [1, 2] }] }),
      2,
    )
    expect([plan.widthPx, plan.heightPx]).toEqual([500, 350])
    expect(plan.tiles.map((tile) => tile.urls[0]?.replace(`${base}/`, ''))).toEqual([
      '0,0,512,512/256,256/0/default.jpg',
      '512,0,488,512/244,256/0/default.jpg',
      '0,512,512,188/256,94/0/default.jpg',
      '512,512,488,188/244,94/0/default.jpg',
    ])
    expect(plan.tiles.map(({ x, y }) => [x, y])).toEqual([
      [0, 0],
      [256, 0],
      [0, 256],
      [256, 256],
    ])
  })

  it('tries the canonical form of version 2 first, and "full" for tiles of natural size', () => {
    const json = { '@id': base, profile: 'http://iiif.io/api/image/2/level0.json', width: 300, height: 100 }
    const plan = tilesFor(parseImageInfo({ ...json, tiles: [{ width: 256, scaleFactors: [1] }] }, base), 1)
    expect(plan.tiles[1]?.urls.map((url) => url.replace(`${base}/`, ''))).toEqual([
      '256,0,44,100/44,/0/default.jpg',
      '256,0,44,100/44,100/0/default.jpg',
      '256,0,44,100/full/0/default.jpg',
    ])
  })

  it('cuts tiles to the limits of a server that makes any', () => {
    const plan = tilesFor(info({ profile: 'level2', width: 2000, height: 1500, maxWidth: 600 }), 1)
    expect(Math.max(...plan.tiles.map((tile) => tile.widthPx))).toBe(600)
    expect(Math.max(...plan.tiles.map((tile) => tile.heightPx))).toBe(600)
    const byArea = tilesFor(info({ profile: 'level1', width: 2000, height: 1500, maxArea: 250_000 }), 1)
    expect(Math.max(...byArea.tiles.map((tile) => tile.widthPx * tile.heightPx))).toBeLessThanOrEqual(250_000)
  })

  it('covers every pixel once, whatever the sizes', () => {
    const side = fc.integer({ min: 1, max: 700 })
    fc.assert(
      fc.property(
        side,
        side,
        fc.tuple(fc.integer({ min: 16, max: 300 }), fc.integer({ min: 16, max: 300 })),
        fc.constantFrom(1, 2, 3, 4, 8),
        (width, height, [tileWidth, tileHeight], scale) => {
          const plan = tilesFor(
            info({ width, height, tiles: [{ width: tileWidth, height: tileHeight, scaleFactors: [scale] }] }),
            scale,
          )
          const source = new Uint8Array(width * height)
          const output = new Uint8Array(plan.widthPx * plan.heightPx)
          for (const tile of plan.tiles) {
            fill(source, width, {
              x: tile.region.x,
              y: tile.region.y,
              w: tile.region.widthPx,
              h: tile.region.heightPx,
            })
            fill(output, plan.widthPx, { x: tile.x, y: tile.y, w: tile.widthPx, h: tile.heightPx })
          }
          expect(source.every((times) => times === 1)).toBe(true)
          expect(output.every((times) => times === 1)).toBe(true)
          expect(plan.widthPx).toBe(Math.ceil(width / scale))
        },
      ),
      { numRuns: 150 },
    )
  })
})

function fill(map: Uint8Array, width: number, box: { x: number; y: number; w: number; h: number }): void {
  for (let row = box.y; row < box.y + box.h; row++) {
    for (let column = box.x; column < box.x + box.w; column++) {
      if (column >= width) throw new Error('outside')
      const at = row * width + column
      map[at] = (map[at] ?? 99) + 1
    }
  }
}

describe('finestScale', () => {
  it.each([
    ['level2', undefined, 1],
    ['level0', [{ width: 256, scaleFactors: [4, 2, 8] }], 2],
    ['level0', undefined, undefined],
  ])('of %s with tiles %j is %s', (profile, tiles, expected) => {
    expect(
      finestScale(info({ profile, width: 10, height: 10, ...(tiles === undefined ? {} : { tiles }) })),
    ).toBe(expected)
  })
})

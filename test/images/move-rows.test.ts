import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { releaseMemory } from '../../src/images/bytes/release-memory.ts'
import { moveRowsInPlace } from '../../src/images/transform/move-rows.ts'
import { moveRects, stripReversal, type RawImage, type Rect } from '../../src/images/index.ts'

function raw(widthPx: number, heightPx: number): RawImage {
  const pixels = Buffer.from(
    Array.from({ length: widthPx * heightPx * 3 }, (_, i) => (i * 7 + (i >> 8)) & 255),
  )
  return { pixels, widthPx, heightPx, channels: 3, bytesPerSample: 1 }
}

test('strips are moved in place as they are into a new image', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 300 }),
      fc.integer({ min: 2, max: 40 }),
      (width, height, strips) => {
        const image = raw(width, height)
        const rects = stripReversal(width, height, strips)
        const expected = moveRects(image, rects)
        const moved = moveRowsInPlace(image, rects)
        expect(moved).toBe(rects.length > 0)
        expect(image.pixels.equals(expected.pixels)).toBe(true)
      },
    ),
  )
})

const whole: Rect = { sx: 0, sy: 0, w: 4, h: 6, dx: 0, dy: 0 }

test.each<[string, readonly Rect[]]>([
  ['rows left over', [{ ...whole, h: 5 }]],
  [
    'a row twice',
    [
      { ...whole, h: 3 },
      { ...whole, h: 3, dy: 3 },
    ],
  ],
  ['narrower than the image', [{ ...whole, w: 3 }]],
  ['beyond the end', [{ ...whole, dy: 1 }]],
  ['beyond the end of the source', [{ ...whole, sy: 1 }]],
])('%s: nothing is moved', (_, rects) => {
  const image = raw(4, 6)
  const before = Buffer.from(image.pixels)
  expect(moveRowsInPlace(image, rects)).toBe(false)
  expect(image.pixels.equals(before)).toBe(true)
})

test('memory is given back only where the buffer has it alone', () => {
  const alone = Buffer.allocUnsafeSlow(100_000)
  releaseMemory(alone)
  expect(alone.length).toBe(0)
  const shared = Buffer.from('a small buffer of the common pool')
  releaseMemory(shared)
  expect(shared.toString()).toBe('a small buffer of the common pool')
})

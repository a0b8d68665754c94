import { rowBytes, type RawImage } from './raw-image.ts'
import type { Rect } from './rect.ts'

/**
 * Moves strips over the whole width within the memory of the image: every row goes to its place once, along the
 * cycles of the permutation, through memory for one row. A second image would cost more in fresh memory than the
 * moving itself. False, and nothing is changed, where the rectangles are no permutation of whole rows.
 */
export function moveRowsInPlace(image: RawImage, rects: readonly Rect[]): boolean {
  const sourceOf = rowSources(image, rects)
  if (sourceOf === undefined) return false
  const { pixels } = image
  const row = rowBytes(image)
  const spare = Buffer.allocUnsafe(row)
  for (let first = 0; first < sourceOf.length; first++) {
    if ((sourceOf[first] ?? first) === first) continue
    pixels.copy(spare, 0, first * row, (first + 1) * row)
    let to = first
    for (let from = sourceOf[to] ?? first; from !== first; from = sourceOf[to] ?? first) {
      pixels.copyWithin(to * row, from * row, (from + 1) * row)
      sourceOf[to] = to
      to = from
    }
    spare.copy(pixels, to * row)
    sourceOf[to] = to
  }
  return true
}

/** For each row of the right image the row it comes from; undefined where that is no permutation. */
function rowSources(image: RawImage, rects: readonly Rect[]): Int32Array | undefined {
  const { widthPx, heightPx } = image
  const sourceOf = new Int32Array(heightPx).fill(-1)
  const taken = new Uint8Array(heightPx)
  let rows = 0
  for (const { sx, sy, w, h, dx, dy } of rects) {
    if (sx !== 0 || dx !== 0 || w !== widthPx) return undefined
    for (let y = 0; y < h; y++) {
      if (sourceOf[dy + y] !== -1 || taken[sy + y] !== 0) return undefined
      sourceOf[dy + y] = sy + y
      taken[sy + y] = 1
      rows++
    }
  }
  return rows === heightPx ? sourceOf : undefined
}

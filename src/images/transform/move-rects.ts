import { TrawlError } from '../../core/index.ts'
import { rowBytes, type RawImage } from './raw-image.ts'
import type { Rect } from './rect.ts'

/**
 * A new image of the same size with the rectangles moved; what no rectangle covers stays in place. Strips over the
 * whole width are one copy each. Throws ERR_IMAGE_DIMENSIONS for a rectangle that does not fit.
 */
export function moveRects(image: RawImage, rects: readonly Rect[]): RawImage {
  for (const rect of rects) checkFits(image, rect)
  const { pixels } = image
  const covered = rects.reduce((sum, { w, h }) => sum + w * h, 0)
  const out =
    covered === image.widthPx * image.heightPx ? Buffer.allocUnsafe(pixels.length) : Buffer.from(pixels)
  const row = rowBytes(image)
  const pixel = image.channels * image.bytesPerSample
  for (const { sx, sy, w, h, dx, dy } of rects) {
    if (w === image.widthPx) {
      pixels.copy(out, dy * row, sy * row, (sy + h) * row)
      continue
    }
    for (let y = 0; y < h; y++) {
      const from = (sy + y) * row + sx * pixel
      pixels.copy(out, (dy + y) * row + dx * pixel, from, from + w * pixel)
    }
  }
  return { ...image, pixels: out }
}

function checkFits(image: RawImage, rect: Rect): void {
  const { sx, sy, w, h, dx, dy } = rect
  const whole = [sx, sy, w, h, dx, dy].every((value) => Number.isInteger(value) && value >= 0)
  const inside =
    Math.max(sx, dx) + w <= image.widthPx && Math.max(sy, dy) + h <= image.heightPx && w > 0 && h > 0
  if (whole && inside) return
  throw new TrawlError(
    'ERR_IMAGE_DIMENSIONS',
    `a rectangle of ${w} x ${h} from ${sx},${sy} to ${dx},${dy} does not fit an image of ${image.widthPx} x ${image.heightPx}`,
  )
}

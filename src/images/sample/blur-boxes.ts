import type { SharpFunction } from '../decode/load-sharp.ts'
import { fromRaw } from '../transform/decode-canvas.ts'
import type { RawImage } from '../transform/raw-image.ts'
import type { Box } from './sample-options.ts'

/** Boxes grow by this part of the longer side, and this part of the longest is the width of the blur. */
const GROW = 0.1

/**
 * Blurs boxes, as img2dataset does: each grown by a tenth of its longer side, a Gaussian blur as wide as a tenth of the
 * longest side of all, and a soft edge of the same width. Boxes at the border, which grow out of the picture, are
 * blurred too (there they are not).
 */
export async function blurBoxes(
  sharp: SharpFunction,
  image: RawImage,
  boxes: readonly Box[],
): Promise<RawImage> {
  const { widthPx, heightPx, channels } = image
  const mask = Buffer.alloc(widthPx * heightPx)
  let longest = 0
  for (const box of boxes) longest = Math.max(longest, fillBox(mask, widthPx, heightPx, box))
  if (longest === 0) return image
  // sharp blurs from 0.3 on; less would be no blur at all.
  const sigma = Math.max(0.3, GROW * longest)
  const soft = { ...image, pixels: mask, channels: 1 } as const
  const blur = async (raw: RawImage): Promise<Buffer> =>
    fromRaw(sharp, raw)
      .blur({ sigma, minAmplitude: 0.01 })
      .toColourspace(raw.channels <= 2 ? 'b-w' : 'srgb')
      .raw()
      .toBuffer()
  const [blurred, weights] = await Promise.all([blur(image), blur(soft)])
  const pixels = Buffer.allocUnsafe(image.pixels.length)
  for (let pixel = 0, at = 0; pixel < mask.length; pixel++) {
    const weight = weights[pixel] ?? 0
    for (let c = 0; c < channels; c++, at++) {
      const sharpValue = image.pixels[at] ?? 0
      pixels[at] = Math.round((sharpValue * (255 - weight) + (blurred[at] ?? 0) * weight) / 255)
    }
  }
  return { ...image, pixels }
}

/** Marks a grown box in the mask; gives the longer side of the box itself, in pixels. */
function fillBox(mask: Buffer, widthPx: number, heightPx: number, box: Box): number {
  const [x0, x1] = [Math.trunc(box[0] * widthPx), Math.trunc(box[2] * widthPx)]
  const [y0, y1] = [Math.trunc(box[1] * heightPx), Math.trunc(box[3] * heightPx)]
  const longer = Math.max(x1 - x0, y1 - y0)
  if (!(x1 > x0 && y1 > y0)) return 0
  const left = inside(x0 - GROW * longer, widthPx)
  const right = inside(x1 + GROW * longer, widthPx)
  const top = inside(y0 - GROW * longer, heightPx)
  const bottom = inside(y1 + GROW * longer, heightPx)
  for (let y = top; y < bottom; y++) mask.fill(255, y * widthPx + left, y * widthPx + right)
  return longer
}

function inside(value: number, most: number): number {
  return Math.min(most, Math.max(0, Math.trunc(value)))
}

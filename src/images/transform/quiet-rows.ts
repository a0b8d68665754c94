import { rowBytes, type RawImage } from './raw-image.ts'
import type { Region } from './page-plan.ts'

/** How far a cut may move from its place, as a part of the slice height. */
const SEARCH = 0.2
/** Only every so many bytes of a row are looked at. */
const STEP = 4

/**
 * Cuts a tall region into slices of about `heightPx`, each cut at the quietest row nearby: between panels or lines of
 * text rather than through them. The slices cover the region without overlap.
 */
export function sliceRegion(image: RawImage, region: Region, heightPx: number): Region[] {
  const parts = Math.max(1, Math.round(region.heightPx / heightPx))
  const each = region.heightPx / parts
  const bottom = region.top + region.heightPx
  const slices: Region[] = []
  let top = region.top
  for (let i = 1; i <= parts; i++) {
    const wanted = Math.round(region.top + each * i)
    const reach = Math.floor(each * SEARCH)
    const end = i === parts ? bottom : quietRow(image, region, wanted, reach)
    slices.push({ left: region.left, top, widthPx: region.widthPx, heightPx: end - top })
    top = end
  }
  return slices
}

/** The quietest row within reach of `wanted`; the nearest of equally quiet ones. */
function quietRow(image: RawImage, region: Region, wanted: number, reach: number): number {
  let best = wanted
  let least = Infinity
  for (let distance = 0; distance <= reach; distance++) {
    for (const row of distance === 0 ? [wanted] : [wanted - distance, wanted + distance]) {
      const activity = rowActivity(image, region, row)
      if (activity < least) {
        least = activity
        best = row
      }
    }
    if (least === 0) break
  }
  return best
}

/** How much a row changes along its length: the sum of steps between samples of one channel. */
function rowActivity(image: RawImage, region: Region, row: number): number {
  const { pixels, channels, bytesPerSample } = image
  const pixel = channels * bytesPerSample
  const start = row * rowBytes(image) + region.left * pixel
  const end = start + region.widthPx * pixel
  // The high byte of 16-bit samples is the second one in memory.
  const high = bytesPerSample - 1
  let sum = 0
  let last = pixels[start + high] ?? 0
  for (let at = start + high; at < end; at += pixel * STEP) {
    const value = pixels[at] ?? 0
    sum += Math.abs(value - last)
    last = value
  }
  return sum
}

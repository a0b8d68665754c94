import type { Sharp, SharpOptions } from 'sharp'
import type { ImageFacts } from '../image-facts.ts'
import type { SharpFunction } from '../decode/load-sharp.ts'
import { descrambleOwn } from './descramble.ts'
import type { PagePlan } from './page-plan.ts'
import type { RawImage } from './raw-image.ts'

/** sharp trims nothing smaller. */
const TRIM_SMALLEST = 3
/** Less than this part of a side left means that trimming found a blank page, not an edge. */
const TRIM_LEAST = 0.1

/** Decodes the first frame into memory and does the steps that need all pixels: descramble, orient, trim. */
export async function decodeCanvas(
  sharp: SharpFunction,
  input: string | Buffer,
  plan: PagePlan,
  source: { readonly facts: ImageFacts; readonly options: SharpOptions; readonly deep: boolean },
): Promise<RawImage> {
  const { facts, options, deep } = source
  const space = spaceOf(facts, deep)
  // Raw pixels in 'b-w' would lose their alpha.
  const rawSpace = space === 'b-w' && facts.alpha ? 'srgb' : space
  let image = await toRaw(sharp(input, { ...options, autoOrient: false }), rawSpace)
  if (plan.descramble) image = descrambleOwn(image, plan.descramble)
  if (facts.orientation !== 1) image = await toRaw(turn(fromRaw(sharp, image), facts.orientation), rawSpace)
  if (plan.trim === true) image = await trim(sharp, image, rawSpace)
  return image
}

type Space = 'b-w' | 'srgb' | 'grey16' | 'rgb16'

function spaceOf(facts: ImageFacts, deep: boolean): Space {
  const grey = facts.channels === 1 && facts.palette !== true
  return deep ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb'
}

/** The pixels as one of grey, grey with alpha, RGB or RGB with alpha; CMYK and profiles become sRGB. */
export function inColours(image: Sharp, facts: ImageFacts, deep: boolean): Sharp {
  return image.toColourspace(spaceOf(facts, deep))
}

/** sharp over a raw image. */
export function fromRaw(sharp: SharpFunction, image: RawImage): Sharp {
  const { pixels, widthPx: width, heightPx: height, channels } = image
  const samples =
    image.bytesPerSample === 1 ? pixels : new Uint16Array(pixels.buffer, pixels.byteOffset, pixels.length / 2)
  return sharp(samples, { raw: { width, height, channels }, limitInputPixels: false })
}

async function toRaw(image: Sharp, space: Space): Promise<RawImage> {
  const deep = space === 'grey16' || space === 'rgb16'
  const { data, info } = await image
    .toColourspace(space)
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return {
    pixels: data,
    widthPx: info.width,
    heightPx: info.height,
    channels: info.channels,
    bytesPerSample: deep ? 2 : 1,
  }
}

/** Mirrors and turns as EXIF asks (Exif 2.32, tag 274). */
function turn(image: Sharp, orientation: number): Sharp {
  const angle = [0, 0, 0, 180, 180, 270, 90, 90, 270][orientation] ?? 0
  const mirrored = orientation === 2 || orientation === 4 || orientation === 5 || orientation === 7
  // sharp mirrors before it turns, whatever the order of the calls.
  return mirrored ? image.rotate(angle).flop() : image.rotate(angle)
}

async function trim(sharp: SharpFunction, image: RawImage, space: Space): Promise<RawImage> {
  if (Math.min(image.widthPx, image.heightPx) < TRIM_SMALLEST) return image
  const trimmed = await toRaw(fromRaw(sharp, image).trim(), space)
  const blank = trimmed.widthPx < image.widthPx * TRIM_LEAST || trimmed.heightPx < image.heightPx * TRIM_LEAST
  return blank ? image : trimmed
}

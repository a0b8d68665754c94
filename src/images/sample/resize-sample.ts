import type { Sharp } from 'sharp'
import { TrawlError } from '../../core/index.ts'
import { asBuffer } from '../bytes/byte-source.ts'
import { DEFAULT_MAX_PIXELS } from '../decode/pixel-limit.ts'
import { notImageError } from '../check/not-image.ts'
import { decodeFully } from '../decode/decode-fully.ts'
import { sharedDecodePool } from '../decode/decode-pool.ts'
import { imageError } from '../decode/image-error.ts'
import { loadSharp, type SharpFunction } from '../decode/load-sharp.ts'
import { shownSize, type ImageFacts } from '../image-facts.ts'
import { probeImage } from '../probe/probe-image.ts'
import { sniffFormat } from '../probe/sniff-format.ts'
import { checkStructure } from '../structure/check-structure.ts'
import { fromRaw } from '../transform/decode-canvas.ts'
import { blurBoxes } from './blur-boxes.ts'
import { sampleGeometry, type SampleGeometry } from './sample-geometry.ts'
import type { Interpolation, ResizedSample, SampleFilters, SampleOptions } from './sample-options.ts'

const WHITE = '#ffffff'
const decodable = new Set(['jpeg', 'png', 'webp', 'gif', 'avif', 'tiff'])
const encodings = { jpg: 'jpeg', png: 'png', webp: 'webp' } as const

// libvips shrinks by whole factors with a box first; a linear kernel for the rest is next to an area average.
const kernels = {
  nearest: 'nearest',
  linear: 'linear',
  cubic: 'cubic',
  area: 'linear',
  lanczos: 'lanczos3',
} as const satisfies Record<Interpolation, string>

/**
 * Makes a dataset sample of an image: filters by the header, decodes the first frame once, scaled down while it is
 * read where the format can, and encodes it. Everything becomes 8-bit sRGB; what is transparent becomes white in JPEG.
 * A cut image is refused, never filled up with grey.
 *
 * Throws ERR_SAMPLE_FILTERED (with `context.filter`), ERR_IMAGE_EMPTY, ERR_IMAGE_NOT_IMAGE, ERR_IMAGE_UNSUPPORTED,
 * ERR_IMAGE_TOO_LARGE, ERR_IMAGE_TRUNCATED, ERR_IMAGE_DAMAGED and ERR_CANCELLED.
 */
export async function resizeSample(source: Uint8Array, options: SampleOptions): Promise<ResizedSample> {
  const bytes = asBuffer(source)
  const facts = await readFacts(bytes)
  const orient = options.orient !== false
  const original = orient ? shownSize(facts) : facts
  filterSample(original.widthPx, original.heightPx, options)
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS
  const pixels = facts.widthPx * facts.heightPx
  if (pixels > maxPixels) {
    throw new TrawlError('ERR_IMAGE_TOO_LARGE', `${pixels} pixels, more than ${maxPixels} are not decoded`)
  }
  const geometry = sampleGeometry(original.widthPx, original.heightPx, options)
  const work = async (): Promise<ResizedSample> => {
    const untouched = options.keepOriginalIfUntouched === true && isUntouched(facts, geometry, options)
    if (untouched) await decodeFully(bytes, facts, maxPixels)
    return {
      bytes: untouched ? bytes : await encodeSample(await loadSharp(), bytes, { facts, geometry, options }),
      widthPx: geometry.widthPx,
      heightPx: geometry.heightPx,
      originalWidthPx: original.widthPx,
      originalHeightPx: original.heightPx,
      reencoded: !untouched,
    }
  }
  try {
    return await (options.pool ?? sharedDecodePool()).run(pixels, work, options.signal)
  } catch (error) {
    const known = imageError(error, { name: 'the image', doing: 'decode' })
    // Whether it was cut or is wrong inside is told by its structure; this runs for failures only.
    if (known.code === 'ERR_IMAGE_DAMAGED') await checkStructure(bytes)
    throw known
  }
}

/** Throws ERR_SAMPLE_FILTERED where a filter leaves out an image of this size; the texts are those of img2dataset. */
export function filterSample(widthPx: number, heightPx: number, filters: SampleFilters): void {
  const shorter = Math.min(widthPx, heightPx)
  const longer = Math.max(widthPx, heightPx)
  const { minImageSizePx = 0, maxImageAreaPx = Infinity, maxAspectRatio = Infinity } = filters
  const reason =
    shorter < minImageSizePx
      ? 'image too small'
      : widthPx * heightPx > maxImageAreaPx
        ? 'image area too large'
        : longer / shorter > maxAspectRatio
          ? 'aspect ratio too large'
          : undefined
  if (reason === undefined) return
  throw new TrawlError('ERR_SAMPLE_FILTERED', `${reason}: ${widthPx} x ${heightPx}`, {
    context: { filter: reason, widthPx, heightPx },
  })
}

async function readFacts(bytes: Buffer): Promise<ImageFacts> {
  const format = sniffFormat(bytes)
  if (!format) throw notImageError(bytes.subarray(0, 65_536), 'the image', bytes.length)
  const facts = probeImage(bytes)
  if (facts && decodable.has(format)) return facts
  await checkStructure(bytes)
  throw new TrawlError('ERR_IMAGE_UNSUPPORTED', `${format} images cannot be decoded`, { context: { format } })
}

function isUntouched(facts: ImageFacts, geometry: SampleGeometry, options: SampleOptions): boolean {
  return (
    facts.format === encodings[options.encode] &&
    geometry.scaleTo === undefined &&
    geometry.crop === undefined &&
    geometry.pad === undefined &&
    (options.blurBoxes ?? []).length === 0 &&
    (options.orient === false || facts.orientation === 1) &&
    facts.frames === 1 &&
    facts.channels <= 3 &&
    facts.bitDepth <= 8
  )
}

interface SampleWork {
  readonly facts: ImageFacts
  readonly geometry: SampleGeometry
  readonly options: SampleOptions
}

async function encodeSample(sharp: SharpFunction, bytes: Buffer, work: SampleWork): Promise<Buffer> {
  const { facts, geometry, options } = work
  let image = sharp(bytes, {
    failOn: 'truncated',
    limitInputPixels: false,
    autoOrient: options.orient !== false,
  })
  const { scaleTo, crop, pad } = geometry
  if (scaleTo) {
    image = image.resize(scaleTo.widthPx, scaleTo.heightPx, {
      fit: 'fill',
      kernel: kernels[scaleTo.interpolation],
    })
  }
  if (facts.alpha && options.encode === 'jpg') image = image.flatten({ background: WHITE })
  if ((options.blurBoxes ?? []).length > 0) image = await blurred(sharp, image, options)
  if (crop) image = image.extract({ left: crop.left, top: crop.top, width: crop.sidePx, height: crop.sidePx })
  if (pad) image = image.extend({ ...pad, background: WHITE })
  return encoded(image, options).toBuffer()
}

async function blurred(sharp: SharpFunction, image: Sharp, options: SampleOptions): Promise<Sharp> {
  const { data, info } = await image.toColourspace('srgb').raw().toBuffer({ resolveWithObject: true })
  const raw = {
    pixels: data,
    widthPx: info.width,
    heightPx: info.height,
    channels: info.channels,
    bytesPerSample: 1,
  } as const
  return fromRaw(sharp, await blurBoxes(sharp, raw, options.blurBoxes ?? []))
}

function encoded(image: Sharp, options: SampleOptions): Sharp {
  if (options.encode === 'png') return image.png({ compressionLevel: Math.min(9, options.quality ?? 6) })
  const quality = Math.max(1, options.quality ?? 95)
  // Standard Huffman tables, as OpenCV uses them: a few per cent larger, and half the time.
  return options.encode === 'webp' ? image.webp({ quality }) : image.jpeg({ quality, optimiseCoding: false })
}

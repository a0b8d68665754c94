import type { Metadata, Sharp } from 'sharp'
import { imageError, loadSharp, sharedDecodePool } from '../../images/index.ts'

/** A decoded image, encoded again in a form that containers take without change. */
export interface RasterImage {
  /** A PNG that is not interlaced and has no alpha, or a JPEG. */
  readonly image: Buffer
  /** A grey PNG with the opacity of each pixel; absent where all is opaque. */
  readonly alpha?: Buffer
  /** Profile of the colours, where they were kept as they are. */
  readonly icc?: Buffer
}

export interface RasterOptions {
  /** `lossless` gives a PNG of the same samples, 16 bits a sample where the image has more than 8. */
  readonly to: 'lossless' | 'jpeg'
  /** Of JPEG, 1 to 100. */
  readonly quality?: number
  /** Lays the image on white instead of giving its alpha. */
  readonly flatten?: boolean
  /** Converts colours to sRGB instead of keeping them and their profile. */
  readonly srgb?: boolean
}

/**
 * Decodes an image file (its first frame) and encodes it again. Pixels are not turned: EXIF orientation is left to
 * the container. Throws ERR_IMAGE_UNSUPPORTED, ERR_IMAGE_DAMAGED.
 */
export async function rasterise(path: string, options: RasterOptions): Promise<RasterImage> {
  const sharp = await loadSharp()
  return await decoding(path, async (probe) => {
    const colours = chooseColours(probe, options)
    const open = () => sharp(path, { ignoreIcc: colours.keep, failOn: 'truncated' })
    const alpha = probe.hasAlpha && options.flatten !== true ? await opacity(path, colours) : undefined
    const flat = options.flatten === true ? open().flatten({ background: 'white' }) : open().removeAlpha()
    const image = await encode(flat.toColourspace(colours.space), options)
    const icc = colours.keep ? probe.icc : undefined
    return { image, ...(alpha ? { alpha } : {}), ...(icc ? { icc } : {}) }
  })
}

/**
 * Decodes an image file (its first frame) and encodes it again as one file in sRGB, for containers that show images
 * as the web does: PNG, or JPEG where `to` says so and all is opaque. Throws ERR_IMAGE_UNSUPPORTED,
 * ERR_IMAGE_DAMAGED.
 */
export async function recodeForWeb(
  path: string,
  options: RasterOptions,
): Promise<{ readonly format: 'png' | 'jpeg'; readonly image: Buffer }> {
  const { image, alpha } = await rasterise(path, { ...options, srgb: true })
  if (!alpha) return { format: options.to === 'jpeg' ? 'jpeg' : 'png', image }
  const whole =
    options.to === 'jpeg' ? await rasterise(path, { ...options, srgb: true, to: 'lossless' }) : { image }
  return { format: 'png', image: await joinAlpha(whole.image, alpha) }
}

/** A grey PNG with the opacity of each pixel; undefined where all is opaque. Throws ERR_IMAGE_DAMAGED. */
export async function rasteriseAlpha(path: string): Promise<Buffer | undefined> {
  const colours: Colours = { space: 'srgb', deep: false, keep: true }
  return await decoding(path, () => opacity(path, colours))
}

/**
 * An image with the opacity of another one, as PNG: samples of both as they are, 16 bits where either has them.
 * Throws ERR_IMAGE_DAMAGED, ERR_IMAGE_UNSUPPORTED.
 */
export async function joinAlpha(image: Buffer, alpha: Buffer): Promise<Buffer> {
  const sharp = await loadSharp()
  try {
    const probes = await Promise.all([sharp(image).metadata(), sharp(alpha).metadata()])
    const deep = probes.some((probe) => probe.depth === 'ushort')
    const kind = deep ? 'ushort' : 'uchar'
    const open = (bytes: Buffer) => sharp(bytes, { ignoreIcc: true, failOn: 'truncated' })
    const colour = await open(image)
      .removeAlpha()
      .toColourspace(deep ? 'rgb16' : 'srgb')
      .raw({ depth: kind })
      .toBuffer({ resolveWithObject: true })
    const { width, height, channels } = colour.info
    const opacity = await open(alpha)
      .resize(width, height, { fit: 'fill' })
      .toColourspace(deep ? 'grey16' : 'b-w')
      .raw({ depth: kind })
      .toBuffer()
    const colours = samplesOf(colour.data, deep)
    const joined = new (deep ? Uint16Array : Uint8Array)(width * height * 4)
    interleave(joined, { colours, channels, alpha: samplesOf(opacity, deep) })
    const raw = { width, height, channels: 4 } as const
    return await sharp(joined, { raw })
      .toColourspace(deep ? 'rgb16' : 'srgb')
      .png(pngOptions)
      .toBuffer()
  } catch (error) {
    throw imageError(error, { name: 'a page', doing: 'put together' })
  }
}

function samplesOf(bytes: Buffer, deep: boolean): Uint8Array | Uint16Array {
  return deep ? new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2) : bytes
}

interface Channels {
  readonly colours: Uint8Array | Uint16Array
  /** 3, or 1 for grey. */
  readonly channels: number
  readonly alpha: Uint8Array | Uint16Array
}

/** Fills RGBA samples from colours and alpha. */
function interleave(out: Uint8Array | Uint16Array, { colours, channels, alpha }: Channels): void {
  for (let i = 0; i < alpha.length; i++) {
    for (let k = 0; k < 3; k++) out[i * 4 + k] = colours[i * channels + Math.min(k, channels - 1)] ?? 0
    out[i * 4 + 3] = alpha[i] ?? 0
  }
}

interface Colours {
  readonly space: 'srgb' | 'b-w' | 'rgb16' | 'grey16'
  readonly deep: boolean
  /** Samples stay as they are and the profile goes along. */
  readonly keep: boolean
}

function chooseColours(probe: Metadata, options: RasterOptions): Colours {
  const grey = probe.space === 'b-w' || probe.space === 'grey16'
  const known = grey || probe.space === 'srgb' || probe.space === 'rgb16' || probe.space === 'rgb'
  const deep =
    options.to === 'lossless' &&
    (probe.depth === 'ushort' || probe.space === 'rgb16' || probe.space === 'grey16')
  const space = grey ? (deep ? 'grey16' : 'b-w') : deep ? 'rgb16' : 'srgb'
  return { space, deep, keep: known && options.srgb !== true }
}

/**
 * The last channel of all samples. Taken from raw samples: extracting a channel of 16 bits in the pipeline goes
 * through floating point and is off by one in places.
 */
async function opacity(path: string, colours: Colours): Promise<Buffer | undefined> {
  const sharp = await loadSharp()
  const { data, info } = await sharp(path, { ignoreIcc: colours.keep, failOn: 'truncated' })
    // Raw output in 'b-w' has no alpha.
    .toColourspace(colours.space === 'b-w' ? 'srgb' : colours.space)
    .raw({ depth: colours.deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true })
  const samples = samplesOf(data, colours.deep)
  const alpha = new (colours.deep ? Uint16Array : Uint8Array)(info.width * info.height)
  const opaque = colours.deep ? 0xffff : 0xff
  let least = opaque
  for (let i = 0; i < alpha.length; i++) {
    const value = samples[(i + 1) * info.channels - 1] ?? opaque
    alpha[i] = value
    if (value < least) least = value
  }
  if (least === opaque) return undefined
  return await sharp(alpha, { raw: { width: info.width, height: info.height, channels: 1 } })
    .toColourspace(colours.deep ? 'grey16' : 'b-w')
    .png(pngOptions)
    .toBuffer()
}

async function encode(image: Sharp, options: RasterOptions): Promise<Buffer> {
  if (options.to === 'lossless') return await image.png(pngOptions).toBuffer()
  return await image.jpeg({ quality: options.quality ?? 92, chromaSubsampling: '4:4:4' }).toBuffer()
}

const pngOptions = { compressionLevel: 6, adaptiveFiltering: true, progressive: false, palette: false }

/** Runs work on an image when there is room for its pixels. */
async function decoding<T>(path: string, work: (probe: Metadata) => Promise<T>): Promise<T> {
  const sharp = await loadSharp()
  try {
    const probe = await sharp(path).metadata()
    return await sharedDecodePool().run(probe.width * probe.height, () => work(probe))
  } catch (error) {
    throw imageError(error, { name: path, doing: 'decode' })
  }
}

import type { ImageFormat } from '../../../images/index.ts'
import {
  imageInMemory,
  isLosslessWebp,
  readJp2Header,
  readJpegHeader,
  readPngHeader,
  type ImageBytes,
} from '../../image-bytes/index.ts'
import { rasterise, rasteriseAlpha, type RasterOptions } from '../../raster/index.ts'
import { planG4Tiff } from './embed-g4.ts'
import { planJp2 } from './embed-jp2.ts'
import { isPlainJpeg, planJpeg } from './embed-jpeg.ts'
import { hasPaletteAlpha, isPlainPng, planPng } from './embed-png.ts'
import type { EmbedOptions, ImagePlan } from './image-plan.ts'

/**
 * How an image goes into a PDF. JPEG, JPEG 2000, PNG without alpha and simple G4 TIFF are copied; everything else is
 * decoded: without loss where the file has lost nothing, else to JPEG. `image` must be the file at `path`.
 * Throws ERR_IMAGE_* and ERR_PACK_UNSUPPORTED.
 */
export async function planImage(
  path: string,
  image: ImageBytes,
  format: ImageFormat,
  options: EmbedOptions,
): Promise<ImagePlan> {
  if (format === 'jpeg') {
    const jpeg = readJpegHeader(image)
    const plan = isPlainJpeg(jpeg) ? planJpeg(image, jpeg) : undefined
    // Without a profile these inks mean nothing beside the sRGB output intent of PDF/A.
    if (plan && !(options.pdfA && plan.colour.space === 'DeviceCMYK' && !plan.colour.icc)) return plan
    return await recoded(path, options, {
      to: jpeg.bitDepth > 8 ? 'lossless' : 'jpeg',
      srgb: plan !== undefined,
    })
  }
  if (format === 'jp2') return planJp2(image, readJp2Header(image), options.pdfA)
  if (format === 'png') return await planAnyPng(path, image, options)
  if (format === 'tiff') {
    const plan = planG4Tiff(image)
    if (plan) return plan
  }
  return await recoded(path, options, { to: hasLost(image, format) ? 'jpeg' : 'lossless' })
}

async function planAnyPng(path: string, image: ImageBytes, options: EmbedOptions): Promise<ImagePlan> {
  const png = readPngHeader(image)
  const paletteAlpha = hasPaletteAlpha(png)
  const flatten = options.flatten && png.transparency !== undefined
  if (!isPlainPng(png) || flatten) return await recoded(path, options, { to: 'lossless' })
  const plan = planPng(png)
  const alpha = paletteAlpha ? await rasteriseAlpha(path) : undefined
  return alpha ? { ...plan, alpha: planMemoryPng(path, alpha) } : plan
}

/** Formats whose pixels are an approximation already, so that a good JPEG of them adds little. */
function hasLost(image: ImageBytes, format: ImageFormat): boolean {
  if (format === 'webp') return !isLosslessWebp(image)
  return format === 'avif' || format === 'heic' || format === 'jxl'
}

async function recoded(path: string, options: EmbedOptions, how: RasterOptions): Promise<ImagePlan> {
  const to = options.recode === 'lossless' ? 'lossless' : how.to
  const { jpegQuality: quality, flatten } = options
  const raster = await rasterise(path, { ...how, to, quality, flatten })
  const alpha = raster.alpha ? { alpha: planMemoryPng(path, raster.alpha) } : {}
  if (to === 'lossless') return { ...planMemoryPng(path, raster.image, raster.icc), ...alpha }
  const image = imageInMemory(path, raster.image)
  const jpeg = readJpegHeader(image)
  const plan = planJpeg(image, raster.icc ? { ...jpeg, icc: raster.icc } : jpeg)
  return { ...plan, ...alpha, verbatim: false }
}

function planMemoryPng(path: string, png: Buffer, icc?: Buffer): ImagePlan {
  return planPng(readPngHeader(imageInMemory(path, png)), icc)
}

import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { DEFAULT_MAX_PIXELS } from '../decode/pixel-limit.ts'
import { sharedDecodePool, type DecodePool } from '../decode/decode-pool.ts'
import { imageError } from '../decode/image-error.ts'
import { loadSharp, type SharpFunction } from '../decode/load-sharp.ts'
import { shownSize, type ImageFacts } from '../image-facts.ts'
import { probeImageFile } from '../probe/probe-image.ts'
import type { RawImage } from '../transform/raw-image.ts'
import type { PageFormat } from '../transform/page-plan.ts'
import type { PageTarget } from '../transform/transform-page.ts'
import { planLongImage, type LongPart, type PageHeight } from './plan-long-image.ts'
import { createScratchTiff, type ScratchTiff } from './scratch-tiff.ts'

export interface LongImageOptions {
  /** Default `jpg`. */
  readonly format?: PageFormat
  /** Of JPEG and WebP; default 90. */
  readonly quality?: number
  /** Width of all pages; default the widest of them. */
  readonly widthPx?: number
  /** Highest part; default and at most what the format allows: 65,500 for JPEG, 16,383 for WebP. */
  readonly maxHeightPx?: number
  readonly maxPixels?: number
  readonly pool?: DecodePool
  readonly signal?: AbortSignal
}

/** One file of a long image. */
export interface LongImagePart {
  readonly path: string
  readonly widthPx: number
  readonly heightPx: number
  /** Index of the first page that is in it, wholly or in part. */
  readonly firstPage: number
}

const sideLimits = { jpg: 65_500, png: 65_500, webp: 16_383 } as const
/** Offsets in the scratch file are 32 bits wide. */
const MAX_SCRATCH_BYTES = 4_000_000_000

/**
 * Stacks pages below one another, all scaled to one width, in as few files as the format allows; parts end between
 * pages where they can. One page at a time is in memory: the pixels go through a scratch file beside the output, as
 * large as the decoded part. Throws ERR_IMAGE_* and storage errors; then nothing is left behind.
 */
export async function longImage(
  pages: readonly string[],
  target: PageTarget,
  options: LongImageOptions = {},
): Promise<readonly LongImagePart[]> {
  const format = options.format ?? 'jpg'
  const facts = await Promise.all(
    pages.map((path) => readPage(path, options.maxPixels ?? DEFAULT_MAX_PIXELS)),
  )
  const widthPx = options.widthPx ?? facts.reduce((most, page) => Math.max(most, shownSize(page).widthPx), 1)
  if (widthPx > sideLimits[format]) {
    throw new TrawlError('ERR_IMAGE_TOO_LARGE', `a ${format} image cannot be ${widthPx} pixels wide`)
  }
  const channels = facts.every((page) => page.channels === 1 && page.palette !== true) ? 1 : 3
  const maxHeightPx = Math.min(
    options.maxHeightPx ?? Infinity,
    sideLimits[format],
    Math.floor(MAX_SCRATCH_BYTES / (widthPx * channels)),
  )
  const heights = facts.map((page): PageHeight => {
    const shown = shownSize(page)
    return { heightPx: Math.max(1, Math.round((shown.heightPx * widthPx) / shown.widthPx)) }
  })
  const parts = planLongImage(heights, maxHeightPx)
  const written: LongImagePart[] = []
  try {
    for (const [i, part] of parts.entries()) {
      const path = join(target.dir, `${target.name}${i === 0 ? '' : `-${i + 1}`}.${format}`)
      const work: PartWork = { pages, facts, part, widthPx, channels, heights, path, options }
      const pixels = widthPx * Math.max(...part.pieces.map(({ page }) => heights[page]?.heightPx ?? 0))
      await (options.pool ?? sharedDecodePool()).run(pixels, () => writePart(work), options.signal)
      written.push({ path, widthPx, heightPx: part.heightPx, firstPage: part.pieces[0]?.page ?? 0 })
    }
    return written
  } catch (error) {
    await Promise.all(written.map(({ path }) => rm(path, { force: true })))
    throw error
  }
}

interface PartWork {
  readonly pages: readonly string[]
  readonly facts: readonly ImageFacts[]
  readonly part: LongPart
  readonly widthPx: number
  readonly channels: 1 | 3
  readonly heights: readonly PageHeight[]
  readonly path: string
  readonly options: LongImageOptions
}

async function writePart(work: PartWork): Promise<void> {
  const { part, widthPx, channels, path, options } = work
  const sharp = await loadSharp()
  let scratch: ScratchTiff | undefined
  try {
    scratch = await createScratchTiff(`${path}.scratch.tif`, { widthPx, heightPx: part.heightPx, channels })
    for (const { page, top, heightPx } of part.pieces) {
      options.signal?.throwIfAborted()
      const image = await decodePage(sharp, work, page)
      const row = widthPx * channels
      await scratch.append({ ...image, pixels: image.pixels.subarray(top * row, (top + heightPx) * row) })
    }
    await scratch.close()
    await encode(sharp, scratch.path, work)
    await rename(`${path}.part`, path)
  } catch (error) {
    await rm(`${path}.part`, { force: true })
    throw error instanceof Error && 'errno' in error
      ? storageError(error, { path, doing: 'write' })
      : imageError(error, { name: path, doing: 'write' })
  } finally {
    await scratch?.remove()
  }
}

async function decodePage(sharp: SharpFunction, work: PartWork, page: number): Promise<RawImage> {
  const { widthPx, channels } = work
  const path = work.pages[page] ?? ''
  const heightPx = work.heights[page]?.heightPx ?? 1
  try {
    const image = sharp(path, { autoOrient: true, failOn: 'truncated', limitInputPixels: false })
      .resize(widthPx, heightPx, { fit: 'fill' })
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    const flat = work.facts[page]?.alpha === true ? image.flatten({ background: '#ffffff' }) : image
    const pixels = await flat.raw().toBuffer()
    return { pixels, widthPx, heightPx, channels, bytesPerSample: 1 }
  } catch (error) {
    throw imageError(error, { name: path, doing: 'decode' })
  }
}

async function encode(sharp: SharpFunction, scratch: string, work: PartWork): Promise<void> {
  const { path, options, channels } = work
  const quality = options.quality ?? 90
  const image = sharp(scratch, { limitInputPixels: false }).toColourspace(channels === 1 ? 'b-w' : 'srgb')
  const format = options.format ?? 'jpg'
  const encoded =
    format === 'png'
      ? image.png({ compressionLevel: 6 })
      : format === 'webp'
        ? image.webp({ quality, effort: 2 })
        : image.jpeg({ quality, chromaSubsampling: '4:4:4', optimiseCoding: false })
  await encoded.toFile(`${path}.part`)
}

async function readPage(path: string, maxPixels: number): Promise<ImageFacts> {
  const facts = await probeImageFile(path).catch((error: unknown) => {
    throw storageError(error, { path, doing: 'read' })
  })
  if (!facts)
    throw new TrawlError('ERR_IMAGE_NOT_IMAGE', `${path}: not an image trawl can read`, { context: { path } })
  if (facts.widthPx * facts.heightPx > maxPixels) {
    throw new TrawlError('ERR_IMAGE_TOO_LARGE', `${path}: more than ${maxPixels} pixels`, {
      context: { path },
    })
  }
  return facts
}

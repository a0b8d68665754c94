import { copyFile, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sharp, SharpOptions } from 'sharp'
import { TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { releaseMemory } from '../bytes/release-memory.ts'
import { DEFAULT_MAX_PIXELS } from '../decode/pixel-limit.ts'
import { sharedDecodePool, type DecodePool } from '../decode/decode-pool.ts'
import { imageError } from '../decode/image-error.ts'
import { loadSharp, type SharpFunction } from '../decode/load-sharp.ts'
import type { ImageFacts } from '../image-facts.ts'
import { probeImage, probeImageFile } from '../probe/probe-image.ts'
import { applyBytesTransforms } from './bytes-transform.ts'
import { decodeCanvas, fromRaw, inColours } from './decode-canvas.ts'
import { encodePage, isDeep, outputFormat } from './encode-page.ts'
import {
  changesPage,
  isSliced,
  needsCanvas,
  scaleFor,
  spreadRegions,
  type PagePlan,
  type Region,
} from './page-plan.ts'
import { sliceRegion } from './quiet-rows.ts'
import type { RawImage } from './raw-image.ts'

/** Where the parts of a page go. */
export interface PageTarget {
  readonly dir: string
  /** File name without extension; further parts get `-2`, `-3` and so on. */
  readonly name: string
}

export interface TransformPageOptions {
  readonly maxPixels?: number
  readonly pool?: DecodePool
  readonly signal?: AbortSignal
}

/** One file that a page became. */
export interface TransformedPage {
  readonly path: string
  readonly facts: ImageFacts
  /** True when these bytes are the original's, byte for byte. */
  readonly verbatim: boolean
  /** Frames of an animation, or pages of a TIFF, that are not in the output. */
  readonly droppedFrames?: number
}

/**
 * Applies a plan to a page file and writes the parts, in reading order. A page that the plan does not change is copied
 * as it is: nothing is encoded anew without need. An animation is only changed when another format is asked for, and
 * then its first frame is taken. Files appear under their names when they are complete. Needs twice the memory of the
 * decoded page where parts are moved or cut, which the pool bounds; else a few rows.
 *
 * Throws ERR_IMAGE_* and storage errors; then no file is left behind.
 */
export async function transformPage(
  path: string,
  plan: PagePlan,
  target: PageTarget,
  options: TransformPageOptions = {},
): Promise<readonly TransformedPage[]> {
  const bytes = plan.bytes?.length ? await decipheredBytes(path, plan) : undefined
  const facts = bytes ? probeImage(bytes) : await probed(path)
  if (!facts)
    throw new TrawlError('ERR_IMAGE_NOT_IMAGE', `${path}: not an image trawl can read`, { context: { path } })
  const maxPixels = options.maxPixels ?? DEFAULT_MAX_PIXELS
  const pixels = facts.widthPx * facts.heightPx
  if (pixels > maxPixels) {
    throw new TrawlError('ERR_IMAGE_TOO_LARGE', `${path}: ${pixels} pixels, more than ${maxPixels}`, {
      context: { path },
    })
  }
  const still = facts.frames === 1 || plan.convert !== undefined
  if (!still || !changesPage(plan, facts)) return [await copyVerbatim(path, bytes, target, facts)]
  const work = async (): Promise<TransformedPage[]> => {
    const sharp = await loadSharp()
    const page: Page = { sharp, input: bytes ?? path, path, plan, facts, maxPixels }
    const { parts, canvas } = await partsOf(page)
    try {
      return await writeParts(parts, page, target)
    } finally {
      if (canvas) releaseMemory(canvas.pixels)
    }
  }
  return (options.pool ?? sharedDecodePool()).run(pixels, work, options.signal)
}

/** A page at work. */
interface Page {
  readonly sharp: SharpFunction
  readonly input: string | Buffer
  readonly path: string
  readonly plan: PagePlan
  readonly facts: ImageFacts
  readonly maxPixels: number
}

/** Pipelines of the parts, not yet encoded, and the pixels that they read, where these are in memory. */
async function partsOf(
  page: Page,
): Promise<{ readonly parts: readonly Sharp[]; readonly canvas?: RawImage }> {
  const { sharp, input, plan, facts, path } = page
  const options: SharpOptions = { limitInputPixels: page.maxPixels, failOn: 'truncated' }
  const deep = isDeep(plan, facts)
  if (!needsCanvas(plan, facts)) {
    const image = inColours(sharp(input, { ...options, autoOrient: true }), facts, deep)
    const { widthPx, heightPx } =
      facts.orientation >= 5 ? { widthPx: facts.heightPx, heightPx: facts.widthPx } : facts
    return { parts: [scaled(image, page, { left: 0, top: 0, widthPx, heightPx })] }
  }
  const canvas = await decodeCanvas(sharp, input, plan, { facts, options, deep }).catch((error: unknown) => {
    throw imageError(error, { name: path, doing: 'decode' })
  })
  const parts = regionsOf(plan, canvas).map((region) => {
    const { left, top, widthPx: width, heightPx: height } = region
    const whole = width === canvas.widthPx && height === canvas.heightPx
    const image = inColours(fromRaw(sharp, canvas), facts, deep)
    return scaled(whole ? image : image.extract({ left, top, width, height }), page, region)
  })
  return { parts, canvas }
}

function regionsOf(plan: PagePlan, canvas: RawImage): Region[] {
  return spreadRegions(plan, canvas.widthPx, canvas.heightPx).flatMap((region) =>
    plan.sliceHeightPx !== undefined && isSliced(plan, region)
      ? sliceRegion(canvas, region, plan.sliceHeightPx)
      : [region],
  )
}

function scaled(image: Sharp, page: Page, region: Region): Sharp {
  const scale = scaleFor(page.plan.resize, region)
  const side = (px: number): number => Math.max(1, Math.round(px * scale))
  const sized =
    scale === 1 ? image : image.resize(side(region.widthPx), side(region.heightPx), { fit: 'fill' })
  return page.plan.grey === true
    ? sized.toColourspace(isDeep(page.plan, page.facts) ? 'grey16' : 'b-w')
    : sized
}

async function writeParts(
  parts: readonly Sharp[],
  page: Page,
  target: PageTarget,
): Promise<TransformedPage[]> {
  const { plan, facts } = page
  const written: TransformedPage[] = []
  const dropped = facts.frames > 1 ? { droppedFrames: facts.frames - 1 } : {}
  const paths = parts.map((_, i) =>
    join(target.dir, `${target.name}${i === 0 ? '' : `-${i + 1}`}.${outputFormat(plan, facts)}`),
  )
  try {
    for (const [i, part] of parts.entries()) {
      const path = paths[i] ?? ''
      await encodePage(part, plan, facts).toFile(`${path}.part`)
      await publish(path)
      const out = await probed(path)
      if (out) written.push({ path, facts: out, verbatim: false, ...dropped })
    }
    return written
  } catch (error) {
    await Promise.all(
      paths.flatMap((path) => [rm(path, { force: true }), rm(`${path}.part`, { force: true })]),
    )
    throw imageError(error, { name: page.path, doing: 'encode' })
  }
}

/** Gives a finished file its name. */
async function publish(path: string): Promise<void> {
  try {
    await rename(`${path}.part`, path)
  } catch (error) {
    throw storageError(error, { path, doing: 'write' })
  }
}

async function copyVerbatim(
  path: string,
  bytes: Buffer | undefined,
  target: PageTarget,
  facts: ImageFacts,
): Promise<TransformedPage> {
  const out = join(target.dir, `${target.name}.${facts.format === 'jpeg' ? 'jpg' : facts.format}`)
  try {
    await (bytes ? writeFile(`${out}.part`, bytes) : copyFile(path, `${out}.part`))
    await publish(out)
  } catch (error) {
    await rm(`${out}.part`, { force: true })
    throw storageError(error, { path: out, doing: 'write' })
  }
  return { path: out, facts, verbatim: bytes === undefined }
}

async function decipheredBytes(path: string, plan: PagePlan): Promise<Buffer> {
  try {
    return applyBytesTransforms(await readFile(path), plan.bytes ?? [])
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

async function probed(path: string): Promise<ImageFacts | undefined> {
  try {
    return await probeImageFile(path)
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

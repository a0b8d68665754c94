import type { SharpOptions } from 'sharp'
import type { ImageFacts } from '../image-facts.ts'
import { loadSharp, type SharpFunction } from './load-sharp.ts'

/** How a full decode went. */
export interface DecodeResult {
  /** Frames that were decoded; the decoder reads only the first of some formats. */
  readonly frames: number
  /** The first warning of the decoder, where it did not stop it. */
  readonly warning?: string
  /** Size the decoder found; it may differ from that of the header. */
  readonly widthPx: number
  readonly heightPx: number
}

type FailOn = 'warning' | 'error'

/** Formats whose further frames libvips reads. */
const manyFrames = new Set(['gif', 'webp', 'tiff'])

/**
 * Decodes every block of every frame at full size and keeps one pixel. Asking for the last pixel makes libvips decode
 * all rows before it, in order, with the same errors as a whole decode, but nothing is copied or converted: it costs
 * half as much. A warning of the decoder is let pass when it can go on; whether it matters is the caller's to judge.
 * Throws what sharp throws.
 */
export async function decodeFully(
  input: string | Buffer,
  facts: ImageFacts,
  maxPixels: number,
): Promise<DecodeResult> {
  const sharp = await loadSharp()
  try {
    return await decodeAll(sharp, input, facts, { failOn: 'warning', maxPixels })
  } catch (error) {
    const warning = error instanceof Error ? error.message.trim() : String(error)
    const result = await decodeAll(sharp, input, facts, { failOn: 'error', maxPixels })
    return { ...result, warning }
  }
}

interface Pass {
  readonly failOn: FailOn
  readonly maxPixels: number
}

async function decodeAll(
  sharp: SharpFunction,
  input: string | Buffer,
  facts: ImageFacts,
  pass: Pass,
): Promise<DecodeResult> {
  const options: SharpOptions = { failOn: pass.failOn, limitInputPixels: false }
  if (facts.frames > 1 && facts.format === 'tiff') return decodePages(sharp, input, options)
  const animated = facts.frames > 1 && manyFrames.has(facts.format)
  const image = sharp(
    input,
    animated ? { ...options, pages: -1 } : { ...options, limitInputPixels: pass.maxPixels },
  )
  const { width, height, pageHeight, pages } = await image.metadata()
  const frameHeight = pageHeight ?? height
  await lastPixel(image, width, frameHeight)
  return { frames: animated ? (pages ?? 1) : 1, widthPx: width, heightPx: frameHeight }
}

/** The pages of a TIFF, each with a size of its own. */
async function decodePages(
  sharp: SharpFunction,
  input: string | Buffer,
  options: SharpOptions,
): Promise<DecodeResult> {
  let first: DecodeResult | undefined
  for (let page = 0; ; page++) {
    const image = sharp(input, { ...options, page })
    const { width, height, pages = 1 } = await image.metadata()
    await lastPixel(image, width, height)
    first ??= { frames: pages, widthPx: width, heightPx: height }
    if (page + 1 >= pages) return first
  }
}

async function lastPixel(image: ReturnType<SharpFunction>, width: number, height: number): Promise<void> {
  await image
    .extract({ left: width - 1, top: height - 1, width: 1, height: 1 })
    .raw()
    .toBuffer()
}

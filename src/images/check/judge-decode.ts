import type { ByteSource } from '../bytes/byte-source.ts'
import { decodeFully, type DecodeResult } from '../decode/decode-fully.ts'
import { imageError } from '../decode/image-error.ts'
import type { ImageFacts, ImageFormat } from '../image-facts.ts'
import { walkJpegEntropy, type EntropyVerdict } from '../structure/jpeg-entropy.ts'
import { damaged } from '../structure/structure-report.ts'
import { findZeroRun } from '../structure/zero-run.ts'

/** What a full decode showed. */
export interface DecodeJudgement {
  readonly checked: 'structure' | 'decode'
  readonly decodedFrames?: number
  readonly notes: readonly string[]
}

/** Formats that trawl recognises but has no decoder for. */
const withoutDecoder = new Set<ImageFormat>(['jp2', 'jxl', 'heic', 'svg', 'bmp'])
/** Formats whose decoders take zeros for picture: neither a checksum nor a code can be violated. */
const blindToHoles = new Set<ImageFormat>(['webp', 'gif', 'jp2', 'jxl', 'heic'])
/** So many zero bytes in a row are suspicious: half a page of a file system, or a sector of eight. */
const HOLE_BYTES = 2048
/** What libjpeg says when the code does not fit the picture; its other warnings are about odd headers. */
const brokenCode =
  /premature end|bad Huffman|bad arithmetic|found marker|inconsistent progression|bogus|invalid component|no SOI/i
const spareBytes = /(\d+) extraneous bytes/
const MAX_SPARE_BYTES = 64

/**
 * Decodes an image whose structure is whole and judges what the decoder says. Warnings of odd but complete files
 * (cameras write wrong scan parameters, some encoders pad) become notes; anything that means wrong pixels throws
 * ERR_IMAGE_DAMAGED.
 */
export async function judgeDecode(
  source: ByteSource,
  facts: ImageFacts,
  maxPixels: number,
): Promise<DecodeJudgement> {
  const notes = await holeNotes(source, facts.format)
  if (withoutDecoder.has(facts.format)) return { checked: 'structure', notes }
  const result = await decode(source, facts, maxPixels)
  const code: EntropyVerdict =
    facts.format === 'jpeg' ? await walkJpegEntropy(source) : { kind: 'unsupported' }
  if (code.kind === 'damaged') throw damaged(source, `the image data is wrong: ${code.what}`)
  if (code.kind === 'odd') notes.push(code.note)
  if (result.warning !== undefined) {
    const warning = result.warning.replaceAll(/\s*\n\s*/g, '; ')
    // The walk over the code knows better than libjpeg whether all of it is there.
    if (code.kind !== 'exact' && isBroken(warning)) throw damaged(source, warning)
    notes.push(warning)
  }
  if (result.widthPx !== facts.widthPx || result.heightPx !== facts.heightPx) {
    notes.push(
      `the header says ${facts.widthPx} x ${facts.heightPx}, the decoder ${result.widthPx} x ${result.heightPx}`,
    )
  }
  return { checked: 'decode', decodedFrames: result.frames, notes }
}

async function decode(source: ByteSource, facts: ImageFacts, maxPixels: number): Promise<DecodeResult> {
  try {
    return await decodeFully(source.whole ?? source.name, facts, maxPixels)
  } catch (error) {
    throw imageError(error, { name: source.name, doing: 'decode' })
  }
}

function isBroken(warning: string): boolean {
  const spare = Number(spareBytes.exec(warning)?.[1] ?? 0)
  return spare > MAX_SPARE_BYTES || brokenCode.test(warning)
}

async function holeNotes(source: ByteSource, format: ImageFormat): Promise<string[]> {
  if (!blindToHoles.has(format)) return []
  const run = await findZeroRun(source, HOLE_BYTES)
  return run ? [`at least ${run.length} zero bytes at ${run.offset}`] : []
}

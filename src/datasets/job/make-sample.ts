import { hash } from 'node:crypto'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import { stagedBytes, type StagedTransfer } from '../../engine/index.ts'
import {
  checkImage,
  exifJson,
  filterSample,
  perceptualHash,
  shownSize,
  sniffFormat,
  type Box,
  type ResizeRun,
  type SampleImage,
  type SampleOrder,
  type SampleResizer,
} from '../../images/index.ts'
import type { ShardRow } from '../plan/index.ts'
import type { SampleFacts } from '../samples/index.ts'
import { sampleOrderOf, verifiedColumn, type DatasetSettings } from './dataset-settings.ts'

/** An image as it goes to its shard, and what is known of it. */
export interface MadeSample {
  readonly image: Uint8Array
  readonly facts: SampleFacts
}

/** What of a row the image work needs. */
export interface SampleWish {
  /** Digest that the original must have. */
  readonly digest?: string
  readonly blurBoxes?: readonly Box[]
}

/** Notes facts as they become known, so that a row that fails has them too. */
export type NoteFacts = (facts: SampleFacts) => void

/** How the sample of one row is made. */
export interface SampleMaking extends ResizeRun {
  readonly note: NoteFacts
  /** A process died while it worked on this image: another one takes it. */
  readonly suspect: boolean
}

export interface SampleResizers {
  readonly usual: SampleResizer
  /** For suspects. */
  readonly apart: SampleResizer
}

/**
 * Makes samples of bodies: digest, filters, resize, encode, EXIF, perceptual hash. Rejects with the errors of the row.
 * Bytes that came whole are not fetched again for what is wrong inside them: it would be the same the next time.
 */
export function createSampleMaker(
  settings: DatasetSettings,
  resizers: SampleResizers,
): (staged: StagedTransfer, wish: SampleWish, making: SampleMaking) => Promise<MadeSample> {
  const order = sampleOrderOf(settings)
  return async (staged, wish, { note, suspect, ...run }) => {
    const bytes = stagedBytes(staged)
    try {
      const facts = bodyFacts(settings, staged, bytes)
      note(facts)
      checkDigest(settings, facts.digest, wish.digest)
      if (settings.reencode === 'never') return sampleOf(bytes, facts, await keptImage(bytes, order))
      const { blurBoxes } = wish
      const wanted = blurBoxes === undefined ? order : { ...order, blurBoxes }
      const resizer = suspect ? resizers.apart : resizers.usual
      const { bytes: image, reencoded: _, ...made } = await resizer.resize(bytes, wanted, run)
      return sampleOf(image, facts, made)
    } catch (error) {
      throw staged.facts.unverifiedLength === true ? error : final(error)
    }
  }
}

/** The parts of a row that the image work needs. Throws ERR_INPUT_INVALID for boxes that are none. */
export function sampleWishOf(row: ShardRow, settings: DatasetSettings): SampleWish {
  const column = verifiedColumn(settings)
  const digest = column === undefined ? undefined : row.columns[column]
  const boxes = settings.bboxCol === undefined ? undefined : row.columns[settings.bboxCol]
  return {
    ...(digest === undefined || digest === null ? {} : { digest: String(digest).trim().toLowerCase() }),
    ...(boxes === undefined || boxes === null ? {} : { blurBoxes: readBoxes(boxes, settings.bboxCol ?? '') }),
  }
}

function readBoxes(value: unknown, column: string): readonly Box[] {
  try {
    const boxes: unknown = JSON.parse(String(value))
    if (Array.isArray(boxes) && boxes.every(isBox)) return boxes
  } catch {
    // Told below.
  }
  throw new TrawlError('ERR_INPUT_INVALID', `column '${column}' has no boxes: ${String(value).slice(0, 60)}`)
}

function isBox(value: unknown): value is Box {
  return Array.isArray(value) && value.length === 4 && value.every((part) => Number.isFinite(part))
}

function bodyFacts(settings: DatasetSettings, staged: StagedTransfer, bytes: Buffer): SampleFacts {
  const { url, httpStatus, contentType } = staged.facts
  const format = sniffFormat(bytes)
  const { computeHash } = settings
  return {
    originalBytes: bytes.length,
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(url === undefined ? {} : { finalUrl: url }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(format === undefined ? {} : { originalFormat: format }),
    ...(computeHash === 'none' ? {} : { digest: hash(computeHash, bytes, 'hex') }),
  }
}

function checkDigest(
  { verifyHash }: DatasetSettings,
  digest: string | undefined,
  wanted: string | undefined,
): void {
  if (verifyHash === undefined || wanted === digest) return
  throw new TrawlError(
    'ERR_DIGEST_MISMATCH',
    wanted === undefined ? 'the row has no digest' : 'the digest is not the one in the table',
  )
}

type ImageFacts = Omit<SampleImage, 'bytes' | 'reencoded'>

function sampleOf(image: Uint8Array, body: SampleFacts, facts: ImageFacts): MadeSample {
  return { image, facts: { ...body, ...facts } }
}

/** The bytes stay as they are: only the header is looked at. */
async function keptImage(bytes: Buffer, order: SampleOrder): Promise<ImageFacts> {
  const { facts } = await checkImage(bytes, { level: 'none' })
  const { widthPx, heightPx } = order.orient === false ? facts : shownSize(facts)
  filterSample(widthPx, heightPx, order)
  return {
    widthPx,
    heightPx,
    originalWidthPx: widthPx,
    originalHeightPx: heightPx,
    ...(order.exif === true ? { exif: await exifJson(bytes) } : {}),
    ...(order.phash === true ? { phash: await perceptualHash(bytes) } : {}),
  }
}

function final(error: unknown): unknown {
  if (!isTrawlError(error) || !/^ERR_(IMAGE|DIGEST)_/.test(error.code)) return error
  const { code, message, context, hint } = error
  return new TrawlError(code, message, { cause: error, context, hint, retry: 'never' })
}

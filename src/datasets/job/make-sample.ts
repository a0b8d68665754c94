import { hash } from 'node:crypto'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import { stagedBytes, type StagedTransfer } from '../../engine/index.ts'
import {
  checkImage,
  exifJson,
  filterSample,
  perceptualHash,
  resizeSample,
  shownSize,
  sniffFormat,
  type Box,
  type DecodePool,
  type SampleOptions,
} from '../../images/index.ts'
import type { ShardRow } from '../plan/index.ts'
import type { SampleFacts } from '../samples/index.ts'
import { sampleOptionsOf, verifiedColumn, type DatasetSettings } from './dataset-settings.ts'

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

/**
 * Makes samples of bodies: digest, filters, resize, encode, EXIF, perceptual hash. Rejects with the errors of the row.
 * Bytes that came whole are not fetched again for what is wrong inside them: it would be the same the next time.
 */
export function createSampleMaker(
  settings: DatasetSettings,
  pool: DecodePool,
): (
  staged: StagedTransfer,
  wish: SampleWish,
  run: { readonly note: NoteFacts; readonly signal: AbortSignal },
) => Promise<MadeSample> {
  const options = sampleOptionsOf(settings, pool)
  return async (staged, wish, { note, signal }) => {
    const bytes = stagedBytes(staged)
    try {
      const facts = bodyFacts(settings, staged, bytes)
      note(facts)
      checkDigest(settings, facts.digest, wish.digest)
      return await imageOf(bytes, facts, { settings, options: { ...options, signal }, wish })
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

interface ImageWork {
  readonly settings: DatasetSettings
  readonly options: SampleOptions
  readonly wish: SampleWish
}

async function imageOf(bytes: Buffer, facts: SampleFacts, work: ImageWork): Promise<MadeSample> {
  const { settings, options, wish } = work
  const sizes: Sizes & { readonly bytes?: Uint8Array } =
    settings.reencode === 'never'
      ? await keptSizes(bytes, options)
      : await resizeSample(bytes, {
          ...options,
          ...(wish.blurBoxes === undefined ? {} : { blurBoxes: wish.blurBoxes }),
        })
  return {
    image: sizes.bytes ?? bytes,
    facts: {
      ...facts,
      widthPx: sizes.widthPx,
      heightPx: sizes.heightPx,
      originalWidthPx: sizes.originalWidthPx,
      originalHeightPx: sizes.originalHeightPx,
      ...(settings.extractExif ? { exif: await exifJson(bytes) } : {}),
      ...(settings.phash ? { phash: await perceptualHash(bytes) } : {}),
    },
  }
}

interface Sizes {
  readonly widthPx: number
  readonly heightPx: number
  readonly originalWidthPx: number
  readonly originalHeightPx: number
}

/** The bytes stay as they are: only the header is looked at. */
async function keptSizes(bytes: Buffer, options: SampleOptions): Promise<Sizes> {
  const { facts } = await checkImage(bytes, { level: 'none' })
  const { widthPx, heightPx } = options.orient === false ? facts : shownSize(facts)
  filterSample(widthPx, heightPx, options)
  return { widthPx, heightPx, originalWidthPx: widthPx, originalHeightPx: heightPx }
}

function final(error: unknown): unknown {
  if (!isTrawlError(error) || !/^ERR_(IMAGE|DIGEST)_/.test(error.code)) return error
  const { code, message, context, hint } = error
  return new TrawlError(code, message, { cause: error, context, hint, retry: 'never' })
}

import { TrawlError, type Digest } from '../../core/index.ts'
import { algorithmsOf, ByteCounter, verifyDigests } from '../../engine/index.ts'
import { storageError } from '../../storage/index.ts'
import { openByteSource, readLasting, type ByteSource } from '../bytes/byte-source.ts'
import { sharedDecodePool, type DecodePool } from '../decode/decode-pool.ts'
import { DEFAULT_MAX_PIXELS } from '../decode/pixel-limit.ts'
import { shownSize, type ImageFacts, type ImageFormat } from '../image-facts.ts'
import { probeSource } from '../probe/probe-image.ts'
import { sniffFormat } from '../probe/sniff-format.ts'
import { checkStructureOf } from '../structure/check-structure.ts'
import { sameRatio, sizeFits } from './expected-size.ts'
import { judgeDecode } from './judge-decode.ts'
import { notImageError } from './not-image.ts'

/** How far an image is checked. Each level includes the ones before. */
export type CheckLevel = 'none' | 'structure' | 'decode'

/** What a source says about an image. */
export interface ImageExpectation {
  /** Another format is only noted: servers change formats on the way, and the picture is the same. */
  readonly format?: ImageFormat
  /** Stored or shown size; both are accepted where EXIF turns the picture. One pixel less or more is rounding. */
  readonly widthPx?: number
  readonly heightPx?: number
  /** `ratio` takes the same picture in another size, and notes it; default `exact`. */
  readonly sizeRule?: 'exact' | 'ratio'
  readonly sizeBytes?: number
  readonly digests?: readonly Digest[]
}

export interface CheckImageOptions {
  /** Default `decode`. */
  readonly level?: CheckLevel
  readonly expected?: ImageExpectation
  /** Largest frame, in pixels, read from the header before anything is decoded; default 268 million. */
  readonly maxPixels?: number
  /** Also compute the SHA-256 of the file. */
  readonly sha256?: boolean
  readonly pool?: DecodePool
  readonly signal?: AbortSignal
}

/** What was checked, and what was found. */
export interface CheckedImage {
  readonly facts: ImageFacts
  /** What was really done: formats without a decoder get no further than `structure`. */
  readonly checked: CheckLevel
  /** Frames that were decoded, where `checked` is `decode`. */
  readonly decodedFrames?: number
  /** Oddities, each a short sentence. The image can be shown all the same. */
  readonly suspicious?: readonly string[]
  /** Bytes behind the end of the image. */
  readonly trailingBytes?: number
  /** Lower-case hexadecimal. */
  readonly sha256?: string
}

/** All frames of an animation together may have so many times the pixels of one frame. */
const MAX_FRAMES_FACTOR = 8
/** Files up to this length are read once, into memory, for all checks. */
const WHOLE_FILE_BYTES = 32 << 20
const HEAD_BYTES = 64 << 10

/**
 * Checks one image, cheapest first: length, type, size in pixels against the cap and the expectation, digests,
 * structure, full decode. Takes a path or bytes. A full decode does not see every flipped bit; only a digest does.
 *
 * Throws ERR_IMAGE_EMPTY, ERR_IMAGE_NOT_IMAGE, ERR_IMAGE_TRUNCATED, ERR_IMAGE_DAMAGED, ERR_IMAGE_UNSUPPORTED,
 * ERR_IMAGE_TOO_LARGE, ERR_IMAGE_DIMENSIONS, ERR_LENGTH_MISMATCH, ERR_DIGEST_MISMATCH, ERR_CANCELLED and storage
 * errors.
 */
export async function checkImage(
  source: string | Uint8Array,
  options: CheckImageOptions = {},
): Promise<CheckedImage> {
  const facts = await readFacts(source, options.expected)
  checkPixels(facts, options.maxPixels ?? DEFAULT_MAX_PIXELS, nameOf(source))
  const sizeNotes = checkSize(facts, options.expected, nameOf(source))
  const level = options.level ?? 'decode'
  if (level === 'none' && options.sha256 !== true && !options.expected?.digests?.length) {
    return { facts, checked: 'none', ...oddities([...sizeNotes, ...formatNotes(facts, options.expected)]) }
  }
  const pool = options.pool ?? sharedDecodePool()
  const pixels = level === 'decode' ? facts.widthPx * facts.heightPx : 0
  return pool.run(
    pixels,
    async () => {
      const bytes = await opened(source)
      try {
        return await checkBytes(bytes, { facts, notes: sizeNotes }, level, options)
      } finally {
        await bytes.close()
      }
    },
    options.signal,
  )
}

async function checkBytes(
  source: ByteSource,
  known: { readonly facts: ImageFacts; readonly notes: readonly string[] },
  level: CheckLevel,
  options: CheckImageOptions,
): Promise<CheckedImage> {
  const { expected } = options
  const { facts } = known
  const sha256 = await checkDigests(source, expected?.digests ?? [], options.sha256 === true)
  const notes = [...known.notes, ...formatNotes(facts, expected)]
  const hashes = sha256 === undefined ? {} : { sha256 }
  if (level === 'none') return { facts, checked: 'none', ...oddities(notes), ...hashes }
  const structure = await checkStructureOf(source, facts.format)
  notes.push(...structure.notes)
  const trailing = structure.trailingBytes > 0 ? { trailingBytes: structure.trailingBytes } : {}
  const judged =
    level === 'decode'
      ? await judgeDecode(source, facts, options.maxPixels ?? DEFAULT_MAX_PIXELS)
      : { checked: 'structure' as const, notes: [] }
  notes.push(...judged.notes)
  return {
    facts,
    checked: judged.checked,
    ...('decodedFrames' in judged ? { decodedFrames: judged.decodedFrames } : {}),
    ...oddities(notes),
    ...trailing,
    ...hashes,
  }
}

async function readFacts(
  source: string | Uint8Array,
  expected: ImageExpectation | undefined,
): Promise<ImageFacts> {
  const bytes = await opened(source, 0)
  try {
    const { sizeBytes, name } = bytes
    if (sizeBytes > 0 && expected?.sizeBytes !== undefined && expected.sizeBytes !== sizeBytes) {
      throw new TrawlError(
        'ERR_LENGTH_MISMATCH',
        `${name}: ${sizeBytes} bytes, expected ${expected.sizeBytes}`,
        {
          context: { path: name, sizeBytes, expectedBytes: expected.sizeBytes },
        },
      )
    }
    const head = await readLasting(bytes, 0, HEAD_BYTES)
    const format = sniffFormat(head)
    if (!format) throw notImageError(head, name, sizeBytes)
    const facts = await probeSource(bytes)
    if (facts) return facts
    // The first bytes are right, but no size can be read: the header is cut, or it is nonsense.
    await checkStructureOf(bytes, format)
    throw new TrawlError('ERR_IMAGE_UNSUPPORTED', `${name}: ${format} whose size cannot be read`, {
      context: { path: name },
    })
  } catch (error) {
    throw storageError(error, { path: bytes.name, doing: 'read' })
  } finally {
    await bytes.close()
  }
}

async function opened(source: string | Uint8Array, wholeUpToBytes = WHOLE_FILE_BYTES): Promise<ByteSource> {
  try {
    return await openByteSource(source, wholeUpToBytes)
  } catch (error) {
    throw storageError(error, { path: nameOf(source), doing: 'read' })
  }
}

function checkPixels(facts: ImageFacts, maxPixels: number, name: string): void {
  const { widthPx, heightPx, frames } = facts
  const pixels = widthPx * heightPx
  if (pixels <= maxPixels && pixels * frames <= maxPixels * MAX_FRAMES_FACTOR) return
  const what = frames > 1 ? `${frames} frames of ${widthPx} x ${heightPx}` : `${widthPx} x ${heightPx}`
  throw new TrawlError(
    'ERR_IMAGE_TOO_LARGE',
    `${name}: ${what} pixels, more than ${maxPixels} are not decoded`,
    {
      context: { path: name, widthPx, heightPx, frames, maxPixels },
    },
  )
}

function checkSize(
  facts: ImageFacts,
  expected: ImageExpectation | undefined,
  name: string,
): readonly string[] {
  const { widthPx, heightPx, sizeRule } = expected ?? {}
  if (widthPx === undefined && heightPx === undefined) return []
  const shown = shownSize(facts)
  if (sizeFits(facts, expected) || sizeFits(shown, expected)) return []
  const want = `${widthPx ?? 'any'} x ${heightPx ?? 'any'}`
  if (sizeRule === 'ratio' && (sameRatio(facts, expected) || sameRatio(shown, expected))) {
    return [`the image has ${facts.widthPx} x ${facts.heightPx} pixels, its source says ${want}`]
  }
  throw new TrawlError(
    'ERR_IMAGE_DIMENSIONS',
    `${name}: ${facts.widthPx} x ${facts.heightPx}, expected ${want}`,
    {
      context: {
        path: name,
        widthPx: facts.widthPx,
        heightPx: facts.heightPx,
        expectedWidthPx: widthPx,
        expectedHeightPx: heightPx,
      },
    },
  )
}

/** Compares all digests in one reading; gives the SHA-256 where it was computed. */
async function checkDigests(
  source: ByteSource,
  expected: readonly Digest[],
  sha256: boolean,
): Promise<string | undefined> {
  const algorithms = new Set(algorithmsOf(expected))
  if (sha256) algorithms.add('sha-256')
  if (algorithms.size === 0) return undefined
  const counter = new ByteCounter([...algorithms])
  for (let at = 0; at < source.sizeBytes;) {
    const piece = await source.read(at, 1 << 20)
    if (piece.length === 0) break
    counter.update(piece)
    at += piece.length
  }
  const computed = counter.digests()
  verifyDigests(expected, computed, source.name)
  return computed.find((digest) => digest.algorithm === 'sha-256')?.value
}

function formatNotes(facts: ImageFacts, expected: ImageExpectation | undefined): string[] {
  const wanted = expected?.format
  return wanted === undefined || wanted === facts.format
    ? []
    : [`the image is ${facts.format}, not ${wanted}`]
}

function oddities(notes: readonly string[]): { readonly suspicious?: readonly string[] } {
  return notes.length > 0 ? { suspicious: notes } : {}
}

function nameOf(source: string | Uint8Array): string {
  return typeof source === 'string' ? source : 'image'
}

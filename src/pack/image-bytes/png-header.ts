import { inflateSync } from 'node:zlib'
import { TrawlError } from '../../core/index.ts'
import type { ImageBytes, StreamPart } from './image-bytes.ts'

/** What the chunks of a PNG say that packing needs (W3C PNG, third edition). */
export interface PngHeader {
  readonly widthPx: number
  readonly heightPx: number
  readonly bitDepth: number
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: number
  readonly interlaced: boolean
  /** RGB triples. */
  readonly palette?: Buffer
  /** The tRNS chunk: alpha of palette entries, or one colour that is transparent. */
  readonly transparency?: Buffer
  readonly icc?: Buffer
  /** The image data: one zlib stream over all parts. */
  readonly data: readonly StreamPart[]
  readonly dataBytes: number
}

const signature = '\x89PNG\r\n\x1a\n'
const maxProfileBytes = 16 * 1024 * 1024

/** Walks the chunks of a PNG; checksums are not checked. Throws ERR_IMAGE_DAMAGED or ERR_IMAGE_TRUNCATED. */
export function readPngHeader(image: ImageBytes): PngHeader {
  if (image.bytes(0, 8).toString('latin1') !== signature) throw damaged(image, 0, 'no signature')
  const chunks = new Map<string, Buffer>()
  const data: StreamPart[] = []
  let dataBytes = 0
  for (let at = 8; ;) {
    const head = image.bytes(at, 8)
    if (head.length < 8) throw new TrawlError('ERR_IMAGE_TRUNCATED', `${image.name}: PNG without its end`)
    const length = head.readUInt32BE(0)
    const type = head.toString('latin1', 4, 8)
    if (type === 'IEND') break
    if (at + 12 + length > image.sizeBytes) throw damaged(image, at, `the chunk ${type} is cut`)
    if (type === 'IDAT') {
      if (length > 0) data.push(image.part(at + 8, length))
      dataBytes += length
    } else if (kept.has(type) && !chunks.has(type)) {
      chunks.set(type, Buffer.from(image.bytes(at + 8, length)))
    }
    at += 12 + length
  }
  return summary(image, chunks, { data, dataBytes })
}

const kept: ReadonlySet<string> = new Set(['IHDR', 'PLTE', 'tRNS', 'iCCP'])

function summary(
  image: ImageBytes,
  chunks: ReadonlyMap<string, Buffer>,
  data: Pick<PngHeader, 'data' | 'dataBytes'>,
): PngHeader {
  const ihdr = chunks.get('IHDR')
  if (!ihdr || ihdr.length < 13 || data.dataBytes === 0) throw damaged(image, 8, 'no header or no image data')
  const colourType = ihdr[9] ?? 0
  const palette = chunks.get('PLTE')
  if (colourType === 3 && !palette) throw damaged(image, 8, 'no palette')
  const transparency = chunks.get('tRNS')
  const icc = inflateProfile(chunks.get('iCCP'))
  return {
    widthPx: ihdr.readUInt32BE(0),
    heightPx: ihdr.readUInt32BE(4),
    bitDepth: ihdr[8] ?? 0,
    colourType,
    interlaced: ihdr[12] !== 0,
    ...(palette ? { palette } : {}),
    ...(transparency ? { transparency } : {}),
    ...(icc ? { icc } : {}),
    ...data,
  }
}

/** The profile of an iCCP chunk; undefined where it does not inflate: the image is good without it. */
function inflateProfile(chunk: Buffer | undefined): Buffer | undefined {
  const nameEnd = chunk?.indexOf(0) ?? -1
  if (!chunk || nameEnd < 0) return undefined
  try {
    return inflateSync(chunk.subarray(nameEnd + 2), { maxOutputLength: maxProfileBytes })
  } catch {
    return undefined
  }
}

function damaged(image: ImageBytes, offset: number, reason: string): TrawlError {
  return new TrawlError('ERR_IMAGE_DAMAGED', `${image.name}: PNG at byte ${offset}: ${reason}`, {
    context: { path: image.name, offset },
  })
}

import { TrawlError } from '../../core/index.ts'
import type { ImageBytes } from './image-bytes.ts'

/** One colour specification of a JP2 file (ISO/IEC 15444-1, I.5.3.3). */
export interface Jp2Colour {
  /** 1 enumerated, 2 restricted ICC, 3 any ICC, 4 vendor. */
  readonly method: number
  readonly approximation: number
  /** 16 sRGB, 17 grey, 18 sYCC, 12 CMYK, 19 e-sRGB. */
  readonly enumerated?: number
}

/** What the boxes and the SIZ marker of a JPEG 2000 image say that packing needs. */
export interface Jp2Header {
  /** A bare codestream, without boxes: its colours are not told. */
  readonly bare: boolean
  readonly widthPx: number
  readonly heightPx: number
  readonly components: number
  /** Bits of each component less one, and 128 where it is signed, as the file tells it. */
  readonly precisions: readonly number[]
  readonly colours: readonly Jp2Colour[]
  readonly palette: boolean
  /** Which kind of opacity channel there is. */
  readonly alpha: 'none' | 'straight' | 'premultiplied'
}

interface Box {
  readonly type: string
  readonly start: number
  readonly end: number
}

/** Reads boxes and the SIZ marker; nothing is decoded. Throws ERR_IMAGE_DAMAGED. */
export function readJp2Header(image: ImageBytes): Jp2Header {
  if (image.bytes(0, 4).toString('latin1') === '\xff\x4f\xff\x51') {
    const size = readSize(image, 0)
    return { bare: true, ...size, colours: [], palette: false, alpha: 'none' }
  }
  const colours: Jp2Colour[] = []
  let palette = false
  let alpha: Jp2Header['alpha'] = 'none'
  for (const box of boxes(image, 0, image.sizeBytes)) {
    if (box.type === 'jp2c') return { bare: false, ...readSize(image, box.start), colours, palette, alpha }
    if (box.type !== 'jp2h') continue
    for (const inner of boxes(image, box.start, box.end)) {
      if (inner.type === 'colr') colours.push(readColour(image.bytes(inner.start, 7)))
      else if (inner.type === 'pclr') palette = true
      else if (inner.type === 'cdef') alpha = readAlpha(image.bytes(inner.start, inner.end - inner.start))
    }
  }
  throw damaged(image, 'no codestream')
}

function* boxes(image: ImageBytes, from: number, to: number): IterableIterator<Box> {
  let at = from
  while (at + 8 <= to) {
    const head = image.bytes(at, 16)
    if (head.length < 8) return
    let headBytes = 8
    let length = head.readUInt32BE(0)
    if (length === 1 && head.length === 16) {
      length = Number(head.readBigUInt64BE(8))
      headBytes = 16
    } else if (length === 0) length = to - at
    if (length < headBytes || at + length > to) {
      // A codestream that is cut is for the decoder to say; its header can still be read.
      if (head.toString('latin1', 4, 8) !== 'jp2c') return
      length = to - at
    }
    yield { type: head.toString('latin1', 4, 8), start: at + headBytes, end: at + length }
    at += length
  }
}

/** The SIZ marker segment (A.5.1), which follows SOC. */
function readSize(
  image: ImageBytes,
  start: number,
): Pick<Jp2Header, 'widthPx' | 'heightPx' | 'components' | 'precisions'> {
  const head = image.bytes(start, 42)
  if (head.length < 42 || head.readUInt32BE(0) !== 0xff4fff51) throw damaged(image, 'no SIZ marker')
  const components = head.readUInt16BE(40)
  const widthPx = head.readUInt32BE(8) - head.readUInt32BE(16)
  const heightPx = head.readUInt32BE(12) - head.readUInt32BE(20)
  const details = Buffer.from(image.bytes(start + 42, components * 3))
  const precisions = Array.from({ length: components }, (_, i) => details[i * 3] ?? 0)
  return { widthPx, heightPx, components, precisions }
}

function readColour(body: Buffer): Jp2Colour {
  const method = body[0] ?? 0
  const approximation = body[2] ?? 0
  const enumerated = method === 1 && body.length >= 7 ? body.readUInt32BE(3) : undefined
  return { method, approximation, ...(enumerated === undefined ? {} : { enumerated }) }
}

function readAlpha(body: Buffer): Jp2Header['alpha'] {
  const count = body.length < 2 ? 0 : body.readUInt16BE(0)
  for (let i = 0; i < count && body.length >= 2 + i * 6 + 6; i++) {
    const kind = body.readUInt16BE(2 + i * 6 + 2)
    if (kind === 1) return 'straight'
    if (kind === 2) return 'premultiplied'
  }
  return 'none'
}

function damaged(image: ImageBytes, reason: string): TrawlError {
  return new TrawlError('ERR_IMAGE_DAMAGED', `${image.name}: JPEG 2000: ${reason}`, {
    context: { path: image.name },
  })
}

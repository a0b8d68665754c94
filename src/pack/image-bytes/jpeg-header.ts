import { TrawlError } from '../../core/index.ts'
import type { ImageBytes } from './image-bytes.ts'

/** What the segments of a JPEG say that packing needs (ITU-T T.81, annex B). */
export interface JpegHeader {
  /** Number of the frame marker: 0 baseline, 1 extended, 2 progressive, 3 lossless, 9 and up arithmetic. */
  readonly frame: number
  readonly bitDepth: number
  readonly widthPx: number
  readonly heightPx: number
  readonly components: number
  /** An Adobe APP14 segment is there: four components are stored inverted. */
  readonly adobe: boolean
  /** Three components that are RGB and not YCbCr, with no segment to say so: their ids are the letters R, G, B. */
  readonly plainRgb: boolean
  /** The joined ICC profile, where all its pieces are there. */
  readonly icc?: Buffer
  /** EXIF orientation, 1 to 8, where the file tells one. */
  readonly orientation?: number
  /** Further images follow the first (CIPA DC-007, Multi-Picture Format). */
  readonly multiPicture: boolean
}

interface Segments {
  frame?: { readonly marker: number; readonly body: Buffer }
  adobe: boolean
  jfif: boolean
  orientation: number | undefined
  multiPicture: boolean
  readonly icc: Map<number, Buffer>
  iccCount: number
}

/** Reads the segments up to the first scan. Throws ERR_IMAGE_DAMAGED where there is no frame. */
export function readJpegHeader(image: ImageBytes): JpegHeader {
  const found: Segments = {
    adobe: false,
    jfif: false,
    orientation: undefined,
    multiPicture: false,
    icc: new Map(),
    iccCount: 0,
  }
  if (image.bytes(0, 2).toString('latin1') !== '\xff\xd8') throw damaged(image, 0, 'no SOI marker')
  let at = 2
  for (;;) {
    const head = image.bytes(at, 4)
    if (head.length < 4 || head[0] !== 0xff) throw damaged(image, at, 'a marker is missing')
    const marker = head[1] ?? 0
    if (marker === 0xff) {
      at++
      continue
    }
    const length = head.readUInt16BE(2)
    if (length < 2) throw damaged(image, at, 'a segment has no length')
    if (marker === 0xda) break
    if (wanted(marker)) note(found, marker, image.bytes(at + 4, length - 2))
    at += 2 + length
  }
  return summary(image, found)
}

/**
 * Length of the first image in bytes, its EOI marker included: walks segments and scans. The whole file where no
 * EOI is found.
 */
export function firstJpegLength(image: ImageBytes): number {
  let at = 2
  while (at < image.sizeBytes) {
    const head = image.bytes(at, 4)
    if (head.length < 2 || head[0] !== 0xff) break
    const marker = head[1] ?? 0
    if (marker === 0xd9) return at + 2
    if (marker === 0xff) at++
    else if (head.length < 4) break
    else {
      at += 2 + head.readUInt16BE(2)
      if (marker === 0xda) at = endOfScan(image, at)
    }
  }
  return image.sizeBytes
}

/** The first marker after entropy-coded data: neither a stuffed zero, nor a restart marker, nor fill. */
function endOfScan(image: ImageBytes, from: number): number {
  const step = 32 * 1024
  for (let at = from; at < image.sizeBytes; at += step) {
    const bytes = image.bytes(at, step + 1)
    for (let i = bytes.indexOf(0xff); i >= 0 && i < bytes.length - 1; i = bytes.indexOf(0xff, i + 1)) {
      const next = bytes[i + 1] ?? 0
      if (next !== 0 && next !== 0xff && (next < 0xd0 || next > 0xd7)) return at + i
    }
  }
  return image.sizeBytes
}

function wanted(marker: number): boolean {
  return isFrame(marker) || marker === 0xe0 || marker === 0xe1 || marker === 0xe2 || marker === 0xee
}

function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

function note(found: Segments, marker: number, body: Buffer): void {
  if (isFrame(marker)) found.frame ??= { marker, body: Buffer.from(body) }
  else if (marker === 0xe0) found.jfif ||= body.toString('latin1', 0, 5) === 'JFIF\0'
  else if (marker === 0xe1) found.orientation ??= exifOrientation(body)
  else if (marker === 0xee) found.adobe ||= body.toString('latin1', 0, 5) === 'Adobe'
  else if (body.toString('latin1', 0, 4) === 'MPF\0') found.multiPicture = true
  else if (body.toString('latin1', 0, 12) === 'ICC_PROFILE\0' && body.length > 14) {
    found.icc.set(body[12] ?? 0, Buffer.from(body.subarray(14)))
    found.iccCount = body[13] ?? 0
  }
}

function summary(image: ImageBytes, found: Segments): JpegHeader {
  const body = found.frame?.body
  const components = body?.[5] ?? 0
  if (!found.frame || !body || body.length < 6 + components * 3) throw damaged(image, 0, 'no frame header')
  const icc = joinProfile(found)
  const ids = [body[6], body[9], body[12]]
  const letters = ids[0] === 0x52 && ids[1] === 0x47 && ids[2] === 0x42
  return {
    frame: found.frame.marker - 0xc0,
    bitDepth: body[0] ?? 0,
    heightPx: body.readUInt16BE(1),
    widthPx: body.readUInt16BE(3),
    components,
    adobe: found.adobe,
    plainRgb: components === 3 && letters && !found.adobe && !found.jfif,
    ...(icc ? { icc } : {}),
    ...(found.orientation === undefined ? {} : { orientation: found.orientation }),
    multiPicture: found.multiPicture,
  }
}

/** The orientation in the first directory of an EXIF segment (CIPA DC-008, 4.6.5.1.6). */
function exifOrientation(body: Buffer): number | undefined {
  if (body.toString('latin1', 0, 6) !== 'Exif\0\0') return undefined
  const tiff = body.subarray(6)
  const order = tiff.toString('latin1', 0, 2)
  if (tiff.length < 14 || (order !== 'II' && order !== 'MM')) return undefined
  const u16 = (at: number) => (order === 'II' ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at))
  const start = order === 'II' ? tiff.readUInt32LE(4) : tiff.readUInt32BE(4)
  const count = start + 2 <= tiff.length ? u16(start) : 0
  for (let i = 0; i < count && start + 2 + (i + 1) * 12 <= tiff.length; i++) {
    const at = start + 2 + i * 12
    if (u16(at) !== 0x112) continue
    const value = u16(at + 8)
    return value >= 1 && value <= 8 ? value : undefined
  }
  return undefined
}

function joinProfile(found: Segments): Buffer | undefined {
  const pieces: Buffer[] = []
  for (let i = 1; i <= found.iccCount; i++) {
    const piece = found.icc.get(i)
    if (!piece) return undefined
    pieces.push(piece)
  }
  return pieces.length === 0 ? undefined : Buffer.concat(pieces)
}

function damaged(image: ImageBytes, offset: number, reason: string): TrawlError {
  return new TrawlError('ERR_IMAGE_DAMAGED', `${image.name}: JPEG at byte ${offset}: ${reason}`, {
    context: { path: image.name, offset },
  })
}

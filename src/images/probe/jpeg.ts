import type { HeaderBytes } from '../bytes/header-bytes.ts'
import { readExifFacts, saneDpi } from '../exif/exif-facts.ts'
import type { FactsDraft } from './facts-draft.ts'

const MAX_SEGMENTS = 4096

/** JPEG (ITU-T T.81 annex B; JFIF; EXIF; the Adobe marker of TN 5116; MPO of CIPA DC-007). */
export function probeJpeg(bytes: HeaderBytes, draft: FactsDraft): void {
  let at = 2
  let exifDpi: number | undefined
  for (let i = 0; i < MAX_SEGMENTS; i++) {
    // Stray bytes before a marker are skipped, as decoders do.
    while (bytes.u8(at) !== 0xff) at++
    while (bytes.u8(at) === 0xff) at++
    const marker = bytes.u8(at)
    at++
    if (marker === 0xd9 || marker === 0xda) break
    if (marker === 0x00 || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue
    const length = bytes.u16(at)
    const data = at + 2
    if (isFrameHeader(marker)) readFrame(bytes, data, marker, draft)
    else if (marker === 0xe0) readJfif(bytes, data, length, draft)
    else if (marker === 0xe1) exifDpi = readExif(bytes, data, length, draft) ?? exifDpi
    else if (marker === 0xe2) readApp2(bytes, data, length, draft)
    else if (marker === 0xee && length >= 14 && bytes.ascii(data, 5) === 'Adobe') {
      draft.adobeTransform = bytes.u8(data + 11)
    }
    at += Math.max(2, length)
  }
  // EXIF is what cameras and scanners write with care; JFIF is often a placeholder beside it.
  if (exifDpi !== undefined) draft.dpi = exifDpi
}

/** SOF markers: C0 to CF without DHT, JPG and DAC. */
export function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
}

function readFrame(bytes: HeaderBytes, data: number, marker: number, draft: FactsDraft): void {
  if (draft.jpegProcess !== undefined) return
  draft.bitDepth = bytes.u8(data)
  draft.heightPx = bytes.u16(data + 1)
  draft.widthPx = bytes.u16(data + 3)
  draft.channels = bytes.u8(data + 5)
  draft.jpegProcess = marker & 15
  draft.progressive = (marker & 3) === 2
  if (draft.channels === 3) draft.chroma = chromaOf(bytes.u8(data + 7), bytes.u8(data + 10))
}

const chromaNames: Readonly<Record<string, string>> = {
  '1x1': '4:4:4',
  '2x1': '4:2:2',
  '2x2': '4:2:0',
  '1x2': '4:4:0',
  '4x1': '4:1:1',
}

/** From the sampling factors of the first two components, four bits for each direction. */
function chromaOf(luma: number, colour: number): string {
  const across = (luma >> 4) / (colour >> 4)
  const down = (luma & 15) / (colour & 15)
  return chromaNames[`${across}x${down}`] ?? 'other'
}

function readJfif(bytes: HeaderBytes, data: number, length: number, draft: FactsDraft): void {
  if (length < 14 || bytes.ascii(data, 5) !== 'JFIF\0') return
  const scale = bytes.u8(data + 7) === 1 ? 1 : bytes.u8(data + 7) === 2 ? 2.54 : 0
  const dpi = saneDpi(bytes.u16(data + 8) * scale, bytes.u16(data + 10) * scale)
  if (dpi !== undefined) draft.dpi = dpi
}

function readExif(bytes: HeaderBytes, data: number, length: number, draft: FactsDraft): number | undefined {
  if (length < 16 || bytes.ascii(data, 6) !== 'Exif\0\0') return undefined
  draft.exifOffset ??= data + 6
  try {
    const facts = readExifFacts(bytes, data + 6)
    if (facts.orientation !== undefined) draft.orientation = facts.orientation
    return facts.dpi
  } catch (error) {
    // A broken EXIF block says nothing about the picture; missing bytes of the file do.
    if (isBeyondEnd(error)) return undefined
    throw error
  }
}

function readApp2(bytes: HeaderBytes, data: number, length: number, draft: FactsDraft): void {
  if (length < 6) return
  const name = bytes.ascii(data, 4)
  if (name === 'ICC_' && length >= 14) draft.icc = true
  if (name === 'MPF\0') draft.multiPicture = true
}

function isBeyondEnd(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'beyondEnd' in error && error.beyondEnd === true
}

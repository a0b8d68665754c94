import type { HeaderBytes } from '../bytes/header-bytes.ts'
import { readExifFacts } from '../exif/exif-facts.ts'
import type { FactsDraft } from './facts-draft.ts'

const MAX_CHUNKS = 65_536

/** WebP (RFC 9649). Frames, EXIF and the codec are known only where the chunks after the header are at hand. */
export function probeWebp(bytes: HeaderBytes, draft: FactsDraft): void {
  let at = 12
  let extended = false
  let frames = 0
  for (let i = 0; i < MAX_CHUNKS; i++) {
    if (at >= bytes.sizeBytes) return
    const type = bytes.ascii(at, 4)
    const length = bytes.u32(at + 4, true)
    const data = at + 8
    if (type === 'VP8X') {
      extended = true
      readExtended(bytes, data, draft)
    } else if (type === 'VP8 ' || type === 'VP8L') {
      draft.lossless = type === 'VP8L'
      if (!extended) return readSimple(bytes, data, type, draft)
    } else if (type === 'ANMF') {
      draft.frames = ++frames
      const codec = bytes.ascii(data + 16, 4)
      draft.lossless = codec === 'VP8L' && draft.lossless !== false
    } else if (type === 'EXIF') readExif(bytes, data, draft)
    at = data + length + (length & 1)
  }
}

function readExtended(bytes: HeaderBytes, data: number, draft: FactsDraft): void {
  const flags = bytes.u8(data)
  draft.alpha = (flags & 0x10) !== 0
  if ((flags & 0x20) !== 0) draft.icc = true
  draft.heightPx = 1 + (bytes.u16(data + 7, true) | (bytes.u8(data + 9) << 16))
  draft.widthPx = 1 + (bytes.u16(data + 4, true) | (bytes.u8(data + 6) << 16))
}

function readSimple(bytes: HeaderBytes, data: number, type: string, draft: FactsDraft): void {
  if (type === 'VP8L') {
    if (bytes.u8(data) !== 0x2f) return
    const bits = bytes.u32(data + 1, true)
    draft.alpha = ((bits >>> 28) & 1) === 1
    draft.heightPx = 1 + ((bits >>> 14) & 0x3fff)
    draft.widthPx = 1 + (bits & 0x3fff)
  } else if (bytes.u8(data + 3) === 0x9d && bytes.u16(data + 4) === 0x012a) {
    draft.heightPx = bytes.u16(data + 8, true) & 0x3fff
    draft.widthPx = bytes.u16(data + 6, true) & 0x3fff
  }
}

function readExif(bytes: HeaderBytes, data: number, draft: FactsDraft): void {
  // Some writers keep the prefix that belongs to JPEG.
  const base = bytes.ascii(data, 4) === 'Exif' ? data + 6 : data
  draft.exifOffset = base
  const facts = readExifFacts(bytes, base)
  draft.orientation = facts.orientation ?? 1
  if (facts.dpi !== undefined) draft.dpi = facts.dpi
}

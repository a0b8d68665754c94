import type { HeaderBytes } from '../bytes/header-bytes.ts'
import { readExifFacts, saneDpi } from '../exif/exif-facts.ts'
import type { FactsDraft } from './facts-draft.ts'

const MAX_CHUNKS = 4096
const METRES_PER_INCH = 0.0254

/** PNG and APNG (PNG third edition, sections 11.2 and 11.3). Reads up to the first IDAT. */
export function probePng(bytes: HeaderBytes, draft: FactsDraft): void {
  let at = 8
  for (let i = 0; i < MAX_CHUNKS; i++) {
    const length = bytes.u32(at)
    const type = bytes.ascii(at + 4, 4)
    const data = at + 8
    if (type === 'IHDR') readHeader(bytes, data, draft)
    else if (type === 'tRNS') draft.alpha = true
    else if (type === 'iCCP') draft.icc = true
    else if (type === 'pHYs' && bytes.u8(data + 8) === 1) {
      const dpi = saneDpi(bytes.u32(data) * METRES_PER_INCH, bytes.u32(data + 4) * METRES_PER_INCH)
      if (dpi !== undefined) draft.dpi = dpi
    } else if (type === 'acTL') draft.frames = Math.max(1, bytes.u32(data))
    else if (type === 'eXIf') {
      draft.exifOffset = data
      draft.orientation = readExifFacts(bytes, data).orientation ?? 1
    } else if (type === 'IDAT' || type === 'IEND') return
    at = data + length + 4
  }
}

function readHeader(bytes: HeaderBytes, data: number, draft: FactsDraft): void {
  const colour = bytes.u8(data + 9)
  draft.bitDepth = bytes.u8(data + 8)
  draft.channels = colour === 0 || colour === 4 ? 1 : 3
  draft.alpha = colour === 4 || colour === 6
  if (colour === 3) draft.palette = true
  draft.progressive = bytes.u8(data + 12) === 1
  draft.widthPx = bytes.u32(data)
  draft.heightPx = bytes.u32(data + 4)
}

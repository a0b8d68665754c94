import type { HeaderBytes } from '../bytes/header-bytes.ts'
import { saneDpi } from '../exif/exif-facts.ts'
import type { FactsDraft } from './facts-draft.ts'
import { findBox, isoBoxes, type IsoBox } from './iso-boxes.ts'

/** JPEG 2000 files (ITU-T T.800 annex I) and bare codestreams (annex A). */
export function probeJp2(bytes: HeaderBytes, draft: FactsDraft): void {
  if (bytes.u16(0) === 0xff4f) return readCodestream(bytes, 0, draft)
  const header = findBox(bytes, 0, bytes.sizeBytes, 'jp2h')
  if (!header) {
    const stream = findBox(bytes, 0, bytes.sizeBytes, 'jp2c')
    if (stream) readCodestream(bytes, stream.data, draft)
    return
  }
  for (const box of isoBoxes(bytes, header.data, header.end)) readHeaderBox(bytes, box, draft)
}

function readHeaderBox(bytes: HeaderBytes, box: IsoBox, draft: FactsDraft): void {
  const { data } = box
  if (box.type === 'ihdr') {
    const channels = bytes.u16(data + 8)
    const depth = bytes.u8(data + 10)
    draft.channels = channels
    // 255 means: each component has its own depth, listed in `bpcc`.
    if (depth !== 255) draft.bitDepth = (depth & 0x7f) + 1
    draft.heightPx = bytes.u32(data)
    draft.widthPx = bytes.u32(data + 4)
  } else if (box.type === 'bpcc') draft.bitDepth = (bytes.u8(data) & 0x7f) + 1
  else if (box.type === 'pclr') {
    draft.palette = true
    draft.channels = 3
  } else if (box.type === 'colr' && bytes.u8(data) === 2) draft.icc = true
  else if (box.type === 'cdef') {
    const count = bytes.u16(data)
    let alphas = 0
    for (let i = 0; i < Math.min(count, 16); i++) {
      const kind = bytes.u16(data + 4 + i * 6)
      if (kind === 1 || kind === 2) alphas++
    }
    draft.alpha = alphas > 0
    if (!draft.palette) draft.channels = Math.max(1, draft.channels - alphas)
  } else if (box.type === 'res ') {
    const capture = findBox(bytes, data, box.end, 'resc') ?? findBox(bytes, data, box.end, 'resd')
    const at = capture?.data
    const dpi =
      at === undefined ? undefined : saneDpi(perInch(bytes, at + 4, at + 9), perInch(bytes, at, at + 8))
    if (dpi !== undefined) draft.dpi = dpi
  }
}

/** Grid points a metre as numerator, denominator and exponent, in dots an inch. */
function perInch(bytes: HeaderBytes, at: number, exponentAt: number): number {
  const exponent = (bytes.u8(exponentAt) << 24) >> 24
  return (bytes.u16(at) / bytes.u16(at + 2)) * 10 ** exponent * 0.0254
}

function readCodestream(bytes: HeaderBytes, at: number, draft: FactsDraft): void {
  if (bytes.u32(at) !== 0xff4fff51) return
  const size = at + 8
  const components = bytes.u16(at + 40)
  draft.bitDepth = (bytes.u8(at + 42) & 0x7f) + 1
  // Without a header box nobody says which component is alpha; two and four are grey and RGB with alpha.
  draft.alpha = components === 2 || components === 4
  draft.channels = components <= 2 ? 1 : 3
  draft.heightPx = Math.max(0, bytes.u32(size + 4) - bytes.u32(size + 12))
  draft.widthPx = Math.max(0, bytes.u32(size) - bytes.u32(size + 8))
}

import type { HeaderBytes } from '../bytes/header-bytes.ts'
import { saneDpi } from '../exif/exif-facts.ts'
import type { FactsDraft } from './facts-draft.ts'

/** Windows bitmaps: BITMAPCOREHEADER and BITMAPINFOHEADER to version 5. */
export function probeBmp(bytes: HeaderBytes, draft: FactsDraft): void {
  const core = bytes.u32(14, true) === 12
  const bits = bytes.u16(core ? 24 : 28, true)
  draft.bitDepth = bits <= 8 ? bits : 8
  if (bits <= 8) draft.palette = true
  // The fourth byte of 32-bit pixels is mostly padding; only a mask says otherwise.
  draft.alpha = bits === 32 && !core && bytes.u32(14, true) >= 56 && bytes.u32(66, true) !== 0
  if (core) {
    draft.heightPx = bytes.u16(20, true)
    draft.widthPx = bytes.u16(18, true)
    return
  }
  // A negative height means that the rows run from the top.
  draft.heightPx = Math.abs(bytes.u32(22, true) | 0)
  draft.widthPx = Math.abs(bytes.u32(18, true) | 0)
  const dpi = saneDpi(bytes.u32(38, true) * 0.0254, bytes.u32(42, true) * 0.0254)
  if (dpi !== undefined) draft.dpi = dpi
}

import type { HeaderBytes } from '../bytes/header-bytes.ts'
import type { FactsDraft } from './facts-draft.ts'

/** GIF87a and GIF89a. Counts the frames as far as the bytes are at hand. */
export function probeGif(bytes: HeaderBytes, draft: FactsDraft): void {
  const flags = bytes.u8(10)
  draft.palette = true
  draft.heightPx = bytes.u16(8, true)
  draft.widthPx = bytes.u16(6, true)
  let at = 13 + colourTableBytes(flags)
  let frames = 0
  for (;;) {
    const block = bytes.u8(at)
    if (block === 0x21) {
      if (bytes.u8(at + 1) === 0xf9 && (bytes.u8(at + 3) & 1) === 1) draft.alpha = true
      at = skipSubBlocks(bytes, at + 2)
    } else if (block === 0x2c) {
      draft.frames = ++frames
      const imageFlags = bytes.u8(at + 9)
      if (frames === 1 && (imageFlags & 0x40) !== 0) draft.progressive = true
      // A canvas of size zero means: as large as the first frame.
      if (draft.widthPx === 0) draft.widthPx = bytes.u16(at + 5, true)
      if (draft.heightPx === 0) draft.heightPx = bytes.u16(at + 7, true)
      at = skipSubBlocks(bytes, at + 11 + colourTableBytes(imageFlags))
    } else return
  }
}

/** Length of the colour table that follows, from the flags of a screen or image descriptor. */
export function colourTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1)
}

function skipSubBlocks(bytes: HeaderBytes, from: number): number {
  let at = from
  for (;;) {
    const length = bytes.u8(at)
    at += 1 + length
    if (length === 0) return at
  }
}

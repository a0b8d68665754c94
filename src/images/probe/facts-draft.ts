import type { HeaderBytes } from '../bytes/header-bytes.ts'
import type { ImageFacts } from '../image-facts.ts'

/** The facts while a probe collects them; size zero means: not yet known. */
export type FactsDraft = {
  -readonly [K in keyof Omit<ImageFacts, 'format' | 'sizeBytes'>]: ImageFacts[K]
} & {
  /** Where an EXIF block starts; not a part of the facts. */
  exifOffset?: number
}

/** Fills a draft from the header of one format. May throw `OutOfBytes`: what was filled so far still counts. */
export type Probe = (bytes: HeaderBytes, draft: FactsDraft) => void

/** A draft of the commonest image: RGB, 8 bits, upright, one frame. */
export function newDraft(): FactsDraft {
  return { widthPx: 0, heightPx: 0, channels: 3, alpha: false, bitDepth: 8, orientation: 1, frames: 1 }
}

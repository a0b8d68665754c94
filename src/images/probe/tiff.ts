import type { HeaderBytes } from '../bytes/header-bytes.ts'
import { directoryFacts } from '../exif/exif-facts.ts'
import {
  fieldNumbers,
  openTiffBlock,
  readDirectory,
  type TiffBlock,
  type TiffField,
} from '../exif/tiff-directory.ts'
import type { FactsDraft } from './facts-draft.ts'

const MAX_PAGES = 10_000

/** TIFF and BigTIFF (TIFF 6.0). The facts are those of the first page; `frames` counts the chain of pages. */
export function probeTiff(bytes: HeaderBytes, draft: FactsDraft): void {
  const block = openTiffBlock(bytes, 0)
  if (!block) return
  draft.exifOffset = 0
  const seen = new Set<number>()
  let offset = block.first
  while (offset !== 0 && !seen.has(offset) && seen.size < MAX_PAGES) {
    const { fields, next } = readDirectory(block, offset)
    if (seen.size === 0) readFirstPage(block, fields, draft)
    seen.add(offset)
    draft.frames = seen.size
    offset = next
  }
}

function readFirstPage(block: TiffBlock, fields: readonly TiffField[], draft: FactsDraft): void {
  const byTag = new Map(fields.map((field) => [field.tag, field]))
  const number = (tag: number, otherwise: number): number => {
    const field = byTag.get(tag)
    return (field ? fieldNumbers(block, field)[0] : undefined) ?? otherwise
  }
  const photometric = number(262, 1)
  const samples = number(277, 1)
  const extra = byTag.get(338)
  const extraKinds = extra ? fieldNumbers(block, extra, 8) : []
  draft.alpha = extraKinds.some((kind) => kind === 1 || kind === 2)
  draft.bitDepth = number(258, 1)
  draft.channels = photometric === 3 ? 3 : Math.max(1, samples - extraKinds.length)
  if (photometric === 3) draft.palette = true
  if (byTag.has(34675)) draft.icc = true
  draft.heightPx = number(257, 0)
  draft.widthPx = number(256, 0)
  const { orientation, dpi } = directoryFacts(block, fields)
  if (orientation !== undefined) draft.orientation = orientation
  if (dpi !== undefined) draft.dpi = dpi
}

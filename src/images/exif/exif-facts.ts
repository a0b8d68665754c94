import type { HeaderBytes } from '../bytes/header-bytes.ts'
import {
  fieldNumbers,
  openTiffBlock,
  readDirectory,
  type TiffBlock,
  type TiffField,
} from './tiff-directory.ts'

/** What a page needs of EXIF (TIFF 6.0 tags 274, 282, 283, 296). */
export interface ExifFacts {
  orientation?: number
  dpi?: number
}

/** Reads orientation and resolution from the EXIF block at `base`; empty when there is nothing sane. */
export function readExifFacts(bytes: HeaderBytes, base: number): ExifFacts {
  const block = openTiffBlock(bytes, base)
  if (!block) return {}
  return directoryFacts(block, readDirectory(block, block.first).fields)
}

/** Orientation and resolution of one TIFF directory. */
export function directoryFacts(block: TiffBlock, fields: readonly TiffField[]): ExifFacts {
  const facts: ExifFacts = {}
  let x = 0
  let y = 0
  let unit = 2
  for (const field of fields) {
    if (field.tag !== 274 && field.tag !== 282 && field.tag !== 283 && field.tag !== 296) continue
    const value = fieldNumbers(block, field)[0] ?? 0
    if (field.tag === 274 && Number.isInteger(value) && value >= 1 && value <= 8) facts.orientation = value
    if (field.tag === 282) x = value
    if (field.tag === 283) y = value
    if (field.tag === 296) unit = value
  }
  const dpi = unit === 3 ? saneDpi(x * 2.54, y * 2.54) : unit === 2 ? saneDpi(x, y) : undefined
  if (dpi !== undefined) facts.dpi = dpi
  return facts
}

/** One resolution for both axes: between 36 and 4800 dots an inch and square within 5 %. */
export function saneDpi(x: number, y: number): number | undefined {
  if (!(x >= 36 && x <= 4800 && y > 0) || Math.abs(x / y - 1) > 0.05) return undefined
  return Math.round(x * 100) / 100
}

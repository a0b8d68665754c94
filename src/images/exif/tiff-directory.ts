import type { HeaderBytes } from '../bytes/header-bytes.ts'

/** One field of a TIFF directory (TIFF 6.0, section 2). */
export interface TiffField {
  readonly tag: number
  readonly type: number
  readonly count: number
  /** Length of the value; 0 for types nobody knows. */
  readonly sizeBytes: number
  /** Where the value lies in the file. */
  readonly offset: number
}

/** A TIFF block in a file: the whole file, or the EXIF block of another format. */
export interface TiffBlock {
  readonly bytes: HeaderBytes
  /** Where the block starts; its own offsets count from here. */
  readonly base: number
  readonly littleEndian: boolean
  readonly big: boolean
  /** Offset of the first directory, from `base`. */
  readonly first: number
}

// Byte, ascii, short, long, rational, and their signed, float and BigTIFF kin, by TIFF type number.
const typeBytes = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8]
const MAX_FIELDS = 1024

/** Reads the header of a TIFF block at `base`; undefined when there is none. */
export function openTiffBlock(bytes: HeaderBytes, base: number): TiffBlock | undefined {
  const order = bytes.ascii(base, 2)
  if (order !== 'II' && order !== 'MM') return undefined
  const littleEndian = order === 'II'
  const version = bytes.u16(base + 2, littleEndian)
  if (version === 42) {
    return { bytes, base, littleEndian, big: false, first: bytes.u32(base + 4, littleEndian) }
  }
  if (version === 43 && bytes.u16(base + 4, littleEndian) === 8) {
    return { bytes, base, littleEndian, big: true, first: bytes.u64(base + 8, littleEndian) }
  }
  return undefined
}

/** Reads the fields of one directory and the offset of the next one (0 at the end). */
export function readDirectory(
  block: TiffBlock,
  offset: number,
): { readonly fields: readonly TiffField[]; readonly next: number } {
  const { bytes, littleEndian, big } = block
  const at = block.base + offset
  const count = big ? bytes.u64(at, littleEndian) : bytes.u16(at, littleEndian)
  const fields: TiffField[] = []
  const entryBytes = big ? 20 : 12
  let entry = at + (big ? 8 : 2)
  for (let i = 0; i < Math.min(count, MAX_FIELDS); i++, entry += entryBytes) {
    const type = bytes.u16(entry + 2, littleEndian)
    const items = big ? bytes.u64(entry + 4, littleEndian) : bytes.u32(entry + 4, littleEndian)
    const inline = entry + (big ? 12 : 8)
    const sizeBytes = items * (typeBytes[type] ?? 0)
    const outside = sizeBytes > (big ? 8 : 4)
    const value = outside
      ? block.base + (big ? bytes.u64(inline, littleEndian) : bytes.u32(inline, littleEndian))
      : inline
    fields.push({ tag: bytes.u16(entry, littleEndian), type, count: items, sizeBytes, offset: value })
  }
  if (count > MAX_FIELDS) return { fields, next: 0 }
  return { fields, next: big ? bytes.u64(entry, littleEndian) : bytes.u32(entry, littleEndian) }
}

/** The numbers of a field, at most `limit`; rationals as quotients. Empty for text and unknown types. */
export function fieldNumbers(block: TiffBlock, field: TiffField, limit = 1): number[] {
  const { bytes, littleEndian: le } = block
  const step = typeBytes[field.type] ?? 0
  const out: number[] = []
  for (let i = 0; i < Math.min(field.count, limit); i++) {
    const at = field.offset + i * step
    const value = readNumber(bytes, field.type, at, le)
    if (value === undefined) break
    out.push(value)
  }
  return out
}

function readNumber(bytes: HeaderBytes, type: number, at: number, le: boolean): number | undefined {
  switch (type) {
    case 1:
    case 7:
      return bytes.u8(at)
    case 6:
      return (bytes.u8(at) << 24) >> 24
    case 3:
      return bytes.u16(at, le)
    case 8:
      return (bytes.u16(at, le) << 16) >> 16
    case 4:
    case 13:
      return bytes.u32(at, le)
    case 9:
      return bytes.u32(at, le) | 0
    case 5:
      return bytes.u32(at, le) / bytes.u32(at + 4, le)
    case 10:
      return (bytes.u32(at, le) | 0) / (bytes.u32(at + 4, le) | 0)
    case 11:
      return le ? bytes.slice(at, 4).readFloatLE() : bytes.slice(at, 4).readFloatBE()
    case 12:
      return le ? bytes.slice(at, 8).readDoubleLE() : bytes.slice(at, 8).readDoubleBE()
    case 16:
    case 18:
      return bytes.u64(at, le)
    default:
      return undefined
  }
}

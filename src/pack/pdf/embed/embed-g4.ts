import type { ImageBytes } from '../../image-bytes/index.ts'
import type { ImagePlan } from './image-plan.ts'

const tags = {
  width: 256,
  height: 257,
  bitsPerSample: 258,
  compression: 259,
  photometric: 262,
  fillOrder: 266,
  stripOffsets: 273,
  samplesPerPixel: 277,
  stripByteCounts: 279,
  t6Options: 293,
} as const

/**
 * A TIFF with one strip of Group 4 fax data (TIFF 6.0, section 11), its data copied. Undefined for every other
 * TIFF: several strips, other compression, bits in reverse order; those are decoded.
 */
export function planG4Tiff(image: ImageBytes): ImagePlan | undefined {
  const fields = readFields(image)
  if (!fields) return undefined
  const value = (tag: number, otherwise: number) => fields.get(tag) ?? otherwise
  const simple =
    value(tags.compression, 1) === 4 &&
    value(tags.bitsPerSample, 1) === 1 &&
    value(tags.samplesPerPixel, 1) === 1 &&
    value(tags.fillOrder, 1) === 1 &&
    value(tags.t6Options, 0) === 0 &&
    value(tags.photometric, 0) <= 1
  const [widthPx, heightPx] = [value(tags.width, 0), value(tags.height, 0)]
  const [offset, length] = [value(tags.stripOffsets, 0), value(tags.stripByteCounts, 0)]
  if (!simple || widthPx === 0 || heightPx === 0 || length === 0) return undefined
  if (offset + length > image.sizeBytes) return undefined
  const blackIs1 = value(tags.photometric, 0) === 1 ? ' /BlackIs1 true' : ''
  return {
    widthPx,
    heightPx,
    bitDepth: 1,
    colour: { space: 'DeviceGray' },
    entries: `/Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns ${widthPx} /Rows ${heightPx}${blackIs1} >>`,
    data: [image.part(offset, length)],
    verbatim: false,
  }
}

/** Fields of the first directory that have one value; undefined where this is no classic TIFF. */
function readFields(image: ImageBytes): Map<number, number> | undefined {
  const head = image.bytes(0, 8)
  const order = head.toString('latin1', 0, 2)
  if (head.length < 8 || (order !== 'II' && order !== 'MM')) return undefined
  const little = order === 'II'
  const u16 = (bytes: Buffer, at: number) => (little ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at))
  const u32 = (bytes: Buffer, at: number) => (little ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at))
  if (u16(head, 2) !== 42) return undefined
  const at = u32(head, 4)
  const counted = image.bytes(at, 2)
  if (counted.length < 2) return undefined
  const entries = image.bytes(at + 2, u16(counted, 0) * 12)
  const fields = new Map<number, number>()
  for (let i = 0; i + 12 <= entries.length; i += 12) {
    const type = u16(entries, i + 2)
    if (u32(entries, i + 4) !== 1 || (type !== 3 && type !== 4)) continue
    fields.set(u16(entries, i), type === 3 ? u16(entries, i + 8) : u32(entries, i + 8))
  }
  return fields
}

import type { ByteSource } from '../bytes/byte-source.ts'
import type { ImageFormat } from '../image-facts.ts'
import { checkCodestream } from './jpeg2000-codestream.ts'
import { damaged, truncated, wholeUpTo, type StructureReport } from './structure-report.ts'

const MAX_BOXES = 65_536
/** Boxes that hold pictures; a box of another type that runs over the end of a whole file is junk. */
const pictureBoxes = new Set(['meta', 'mdat', 'moov', 'jp2h', 'jp2c', 'jxlc', 'jxlp', 'jbrd'])

interface TopBox {
  readonly type: string
  readonly data: number
  readonly end: number
}

/**
 * Walks the top boxes of AVIF, HEIC, JPEG 2000 and JPEG XL files: each must end inside the file. For JPEG 2000 the
 * tile parts of the codestream are walked to its end marker too. A bare JPEG XL codestream has no end that can be
 * found without decoding; that is noted.
 */
export async function checkBoxStructure(source: ByteSource, format: ImageFormat): Promise<StructureReport> {
  const head = await source.read(0, 2)
  if (format === 'jxl' && head[0] === 0xff) {
    return wholeUpTo(source, source.sizeBytes, ['a bare JPEG XL stream: its end cannot be checked'])
  }
  if (format === 'jp2' && head[0] === 0xff) {
    return wholeUpTo(source, await checkCodestream(source, 0, source.sizeBytes))
  }
  const boxes = await topBoxes(source, format)
  if (!(await isWhole(source, boxes, format))) {
    throw truncated(source, `${format.toUpperCase()} without all of its picture boxes`)
  }
  for (const box of boxes) {
    if (box.type === 'jp2c') await checkCodestream(source, box.data, box.end)
  }
  return wholeUpTo(source, boxes.at(-1)?.end ?? 0)
}

async function isWhole(source: ByteSource, boxes: readonly TopBox[], format: ImageFormat): Promise<boolean> {
  const has = (type: string): boolean => boxes.some((box) => box.type === type)
  if (format === 'jp2') return has('jp2c')
  if (format === 'jxl') {
    const parts = boxes.filter((box) => box.type === 'jxlp')
    const last = parts.at(-1)
    // The number of the last part has its highest bit set.
    return has('jxlc') || (last !== undefined && ((await source.read(last.data, 1))[0] ?? 0) >= 0x80)
  }
  const meta = boxes.find((box) => box.type === 'meta')
  if (!meta || has('mdat')) return meta !== undefined
  return (await source.read(meta.data, meta.end - meta.data)).includes('idat')
}

/** The boxes of the file; what follows the last known one and is no box is trailing junk. */
async function topBoxes(source: ByteSource, format: ImageFormat): Promise<TopBox[]> {
  const boxes: TopBox[] = []
  let at = 0
  while (at < source.sizeBytes && boxes.length < MAX_BOXES) {
    const head = Buffer.from(await source.read(at, 16))
    const type = head.toString('latin1', 4, 8)
    if (head.length < 8 || !/^[\x20-\x7e\xa9]{4}$/.test(type)) {
      if (await isWhole(source, boxes, format)) return boxes
      throw truncated(source, `${format.toUpperCase()} cut inside a box head`)
    }
    let length = head.readUInt32BE(0)
    let data = at + 8
    if (length === 1) {
      if (head.length < 16) throw truncated(source, `${format.toUpperCase()} cut inside a box head`)
      length = Number(head.readBigUInt64BE(8))
      data = at + 16
    } else if (length === 0) length = source.sizeBytes - at
    const fits = length >= data - at && at + length <= source.sizeBytes
    if (!fits && !pictureBoxes.has(type) && (await isWhole(source, boxes, format))) return boxes
    if (length < data - at) throw damaged(source, `${format.toUpperCase()} box ${type} of length ${length}`)
    if (at + length > source.sizeBytes)
      throw truncated(source, `${format.toUpperCase()} cut inside its ${type} box`)
    boxes.push({ type, data, end: at + length })
    at += length
  }
  return boxes
}

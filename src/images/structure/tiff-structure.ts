import type { ByteSource } from '../bytes/byte-source.ts'
import { HeaderBytes, OutOfBytes } from '../bytes/header-bytes.ts'
import {
  fieldNumbers,
  openTiffBlock,
  readDirectory,
  type TiffBlock,
  type TiffField,
} from '../exif/tiff-directory.ts'
import { damaged, truncated, wholeUpTo, type StructureReport } from './structure-report.ts'

const MAX_ROUNDS = 64
const MAX_PAGES = 10_000
const MAX_STRIPS = 1 << 20

/**
 * Checks that every directory of a TIFF and every strip or tile it names lies inside the file (TIFF 6.0). The
 * pixels themselves carry no end marker.
 */
export async function checkTiffStructure(source: ByteSource): Promise<StructureReport> {
  const seen = new Set<number>()
  let end = 8
  let offset = await parse(source, 0, (bytes) => openBlock(source, bytes).first)
  while (offset !== 0 && seen.size < MAX_PAGES) {
    if (seen.has(offset)) throw damaged(source, 'TIFF whose directories run in a circle')
    seen.add(offset)
    const at = offset
    const page = await parse(source, at, (bytes) => {
      const block = openBlock(source, bytes)
      const { fields, next } = readDirectory(block, at)
      const ends = fields.map((field) => field.offset + field.sizeBytes)
      const directory = Math.max(at + 6 + fields.length * 12, ...ends)
      if (directory > source.sizeBytes) throw truncated(source, `TIFF with a value that ends at ${directory}`)
      return { next, end: Math.max(directory, endOfPixels(source, block, fields)) }
    })
    end = Math.max(end, page.end)
    offset = page.next
  }
  if (seen.size === 0) throw damaged(source, 'TIFF without a page')
  return wholeUpTo(source, end)
}

function openBlock(source: ByteSource, bytes: HeaderBytes): TiffBlock {
  const block = openTiffBlock(bytes, 0)
  if (!block) throw damaged(source, 'TIFF without a header')
  return block
}

/** Runs a parser again and again, loading the places it lacks. */
async function parse<T>(source: ByteSource, at: number, run: (bytes: HeaderBytes) => T): Promise<T> {
  const bytes = new HeaderBytes(Buffer.from(await source.read(0, 16)), source.sizeBytes)
  bytes.addWindow({ offset: at, bytes: Buffer.from(await source.read(at, 4096)) })
  for (let round = 0; round < MAX_ROUNDS; round++) {
    try {
      return run(bytes)
    } catch (error) {
      if (!(error instanceof OutOfBytes)) throw error
      if (error.beyondEnd) throw truncated(source, 'TIFF that names places behind its end')
      const length = Math.max(error.length, Math.min(4096 << round, 1 << 20))
      bytes.addWindow({ offset: error.offset, bytes: Buffer.from(await source.read(error.offset, length)) })
    }
  }
  throw damaged(source, 'TIFF whose directory is scattered over the file')
}

/** End of the last strip (tags 273, 279) or tile (324, 325) of a page. */
function endOfPixels(source: ByteSource, block: TiffBlock, fields: readonly TiffField[]): number {
  const numbers = (tag: number): number[] => {
    const field = fields.find((f) => f.tag === tag)
    return field ? fieldNumbers(block, field, MAX_STRIPS) : []
  }
  const strips = numbers(273)
  const offsets = strips.length > 0 ? strips : numbers(324)
  const lengths = strips.length > 0 ? numbers(279) : numbers(325)
  if (offsets.length === 0) throw damaged(source, 'TIFF page without image data')
  let end = 0
  for (const [i, offset] of offsets.entries()) end = Math.max(end, offset + (lengths[i] ?? 0))
  if (end > source.sizeBytes) throw truncated(source, `TIFF whose pixels end at ${end}`)
  return end
}

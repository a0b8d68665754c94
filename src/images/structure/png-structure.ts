import { crc32 } from 'node:zlib'
import type { ByteSource } from '../bytes/byte-source.ts'
import { damaged, truncated, wholeUpTo, type StructureReport } from './structure-report.ts'

const PIECE_BYTES = 1 << 20

/**
 * Walks the chunks of a PNG to IEND and checks every CRC (PNG third edition, section 5). A wrong CRC of a chunk
 * that the picture does not need is only noted.
 */
export async function checkPngStructure(source: ByteSource): Promise<StructureReport> {
  const notes: string[] = []
  let at = 8
  let data = false
  for (;;) {
    const head = Buffer.from(await source.read(at, 8))
    if (head.length < 8) throw truncated(source, 'PNG without its end chunk')
    const length = head.readUInt32BE(0)
    const type = head.toString('latin1', 4, 8)
    if (!/^[A-Za-z]{4}$/.test(type) || length > 0x7fff_ffff) {
      throw damaged(source, `PNG with something that is not a chunk at ${at}`)
    }
    if (at === 8 && type !== 'IHDR' && type !== 'CgBI')
      throw damaged(source, 'PNG that does not start with IHDR')
    const end = at + 12 + length
    if (end > source.sizeBytes) throw truncated(source, `PNG cut inside its ${type} chunk`)
    if (!(await hasRightCrc(source, at + 4, length))) {
      const critical = (head.readUInt8(4) & 0x20) === 0
      if (critical) throw damaged(source, `PNG chunk ${type} at ${at} has a wrong CRC`)
      notes.push(`chunk ${type} has a wrong CRC`)
    }
    if (type === 'IDAT') data = true
    if (type === 'IEND') {
      if (!data) throw damaged(source, 'PNG without image data')
      return wholeUpTo(source, end, notes)
    }
    at = end
  }
}

async function hasRightCrc(source: ByteSource, from: number, length: number): Promise<boolean> {
  const end = from + 4 + length
  let value = 0
  for (let at = from; at < end;) {
    const piece = await source.read(at, Math.min(PIECE_BYTES, end - at))
    if (piece.length === 0) return false
    value = crc32(piece, value)
    at += piece.length
  }
  const stored = await source.read(end, 4)
  return stored.length === 4 && stored.readUInt32BE(0) === value
}

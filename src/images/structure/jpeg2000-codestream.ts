import type { ByteSource } from '../bytes/byte-source.ts'
import { damaged, truncated } from './structure-report.ts'

const SOC = 0xff4f
const SOT = 0xff90
const EOC = 0xffd9
const MAX_PARTS = 1 << 20

/**
 * Walks a JPEG 2000 codestream: main header, tile parts by their own lengths, EOC (ITU-T T.800, A.2 and A.4).
 * Gives the offset behind EOC. The coded pixels are not decoded.
 */
export async function checkCodestream(source: ByteSource, from: number, end: number): Promise<number> {
  const word = async (offset: number): Promise<number> => {
    const bytes = await source.read(offset, 2)
    if (bytes.length < 2 || offset + 2 > end) throw truncated(source, 'JPEG 2000 without its end marker')
    return bytes.readUInt16BE(0)
  }
  if ((await word(from)) !== SOC) throw damaged(source, 'JPEG 2000 that does not start with SOC')
  let at = from + 2
  let parts = 0
  while (parts < MAX_PARTS) {
    const marker = await word(at)
    if (marker === EOC) {
      if (parts === 0) throw damaged(source, 'JPEG 2000 without tiles')
      return at + 2
    }
    if (marker !== SOT) {
      if (parts > 0 || marker < 0xff00) throw damaged(source, `JPEG 2000 without a tile part at ${at}`)
      at += 2 + (await word(at + 2))
      continue
    }
    parts++
    const head = await source.read(at + 6, 4)
    const length = head.length < 4 ? 0 : head.readUInt32BE(0)
    // Zero says: to the end of the codestream, where EOC must stand.
    const next = length === 0 ? end - 2 : at + length
    if (next < at + 12 && length !== 0)
      throw damaged(source, `JPEG 2000 tile part of length ${length} at ${at}`)
    if (next > end) throw truncated(source, 'JPEG 2000 cut inside a tile part')
    at = Math.max(next, at + 12)
  }
  throw damaged(source, 'JPEG 2000 with too many tile parts')
}

import type { ByteSource } from '../bytes/byte-source.ts'
import { colourTableBytes } from '../probe/gif.ts'
import { damaged, truncated, wholeUpTo, type StructureReport } from './structure-report.ts'

/** Walks the blocks of a GIF to its trailer (GIF89a specification, appendix B). */
export async function checkGifStructure(source: ByteSource): Promise<StructureReport> {
  const byte = async (offset: number): Promise<number> => {
    const value = (await source.read(offset, 1))[0]
    if (value === undefined) throw truncated(source, 'GIF without its trailer')
    return value
  }
  const skipSubBlocks = async (from: number): Promise<number> => {
    for (let at = from; ;) {
      const piece = await source.read(at, 1 << 20)
      let inside = 0
      while (inside < piece.length) {
        const length = piece[inside] ?? 0
        inside += 1 + length
        if (length === 0) return at + inside
      }
      if (piece.length === 0 || at + inside > source.sizeBytes)
        throw truncated(source, 'GIF cut inside a block')
      at += inside
    }
  }
  let at = 13 + colourTableBytes(await byte(10))
  let frames = 0
  for (;;) {
    const block = await byte(at)
    if (block === 0x3b) {
      if (frames === 0) throw damaged(source, 'GIF without image data')
      return wholeUpTo(source, at + 1)
    }
    if (block === 0x21) at = await skipSubBlocks(at + 2)
    else if (block === 0x2c) {
      frames++
      at = await skipSubBlocks(at + 11 + colourTableBytes(await byte(at + 9)))
    } else throw damaged(source, `GIF with an unknown block ${block} at ${at}`)
  }
}

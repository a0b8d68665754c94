import type { ByteSource } from '../bytes/byte-source.ts'
import { damaged, truncated, wholeUpTo, type StructureReport } from './structure-report.ts'

/** Compares the RIFF size with the file and walks the chunks inside (RFC 9649, section 2). */
export async function checkWebpStructure(source: ByteSource): Promise<StructureReport> {
  const head = await source.read(0, 12)
  if (head.length < 12) throw truncated(source, 'WebP cut inside its header')
  const size = head.readUInt32LE(4)
  const end = 8 + size
  // Some writers leave out the padding byte of an odd last chunk but count it.
  if (end > source.sizeBytes + (size & 1)) {
    throw truncated(source, `WebP of ${end} bytes by its header`)
  }
  let image = false
  for (let at = 12; at < end - 1;) {
    const chunk = await source.read(at, 8)
    if (chunk.length < 8 || at + 8 > end) throw damaged(source, `WebP with half a chunk at ${at}`)
    const type = chunk.toString('latin1', 0, 4)
    const length = chunk.readUInt32LE(4)
    if (type === 'VP8 ' || type === 'VP8L' || type === 'ANMF') image = true
    at += 8 + length + (length & 1)
    if (at - (length & 1) > end) throw damaged(source, `WebP chunk ${JSON.stringify(type)} runs over the end`)
  }
  if (!image) throw damaged(source, 'WebP without image data')
  return wholeUpTo(source, end)
}

import type { ByteSource } from '../bytes/byte-source.ts'
import { isFrameHeader } from '../probe/jpeg.ts'
import { damaged, truncated, wholeUpTo, type StructureReport } from './structure-report.ts'

const PIECE_BYTES = 1 << 20

/**
 * Walks the markers of a JPEG from SOI to EOI (ITU-T T.81, annex B). Bytes after EOI are allowed: phones, CDNs and
 * broken servers add them. A file without EOI is cut.
 */
export async function checkJpegStructure(source: ByteSource): Promise<StructureReport> {
  const notes: string[] = []
  let at = 2
  let frame = false
  let scans = 0
  for (;;) {
    const head = await source.read(at, 4)
    if (head.length < 2) throw truncated(source, 'JPEG without its end marker')
    if (head[0] !== 0xff) {
      notes.push(`stray bytes before a marker at ${at}`)
      at = await nextMarkerByte(source, at)
      continue
    }
    const marker = head[1] ?? 0
    if (marker === 0xff) at += 1
    else if (marker === 0xd9) {
      if (scans === 0) throw damaged(source, 'JPEG without image data')
      return wholeUpTo(source, at + 2, notes)
    } else if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) at += 2
    else if (marker < 0xc0) throw damaged(source, `JPEG with the unknown marker ${marker} at ${at}`)
    else {
      if (head.length < 4) throw truncated(source, 'JPEG cut inside a segment')
      const length = head.readUInt16BE(2)
      if (length < 2) throw damaged(source, `JPEG with a segment of length ${length} at ${at}`)
      if (isFrameHeader(marker)) frame = true
      at += 2 + length
      if (at > source.sizeBytes) throw truncated(source, 'JPEG cut inside a segment')
      if (marker === 0xda) {
        if (!frame) throw damaged(source, 'JPEG with image data before its frame header')
        scans++
        at = await endOfScan(source, at)
      }
    }
  }
}

/** The next 0xFF at or after `from`; the end of the file where there is none. */
async function nextMarkerByte(source: ByteSource, from: number): Promise<number> {
  for (let at = from; ;) {
    const piece = await source.read(at, PIECE_BYTES)
    if (piece.length === 0) return at
    const found = piece.indexOf(0xff)
    if (found >= 0) return at + found
    at += piece.length
  }
}

/** Where entropy-coded data stops: at a marker that is neither a stuffed zero nor a restart. */
async function endOfScan(source: ByteSource, from: number): Promise<number> {
  for (let at = from; ;) {
    const piece = await source.read(at, PIECE_BYTES)
    if (piece.length < 2) throw truncated(source, 'JPEG cut inside its image data')
    let next = 0
    for (;;) {
      const found = piece.indexOf(0xff, next)
      if (found < 0) {
        at += piece.length
        break
      }
      if (found === piece.length - 1) {
        if (at + piece.length >= source.sizeBytes) throw truncated(source, 'JPEG cut inside its image data')
        // The byte after it is in the next piece.
        at += found
        break
      }
      const code = piece[found + 1] ?? 0
      if (code !== 0x00 && code !== 0xff && (code < 0xd0 || code > 0xd7)) return at + found
      next = code === 0xff ? found + 1 : found + 2
    }
  }
}

import type { ByteSource } from '../bytes/byte-source.ts'
import { damaged, truncated, wholeUpTo, type StructureReport } from './structure-report.ts'

/** Checks that the rows of an uncompressed bitmap lie inside the file. */
export async function checkBmpStructure(source: ByteSource): Promise<StructureReport> {
  const head = await source.read(0, 54)
  if (head.length < 26) throw truncated(source, 'BMP cut inside its header')
  const start = head.readUInt32LE(10)
  const core = head.readUInt32LE(14) === 12
  if (!core && head.length < 54) throw truncated(source, 'BMP cut inside its header')
  const width = core ? head.readUInt16LE(18) : Math.abs(head.readInt32LE(18))
  const height = core ? head.readUInt16LE(20) : Math.abs(head.readInt32LE(22))
  const bits = head.readUInt16LE(core ? 24 : 28)
  const compression = core ? 0 : head.readUInt32LE(30)
  const packed = compression === 1 || compression === 2 || compression > 3
  const sizeBytes = packed ? head.readUInt32LE(34) : Math.ceil((width * bits) / 32) * 4 * height
  const end = start + sizeBytes
  if (end > source.sizeBytes) throw truncated(source, `BMP of ${end} bytes by its header`)
  return wholeUpTo(source, end)
}

/** Checks that an SVG closes its root element. */
export async function checkSvgStructure(source: ByteSource): Promise<StructureReport> {
  const tail = await source.read(Math.max(0, source.sizeBytes - 4096), 4096)
  const text = tail.toString('utf8')
  if (!/<\/(?:\w+:)?svg\s*>|<svg[^>]*\/>/i.test(text)) throw truncated(source, 'SVG without its closing tag')
  if (text.includes('\0')) throw damaged(source, 'SVG with zero bytes')
  return wholeUpTo(source, source.sizeBytes)
}

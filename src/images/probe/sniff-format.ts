import { asBuffer } from '../bytes/byte-source.ts'
import type { ImageFormat } from '../image-facts.ts'

const avifBrands = new Set(['avif', 'avis'])
const heicBrands = new Set(['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis', 'mif1', 'msf1'])

/** The format by the first bytes (4 KiB are always enough); undefined when it is none we know. */
export function sniffFormat(head: Uint8Array): ImageFormat | undefined {
  const b = asBuffer(head)
  if (b[0] === 0xff && b[1] === 0xd8 && b[2] === 0xff) return 'jpeg'
  if (startsWith(b, 0, '\x89PNG\r\n\x1a\n')) return 'png'
  if (startsWith(b, 0, 'GIF87a') || startsWith(b, 0, 'GIF89a')) return 'gif'
  if (startsWith(b, 0, 'RIFF') && startsWith(b, 8, 'WEBP')) return 'webp'
  if (startsWith(b, 0, 'II*\0') || startsWith(b, 0, 'MM\0*')) return 'tiff'
  if (startsWith(b, 0, 'II+\0\x08\0\0\0') || startsWith(b, 0, 'MM\0+\0\x08\0\0')) return 'tiff'
  if (startsWith(b, 0, '\0\0\0\x0cjP  \r\n\x87\n')) return 'jp2'
  if (startsWith(b, 0, '\xff\x4f\xff\x51')) return 'jp2'
  if (startsWith(b, 0, '\0\0\0\x0cJXL \r\n\x87\n') || startsWith(b, 0, '\xff\x0a')) return 'jxl'
  if (startsWith(b, 4, 'ftyp')) return heifFormat(b)
  if (startsWith(b, 0, 'BM') && isBmp(b)) return 'bmp'
  return looksLikeSvg(b) ? 'svg' : undefined
}

function startsWith(b: Buffer, offset: number, text: string): boolean {
  return b.length >= offset + text.length && b.toString('latin1', offset, offset + text.length) === text
}

function heifFormat(b: Buffer): ImageFormat | undefined {
  const end = Math.min(b.readUInt32BE(0), b.length, 256)
  let heic = false
  for (let at = 8; at + 4 <= end; at += 4) {
    // The word after the major brand is its version, not a brand.
    if (at === 12) continue
    const brand = b.toString('latin1', at, at + 4)
    if (avifBrands.has(brand)) return 'avif'
    if (heicBrands.has(brand)) heic = true
  }
  return heic ? 'heic' : undefined
}

function isBmp(b: Buffer): boolean {
  const headerBytes = b.length >= 18 ? b.readUInt32LE(14) : 0
  return headerBytes === 12 || (headerBytes >= 40 && headerBytes <= 124)
}

function looksLikeSvg(b: Buffer): boolean {
  if (b.length > 0 && b[0] !== 0x3c && b[0] !== 0xef && b[0]! > 0x20) return false
  const text = b
    .subarray(0, 4096)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
  const root = /^(?:<\?xml[^>]*\?>|<!--[^]*?-->|<!DOCTYPE\s+svg[^[>]*(?:\[[^\]]*\])?[^>]*>|\s+)*<svg[\s>/]/i
  return root.test(text)
}

import { crc32, deflateSync } from 'node:zlib'

/** Parts of a PNG that is put together around image data. */
export interface PngParts {
  readonly widthPx: number
  readonly heightPx: number
  readonly bitDepth: number
  readonly colourType: 0 | 2 | 3
  readonly palette?: Buffer
  readonly transparency?: Buffer
  readonly icc?: Buffer
  /** EXIF orientation, 2 to 8. */
  readonly orientation?: number
  /** A zlib stream of filtered rows, not interlaced. */
  readonly data: Buffer
}

/** A PNG file around data that are compressed already (W3C PNG, third edition). */
export function pngFile(parts: PngParts): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(parts.widthPx, 0)
  header.writeUInt32BE(parts.heightPx, 4)
  header[8] = parts.bitDepth
  header[9] = parts.colourType
  const chunks = [Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header)]
  if (parts.icc)
    chunks.push(chunk('iCCP', Buffer.concat([Buffer.from('icc\0\0', 'latin1'), deflateSync(parts.icc)])))
  if (parts.orientation !== undefined) chunks.push(chunk('eXIf', exifOrientation(parts.orientation)))
  if (parts.palette) chunks.push(chunk('PLTE', parts.palette))
  if (parts.transparency) chunks.push(chunk('tRNS', parts.transparency))
  chunks.push(chunk('IDAT', parts.data), chunk('IEND', Buffer.alloc(0)))
  return Buffer.concat(chunks)
}

/** Rows without filters, compressed as PNG wants them. */
export function pngData(rows: Buffer, rowBytes: number): Buffer {
  const count = Math.floor(rows.length / rowBytes)
  const filtered = Buffer.alloc(count * (rowBytes + 1))
  for (let row = 0; row < count; row++) {
    rows.copy(filtered, row * (rowBytes + 1) + 1, row * rowBytes, (row + 1) * rowBytes)
  }
  return deflateSync(filtered)
}

/** A TIFF block with an orientation and nothing else, as EXIF is stored (CIPA DC-008, 4.5.2). */
export function exifOrientation(orientation: number): Buffer {
  const out = Buffer.alloc(26)
  out.write('II*\0', 0, 'latin1')
  out.writeUInt32LE(8, 4)
  out.writeUInt16LE(1, 8)
  out.writeUInt16LE(0x112, 10)
  out.writeUInt16LE(3, 12)
  out.writeUInt32LE(1, 14)
  out.writeUInt16LE(orientation, 18)
  return out
}

function chunk(type: string, body: Buffer): Buffer {
  const out = Buffer.alloc(body.length + 12)
  out.writeUInt32BE(body.length, 0)
  out.write(type, 4, 'latin1')
  body.copy(out, 8)
  out.writeUInt32BE(crc32(out.subarray(4, body.length + 8)), body.length + 8)
  return out
}

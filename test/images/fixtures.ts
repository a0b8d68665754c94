import { crc32 } from 'node:zlib'
import sharp, { type Channels, type Sharp } from 'sharp'
import { isTrawlError } from '../../src/core/index.ts'

sharp.concurrency(1)
sharp.cache(false)

/** Size of most test pages; small, so that the suite stays fast, but large enough for several kibibytes of code. */
export const WIDTH = 420
export const HEIGHT = 630

/** A page made by arithmetic: flat areas with noise on them, the same for the same seed. */
export function noise(width: number, height: number, channels = 3, seed = 1): Buffer {
  const bytes = Buffer.alloc(width * height * channels)
  let state = seed >>> 0
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const base = (((x >> 5) + (y >> 5)) % 7) * 28
      for (let c = 0; c < channels; c++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        bytes[(y * width + x) * channels + c] = Math.min(255, base + c * 10 + ((state >>> 24) & 31))
      }
    }
  }
  return bytes
}

/** A slow ramp without noise, for comparisons that encoders must not disturb much. */
export function ramp(width: number, height: number, channels = 3): Buffer {
  const bytes = Buffer.alloc(width * height * channels)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const along = c === 0 ? x / width : c === 1 ? y / height : (x + y) / (width + height)
        bytes[(y * width + x) * channels + c] = Math.round(255 * along)
      }
    }
  }
  return bytes
}

function channelsOf(count: number): Channels {
  if (count === 1 || count === 2 || count === 3 || count === 4) return count
  throw new Error(`${count} channels`)
}

/** sharp over raw pixels. */
export function fromRaw(pixels: Buffer, width: number, height: number): Sharp {
  return sharp(pixels, { raw: { width, height, channels: channelsOf(pixels.length / (width * height)) } })
}

export function page(width = WIDTH, height = HEIGHT, channels = 3): Sharp {
  return fromRaw(noise(width, height, channels), width, height)
}

/** The raw pixels of an encoded image, without alpha, as sRGB. */
export async function pixelsOf(bytes: Uint8Array | string): Promise<Buffer> {
  return sharp(bytes).removeAlpha().toColourspace('srgb').raw().toBuffer()
}

/** Mean difference of two buffers of the same length. */
export function meanDifference(a: Buffer, b: Buffer): number {
  if (a.length !== b.length) throw new Error(`lengths differ: ${a.length} and ${b.length}`)
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i]! - b[i]!)
  return sum / a.length
}

/** Frames one above the other, as sharp wants animations. */
export function animation(frames = 5, width = 120, height = 90): Sharp {
  const pixels = Buffer.concat(Array.from({ length: frames }, (_, i) => noise(width, height, 3, i + 1)))
  return sharp(pixels, { raw: { width, height: height * frames, channels: 3, pageHeight: height } })
}

export function cut(bytes: Buffer, count: number): Buffer {
  return bytes.subarray(0, bytes.length - count)
}

/** Zeros instead of what was there: what an unwritten part of a file reads as. */
export function hole(bytes: Buffer, length = 4096, at = 0.5): Buffer {
  const copy = Buffer.from(bytes)
  const start = Math.floor(bytes.length * at)
  return copy.fill(0, start, Math.min(bytes.length, start + length))
}

/** Other noise instead of what was there. */
export function scribble(bytes: Buffer, length = 4096, at = 0.5): Buffer {
  const copy = Buffer.from(bytes)
  const start = Math.floor(bytes.length * at)
  // No 0xFF, so that no marker comes up by chance.
  for (let i = start; i < Math.min(copy.length - 2, start + length); i++) copy[i] = ((i * 7919) >> 3) & 0xfe
  return copy
}

export function flipBit(bytes: Buffer, at = 0.5): Buffer {
  const copy = Buffer.from(bytes)
  const place = Math.floor(bytes.length * at)
  copy[place] = copy[place]! ^ 1
  return copy
}

export function isoBox(type: string, ...content: (Buffer | readonly number[])[]): Buffer {
  const body = Buffer.concat(content.map((part) => Buffer.from(part)))
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, body])
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

/** A JPEG 2000 codestream with a right header and one tile part of noise: enough for everything but pixels. */
export function jpeg2000Stream(width: number, height: number, components = 3, tileBytes = 3000): Buffer {
  const siz = Buffer.concat([
    u16(0),
    ...[width + 8, height + 8, 8, 8, width + 8, height + 8, 0, 0].map(u32),
    u16(components),
    ...Array.from({ length: components }, () => Buffer.from([7, 1, 1])),
  ])
  const coding = Buffer.from([0, 0, 0, 1, 1, 5, 4, 4, 0, 1])
  const data = noise(tileBytes, 1, 1).map((byte) => byte & 0x7f)
  return Buffer.concat([
    u16(0xff4f),
    u16(0xff51),
    u16(siz.length + 2),
    siz,
    u16(0xff52),
    u16(coding.length + 2),
    coding,
    u16(0xff90),
    u16(10),
    u16(0),
    u32(data.length + 14),
    Buffer.from([0, 1]),
    u16(0xff93),
    data,
    u16(0xffd9),
  ])
}

/** A JP2 file around such a codestream. */
export function jp2(width: number, height: number, components = 3): Buffer {
  const ihdr = isoBox('ihdr', u32(height), u32(width), u16(components), [7, 7, 0, 0])
  const colr = isoBox('colr', [1, 0, 0], u32(components === 1 ? 17 : 16))
  // 300 dots an inch are 11811 a metre: 11811/1 x 10^0.
  const res = isoBox('res ', isoBox('resc', u16(11811), u16(1), u16(11811), u16(1), [0, 0]))
  return Buffer.concat([
    isoBox('jP  ', [13, 10, 0x87, 10]),
    isoBox('ftyp', Buffer.from('jp2 '), u32(0), Buffer.from('jp2 ')),
    isoBox('jp2h', ihdr, colr, res),
    isoBox('jp2c', jpeg2000Stream(width, height, components)),
  ])
}

/** A HEIC header, with a rotation by 90 degrees if wanted, and an empty `mdat`. */
export function heic(width: number, height: number, quarterTurns = 0): Buffer {
  const ispe = isoBox('ispe', u32(0), u32(width), u32(height))
  const pixi = isoBox('pixi', u32(0), [3, 8, 8, 8])
  const irot = isoBox('irot', [quarterTurns])
  const ipma = isoBox('ipma', u32(0), u32(1), u16(1), [3, 0x81, 0x02, 0x83])
  const meta = isoBox(
    'meta',
    u32(0),
    isoBox('pitm', u32(0), u16(1)),
    isoBox('iprp', isoBox('ipco', ispe, pixi, irot), ipma),
  )
  const ftyp = isoBox('ftyp', Buffer.from('heic'), u32(0), Buffer.from('mif1heic'))
  return Buffer.concat([ftyp, meta, isoBox('mdat', noise(500, 1, 1))])
}

/** An uncompressed 24-bit bitmap. */
export function bmp(width: number, height: number): Buffer {
  const row = Math.ceil((width * 3) / 4) * 4
  const head = Buffer.alloc(54)
  head.write('BM', 'latin1')
  head.writeUInt32LE(54 + row * height, 2)
  head.writeUInt32LE(54, 10)
  head.writeUInt32LE(40, 14)
  head.writeInt32LE(width, 18)
  head.writeInt32LE(-height, 22)
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  head.writeUInt32LE(11811, 38)
  head.writeUInt32LE(11811, 42)
  return Buffer.concat([head, noise(row, height, 1)])
}

/** The header of a bare JPEG XL stream: any size, 8 bits, all defaults; no picture behind it. */
export function jxlHeader(width: number, height: number): Buffer {
  const bits: number[] = []
  const put = (value: number, count: number): void => {
    for (let i = 0; i < count; i++) bits.push((value >> i) & 1)
  }
  put(0, 1)
  put(2, 2)
  put(height - 1, 18)
  put(0, 3)
  put(2, 2)
  put(width - 1, 18)
  put(1, 1)
  const bytes = Buffer.alloc(Math.ceil(bits.length / 8) + 4)
  for (const [i, bit] of bits.entries()) bytes[i >> 3] = bytes[i >> 3]! | (bit << (i & 7))
  return Buffer.concat([Buffer.from([0xff, 0x0a]), bytes])
}

/** Puts a JPEG segment behind SOI. */
export function withSegment(jpeg: Buffer, marker: number, data: Buffer): Buffer {
  return Buffer.concat([
    jpeg.subarray(0, 2),
    Buffer.from([0xff, marker]),
    u16(data.length + 2),
    data,
    jpeg.subarray(2),
  ])
}

/** A PNG with an EXIF chunk that says how it is turned. */
export function turnedPng(png: Buffer, orientation: number): Buffer {
  const exif = Buffer.from('eXIfMM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\0\0\0\0\0\0\0', 'latin1')
  exif[4 + 19] = orientation
  return Buffer.concat([png.subarray(0, 33), u32(exif.length - 4), exif, u32(crc32(exif)), png.subarray(33)])
}

/** Error code of a promise that must fail. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'passed'
  } catch (error) {
    return isTrawlError(error) ? error.code : String(error)
  }
}

/** Makes all files of a table at once; the getter throws for names that are not in it. */
export async function makeFiles(
  makers: Readonly<Record<string, () => Promise<Buffer>>>,
): Promise<(name: string) => Buffer> {
  const made = new Map<string, Buffer>()
  await Promise.all(
    Object.entries(makers).map(async ([name, make]) => {
      made.set(name, await make())
    }),
  )
  return (name) => {
    const bytes = made.get(name)
    if (!bytes) throw new Error(`no file ${name}`)
    return bytes
  }
}

/** Repeats the first directory of a little-endian TIFF at its end, linked to one another. */
export function chainTiff(tiff: Buffer, count: number): Buffer {
  const first = tiff.readUInt32LE(4)
  const fields = tiff.readUInt16LE(first)
  const directory = tiff.subarray(first, first + 2 + fields * 12)
  let out = Buffer.from(tiff)
  let link = first + directory.length
  for (let i = 1; i < count; i++) {
    const gap = Buffer.alloc(200_000 + (out.length & 1))
    out.writeUInt32LE(out.length + gap.length, link)
    link = out.length + gap.length + directory.length
    out = Buffer.concat([out, gap, directory, Buffer.alloc(4)])
  }
  return out
}

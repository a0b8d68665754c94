import { asBuffer } from '../bytes/byte-source.ts'
import { HeaderBytes, OutOfBytes } from '../bytes/header-bytes.ts'
import { loadSharp } from '../decode/load-sharp.ts'
import { findExif } from '../probe/probe-image.ts'
import { sniffFormat } from '../probe/sniff-format.ts'
import { exifTags, subdirectories } from './exif-tags.ts'
import {
  fieldNumbers,
  openTiffBlock,
  readDirectory,
  type TiffBlock,
  type TiffField,
} from './tiff-directory.ts'

const MAX_ITEMS = 64
const MAX_TEXT = 1000
const ASCII = 2
const UNDEFINED = 7
const RATIONAL = 5
const SIGNED_RATIONAL = 10
/** Text in UTF-16, little-endian, as Windows writes it. */
const firstXpTag = 40091
const lastXpTag = 40095
const USER_COMMENT = 37510

/**
 * The common EXIF fields of an image as JSON text, for a column of a dataset: names as exifread and img2dataset write
 * them (`Image Make`, `EXIF FNumber`, `GPS GPSLatitude`), values as text, fractions reduced, lists as `[1, 2]`. Unlike
 * there, numbers that stand for a word stay numbers. `{}` when there is nothing; never throws for what is broken.
 */
export async function exifJson(bytes: Uint8Array): Promise<string> {
  const fields = readExif(await exifBlock(asBuffer(bytes)))
  return JSON.stringify(Object.fromEntries(fields))
}

async function exifBlock(bytes: Buffer): Promise<Buffer | undefined> {
  const format = sniffFormat(bytes)
  if (format === 'avif') {
    // Here the block is an item of the container; libheif finds it.
    const sharp = await loadSharp()
    const meta = await sharp(bytes)
      .metadata()
      .catch(() => undefined)
    const block = meta?.exif
    return block?.toString('latin1', 0, 4) === 'Exif' ? block.subarray(6) : block
  }
  const offset = findExif(new HeaderBytes(bytes, bytes.length))
  return offset === undefined ? undefined : bytes.subarray(offset)
}

function readExif(block: Buffer | undefined): Map<string, string> {
  const out = new Map<string, string>()
  if (!block) return out
  try {
    const tiff = openTiffBlock(new HeaderBytes(block, block.length), 0)
    if (tiff) readInto(out, tiff, tiff.first, 'Image')
  } catch (error) {
    // What was read before the broken place still counts.
    if (!(error instanceof OutOfBytes)) throw error
  }
  return out
}

function readInto(
  out: Map<string, string>,
  block: TiffBlock,
  offset: number,
  directory: keyof typeof exifTags,
): void {
  for (const field of readDirectory(block, offset).fields) {
    const sub = directory === 'GPS' ? undefined : subdirectories[field.tag]
    if (sub !== undefined && sub !== directory) {
      const place = fieldNumbers(block, field)[0]
      // A broken field may be of a type that is no place at all, such as a fraction.
      if (place !== undefined && Number.isSafeInteger(place) && place > 0)
        tryRead(() => readInto(out, block, place, sub))
      continue
    }
    const name = exifTags[directory][field.tag]
    if (name === undefined) continue
    tryRead(() => {
      const value = fieldText(block, field)
      if (value !== '') out.set(`${directory} ${name}`, value)
    })
  }
}

/** One broken value or directory must not hide the others. */
function tryRead(read: () => void): void {
  try {
    read()
  } catch (error) {
    if (!(error instanceof OutOfBytes)) throw error
  }
}

function fieldText(block: TiffBlock, field: TiffField): string {
  const { bytes } = block
  if (field.tag >= firstXpTag && field.tag <= lastXpTag) {
    return clean(bytes.slice(field.offset, Math.min(field.sizeBytes, MAX_TEXT)).toString('utf16le'))
  }
  if (field.type === ASCII) return textAt(block, field)
  if (field.type === UNDEFINED) return undefinedText(block, field)
  const values =
    field.type === RATIONAL || field.type === SIGNED_RATIONAL
      ? fractions(block, field)
      : fieldNumbers(block, field, MAX_ITEMS).map(String)
  return values.length === 1 ? (values[0] ?? '') : values.length === 0 ? '' : `[${values.join(', ')}]`
}

function textAt({ bytes }: TiffBlock, field: TiffField): string {
  return clean(bytes.slice(field.offset, Math.min(field.sizeBytes, MAX_TEXT)).toString('utf8'))
}

/** Versions are text; a user comment starts with eight bytes that name its code; other bytes are a list. */
function undefinedText(block: TiffBlock, field: TiffField): string {
  const raw = block.bytes.slice(field.offset, Math.min(field.sizeBytes, MAX_TEXT))
  if (field.tag === USER_COMMENT) {
    const wide = raw.toString('latin1', 0, 7) === 'UNICODE'
    const body = raw.subarray(8)
    const swapped =
      wide && !block.littleEndian ? Buffer.from(body.subarray(0, body.length & ~1)).swap16() : body
    return clean(swapped.toString(wide ? 'utf16le' : 'utf8'))
  }
  if (raw.every((byte) => byte >= 0x20 && byte < 0x7f)) return clean(raw.toString('latin1'))
  const values = [...raw.subarray(0, MAX_ITEMS)]
  return values.length === 1 ? String(values[0]) : `[${values.join(', ')}]`
}

function fractions({ bytes, littleEndian: le }: TiffBlock, field: TiffField): string[] {
  const out: string[] = []
  for (let i = 0; i < Math.min(field.count, MAX_ITEMS); i++) {
    const at = field.offset + i * 8
    const signed = field.type === SIGNED_RATIONAL
    const above = signed ? bytes.u32(at, le) | 0 : bytes.u32(at, le)
    const below = signed ? bytes.u32(at + 4, le) | 0 : bytes.u32(at + 4, le)
    const common = below === 0 ? 1 : gcd(Math.abs(above), Math.abs(below))
    out.push(below / common === 1 ? String(above / common) : `${above / common}/${below / common}`)
  }
  return out
}

function gcd(a: number, b: number): number {
  return b === 0 ? Math.max(1, a) : gcd(b, a % b)
}

/** Text up to its end mark, without characters that JSON readers and terminals stumble over. */
function clean(text: string): string {
  const end = text.indexOf('\0')
  return (end < 0 ? text : text.slice(0, end)).replaceAll(/[\p{Cc}\uFFFD]/gu, '').trim()
}

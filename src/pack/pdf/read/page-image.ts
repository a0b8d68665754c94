import { TrawlError } from '../../../core/index.ts'
import { imageInMemory, readJpegHeader } from '../../image-bytes/index.ts'
import { joinAlpha } from '../../raster/index.ts'
import type { PdfDocument, PdfFilter, PdfStream } from './pdf-document.ts'
import { g4Tiff } from './g4-tiff.ts'
import { nameOf, type PdfObject } from './pdf-object.ts'
import { exifOrientation, pngData, pngFile, type PngParts } from './png-file.ts'

/** File name extension of the image that a stream becomes. */
export function imageExtension(document: PdfDocument, stream: PdfStream): string {
  const last = document.filters(stream).at(-1)?.name
  if (stream.dict.has('SMask')) return '.png'
  return { DCTDecode: '.jpg', JPXDecode: '.jp2', CCITTFaxDecode: '.tif' }[last ?? ''] ?? '.png'
}

/**
 * An image of a PDF as a file: JPEG and JPEG 2000 as they are, Flate as PNG around the same compressed data where
 * its predictors allow, Group 4 as TIFF. Throws ERR_PACK_UNSUPPORTED for other filters and colours.
 */
export async function imageFile(
  document: PdfDocument,
  stream: PdfStream,
  orientation: number,
): Promise<Buffer> {
  const mask = document.stream(stream.dict.get('SMask'))
  const image = plainImage(document, stream, orientation)
  return mask ? await joinAlpha(image, plainImage(document, mask, 1)) : image
}

function plainImage(document: PdfDocument, stream: PdfStream, orientation: number): Buffer {
  const filters = document.filters(stream)
  const last = filters.at(-1)
  const coded = filters
    .slice(0, -1)
    .reduce((bytes, filter) => document.undo(bytes, filter), document.raw(stream))
  if (last?.name === 'DCTDecode') return turnedJpeg(coded, orientation)
  if (last?.name === 'JPXDecode') return coded
  if (last?.name === 'CCITTFaxDecode') return faxImage(document, stream, last, coded)
  if (last === undefined || last.name === 'FlateDecode')
    return flateImage(document, stream, { last, coded, orientation })
  throw unsupported(document, `images with the filter ${last.name}`)
}

/** Where the page turns the image and the file does not say so itself, an EXIF segment is put in. */
function turnedJpeg(bytes: Buffer, orientation: number): Buffer {
  if (orientation === 1 || readJpegHeader(imageInMemory('a page', bytes)).orientation !== undefined)
    return bytes
  const body = Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), exifOrientation(orientation)])
  const head = Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, body.length + 2])
  return Buffer.concat([head, body, bytes.subarray(2)])
}

function faxImage(document: PdfDocument, stream: PdfStream, filter: PdfFilter, data: Buffer): Buffer {
  const k = document.number(filter.parms.get('K')) ?? 0
  if (k >= 0 || filter.parms.get('EncodedByteAlign') === true)
    throw unsupported(document, 'this kind of fax images')
  const { widthPx, heightPx } = sizeOf(document, stream)
  return g4Tiff(data, widthPx, heightPx, document.resolve(filter.parms.get('BlackIs1')) === true)
}

interface FlateParts {
  readonly last: PdfFilter | undefined
  readonly coded: Buffer
  readonly orientation: number
}

function flateImage(
  document: PdfDocument,
  stream: PdfStream,
  { last, coded, orientation }: FlateParts,
): Buffer {
  const { widthPx, heightPx } = sizeOf(document, stream)
  const bitDepth = document.number(stream.dict.get('BitsPerComponent')) ?? 8
  const colour = coloursOf(document, stream)
  const samples = colour.colourType === 2 ? 3 : 1
  checkDecode(document, stream, colour.colourType === 3 ? 2 ** bitDepth - 1 : 1)
  const parms = last ? document.predictor(last.parms) : undefined
  const asPng =
    parms &&
    parms.predictor >= 10 &&
    parms.colors === samples &&
    parms.bitsPerComponent === bitDepth &&
    parms.columns === widthPx
  const rowBytes = Math.ceil((widthPx * samples * bitDepth) / 8)
  const data = asPng ? coded : pngData(last ? document.undo(coded, last) : coded, rowBytes)
  const transparency = colourKey(document, stream, samples)
  return pngFile({
    widthPx,
    heightPx,
    bitDepth,
    ...colour,
    ...(transparency ? { transparency } : {}),
    ...(orientation === 1 ? {} : { orientation }),
    data,
  })
}

function coloursOf(
  document: PdfDocument,
  stream: PdfStream,
): Pick<PngParts, 'colourType' | 'palette' | 'icc'> {
  if (stream.dict.get('ImageMask') === true) throw unsupported(document, 'stencil masks')
  const space = document.resolve(stream.dict.get('ColorSpace'))
  const [family, second, last, table] = Array.isArray(space) ? space : [space]
  const name = nameOf(document.resolve(family))
  if (name === 'DeviceGray' || name === 'CalGray') return { colourType: 0 }
  if (name === 'DeviceRGB' || name === 'CalRGB') return { colourType: 2 }
  if (name === 'ICCBased') return profileColours(document, second)
  if (name === 'Indexed' && isRgb(document, second)) {
    const entries = ((document.number(last) ?? 0) + 1) * 3
    const lookup = document.stream(table)
    const value = document.resolve(table)
    const bytes = lookup ? document.decoded(lookup) : Buffer.isBuffer(value) ? value : undefined
    if (bytes && bytes.length >= entries) return { colourType: 3, palette: bytes.subarray(0, entries) }
  }
  throw unsupported(document, `images in the colour space ${name ?? 'that it has'}`)
}

function profileColours(
  document: PdfDocument,
  ref: PdfObject | undefined,
): Pick<PngParts, 'colourType' | 'icc'> {
  const profile = document.stream(ref)
  const components = document.number(profile?.dict.get('N'))
  if (!profile || (components !== 1 && components !== 3))
    throw unsupported(document, 'images in these colours')
  return { colourType: components === 1 ? 0 : 2, icc: document.decoded(profile) }
}

function isRgb(document: PdfDocument, base: PdfObject | undefined): boolean {
  const space = document.resolve(base)
  if (nameOf(space) === 'DeviceRGB') return true
  const [family, profile] = Array.isArray(space) ? space : []
  if (nameOf(family) === 'CalRGB') return true
  return nameOf(family) === 'ICCBased' && document.number(document.stream(profile)?.dict.get('N')) === 3
}

/** A colour key that names one colour is a tRNS chunk. */
function colourKey(document: PdfDocument, stream: PdfStream, samples: number): Buffer | undefined {
  const mask = document.resolve(stream.dict.get('Mask'))
  if (mask === null || stream.dict.has('SMask')) return undefined
  const values = Array.isArray(mask) ? mask.map(Number) : []
  const out = Buffer.alloc(samples * 2)
  for (let i = 0; i < samples; i++) {
    const value = values[i * 2]
    if (value === undefined || value !== values[i * 2 + 1]) throw unsupported(document, 'this kind of mask')
    out.writeUInt16BE(value, i * 2)
  }
  return out
}

function checkDecode(document: PdfDocument, stream: PdfStream, high: number): void {
  const decode = document.resolve(stream.dict.get('Decode'))
  if (!Array.isArray(decode)) return
  const plain = decode.every((value, i) => Number(document.resolve(value)) === (i % 2 === 0 ? 0 : high))
  if (!plain) throw unsupported(document, 'images with turned or stretched colours')
}

function sizeOf(document: PdfDocument, stream: PdfStream): { widthPx: number; heightPx: number } {
  const widthPx = document.number(stream.dict.get('Width')) ?? 0
  const heightPx = document.number(stream.dict.get('Height')) ?? 0
  if (widthPx <= 0 || heightPx <= 0) throw document.file.damaged(stream.offset, 'an image has no size')
  return { widthPx, heightPx }
}

function unsupported(document: PdfDocument, what: string): TrawlError {
  return new TrawlError('ERR_PACK_UNSUPPORTED', `${document.file.path}: PDF: ${what} cannot be taken out`)
}

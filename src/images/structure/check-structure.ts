import { TrawlError } from '../../core/index.ts'
import { openByteSource, type ByteSource } from '../bytes/byte-source.ts'
import type { ImageFormat } from '../image-facts.ts'
import { sniffFormat } from '../probe/sniff-format.ts'
import { checkBoxStructure } from './box-structure.ts'
import { checkGifStructure } from './gif-structure.ts'
import { checkJpegStructure } from './jpeg-structure.ts'
import { checkBmpStructure, checkSvgStructure } from './plain-structure.ts'
import { checkPngStructure } from './png-structure.ts'
import type { StructureCheck, StructureReport } from './structure-report.ts'
import { checkTiffStructure } from './tiff-structure.ts'
import { checkWebpStructure } from './webp-structure.ts'

const checks: Readonly<Record<ImageFormat, StructureCheck>> = {
  jpeg: checkJpegStructure,
  png: checkPngStructure,
  webp: checkWebpStructure,
  gif: checkGifStructure,
  tiff: checkTiffStructure,
  avif: checkBoxStructure,
  heic: checkBoxStructure,
  jp2: checkBoxStructure,
  jxl: checkBoxStructure,
  bmp: checkBmpStructure,
  svg: checkSvgStructure,
}

/**
 * Reads an image to its end without decoding and checks what its format lets one check: end markers, box and chunk
 * lengths, CRCs, offsets. Memory is at most 1 MiB for a file. Throws ERR_IMAGE_TRUNCATED, ERR_IMAGE_DAMAGED, and
 * ERR_IMAGE_NOT_IMAGE when the format is not known.
 */
export async function checkStructure(source: string | Uint8Array): Promise<StructureReport> {
  const bytes = await openByteSource(source)
  try {
    const format = sniffFormat(await bytes.read(0, 4096))
    if (!format) throw new TrawlError('ERR_IMAGE_NOT_IMAGE', `${bytes.name}: not an image format trawl knows`)
    return await checkStructureOf(bytes, format)
  } finally {
    await bytes.close()
  }
}

/** The same for an open source whose format is known. */
export function checkStructureOf(source: ByteSource, format: ImageFormat): Promise<StructureReport> {
  return checks[format](source, format)
}

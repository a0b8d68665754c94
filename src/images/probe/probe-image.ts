import { asBuffer, openByteSource, readLasting, type ByteSource } from '../bytes/byte-source.ts'
import { HeaderBytes, OutOfBytes } from '../bytes/header-bytes.ts'
import type { ImageFacts, ImageFormat } from '../image-facts.ts'
import { probeBmp } from './bmp.ts'
import { newDraft, type FactsDraft, type Probe } from './facts-draft.ts'
import { probeGif } from './gif.ts'
import { probeHeif } from './heif.ts'
import { probeJp2 } from './jp2.ts'
import { probeJpeg } from './jpeg.ts'
import { probeJxl } from './jxl.ts'
import { probePng } from './png.ts'
import { sniffFormat } from './sniff-format.ts'
import { probeSvg } from './svg.ts'
import { probeTiff } from './tiff.ts'
import { probeWebp } from './webp.ts'

const HEAD_BYTES = 64 << 10
const MAX_ROUNDS = 256
const MAX_LOADED_BYTES = 16 << 20

const probes: Readonly<Record<ImageFormat, Probe>> = {
  jpeg: probeJpeg,
  png: probePng,
  webp: probeWebp,
  gif: probeGif,
  avif: probeHeif,
  heic: probeHeif,
  tiff: probeTiff,
  jp2: probeJp2,
  jxl: probeJxl,
  svg: probeSvg,
  bmp: probeBmp,
}

/**
 * What the header of an image says, from its first bytes; nothing is decoded. `sizeBytes` is the length of the
 * whole file where only its head is given. Undefined for anything whose format or size cannot be read; never
 * throws, whatever the bytes are.
 */
export function probeImage(head: Uint8Array, sizeBytes = head.length): ImageFacts | undefined {
  const format = sniffFormat(head)
  if (!format) return undefined
  const bytes = new HeaderBytes(asBuffer(head), Math.max(sizeBytes, head.length))
  return finish(format, runProbe(format, bytes).draft, bytes.sizeBytes)
}

/**
 * The same for a file: reads its head, and further places where the header points there (16 MiB at most).
 * Throws only what opening and reading the file throws.
 */
export async function probeImageFile(path: string): Promise<ImageFacts | undefined> {
  const source = await openByteSource(path)
  try {
    return await probeSource(source)
  } finally {
    await source.close()
  }
}

/** The same for an open source. */
export async function probeSource(source: ByteSource): Promise<ImageFacts | undefined> {
  const { sizeBytes } = source
  const read = (offset: number, length: number): Promise<Buffer> => readLasting(source, offset, length)
  const head = await read(0, HEAD_BYTES)
  const format = sniffFormat(head)
  if (!format) return undefined
  const bytes = new HeaderBytes(head, sizeBytes)
  let loaded = head.length
  let last = { end: head.length, length: 4096 }
  for (let round = 0; ; round++) {
    const { draft, missing } = runProbe(format, bytes)
    if (!missing || round === MAX_ROUNDS || loaded > MAX_LOADED_BYTES) return finish(format, draft, sizeBytes)
    // Each round starts again, so a format that is read in one piece gets pieces that grow.
    const onwards = Math.abs(missing.offset - last.end) < 4096
    const length = Math.max(missing.length, onwards ? Math.min(last.length * 2, 1 << 20) : 4096)
    const part = await read(missing.offset, length)
    if (part.length < missing.length) return finish(format, draft, sizeBytes)
    bytes.addWindow({ offset: missing.offset, bytes: part })
    loaded += part.length
    last = { end: missing.offset + part.length, length }
  }
}

/** Where the EXIF block of an image lies that is wholly in memory, where its format keeps it in the open. */
export function findExif(bytes: HeaderBytes): number | undefined {
  const format = sniffFormat(bytes.from(0))
  return format && runProbe(format, bytes).draft.exifOffset
}

function runProbe(format: ImageFormat, bytes: HeaderBytes): { draft: FactsDraft; missing?: OutOfBytes } {
  const draft = newDraft()
  try {
    probes[format](bytes, draft)
    return { draft }
  } catch (error) {
    if (!(error instanceof OutOfBytes)) throw error
    return error.beyondEnd ? { draft } : { draft, missing: error }
  }
}

function finish(format: ImageFormat, draft: FactsDraft, sizeBytes: number): ImageFacts | undefined {
  const { exifOffset: _, ...facts } = draft
  if (!isSide(facts.widthPx) || !isSide(facts.heightPx) || !(facts.channels >= 1)) return undefined
  return { format, ...facts, sizeBytes }
}

function isSide(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 0xffff_ffff
}

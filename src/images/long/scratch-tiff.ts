import { open, rm, type FileHandle } from 'node:fs/promises'
import type { RawImage } from '../transform/raw-image.ts'

const ROWS_PER_STRIP = 64
const SHORT = 3
const LONG = 4

/**
 * An uncompressed TIFF that is written row by row, so that an image larger than memory can be handed to the encoder as
 * a file (TIFF 6.0, sections 2, 4 and 6). Its size is fixed when it is made; at most 4 GB.
 */
export interface ScratchTiff {
  readonly path: string
  /** Adds rows below those that are there; width and channels must be those of the file. */
  append(image: RawImage): Promise<void>
  close(): Promise<void>
  /** Closes and removes the file; safe after anything. */
  remove(): Promise<void>
}

/** Makes the file with its directory in front. Throws what the file system throws. */
export async function createScratchTiff(
  path: string,
  size: { readonly widthPx: number; readonly heightPx: number; readonly channels: 1 | 3 },
): Promise<ScratchTiff> {
  const handle: FileHandle = await open(path, 'w')
  const header = tiffHeader(size)
  await handle.write(header, 0, header.length, 0)
  let at = header.length
  let open_ = true
  const close = async (): Promise<void> => {
    if (!open_) return
    open_ = false
    await handle.close()
  }
  return {
    path,
    async append(image) {
      await handle.write(image.pixels, 0, image.pixels.length, at)
      at += image.pixels.length
    },
    close,
    async remove() {
      await close().catch(() => undefined)
      await rm(path, { force: true })
    },
  }
}

function tiffHeader(size: {
  readonly widthPx: number
  readonly heightPx: number
  readonly channels: number
}): Buffer {
  const { widthPx, heightPx, channels } = size
  const strips = Math.ceil(heightPx / ROWS_PER_STRIP)
  const rowBytes = widthPx * channels
  const fields = 10
  const directoryBytes = 2 + fields * 12 + 4
  const depths = 8 + directoryBytes
  const offsets = depths + 8
  const counts = offsets + strips * 4
  const pixels = counts + strips * 4
  const header = Buffer.alloc(pixels)
  header.write('II*\0', 'latin1')
  header.writeUInt32LE(8, 4)
  header.writeUInt16LE(fields, 8)
  let at = 10
  const field = (tag: number, type: number, count: number, value: number): void => {
    header.writeUInt16LE(tag, at)
    header.writeUInt16LE(type, at + 2)
    header.writeUInt32LE(count, at + 4)
    header.writeUInt32LE(value, at + 8)
    at += 12
  }
  // One value of four bytes or less stands in the field itself.
  field(256, LONG, 1, widthPx)
  field(257, LONG, 1, heightPx)
  field(258, SHORT, channels, channels === 1 ? 8 : depths)
  field(259, SHORT, 1, 1)
  field(262, SHORT, 1, channels === 1 ? 1 : 2)
  field(273, LONG, strips, strips === 1 ? pixels : offsets)
  field(277, SHORT, 1, channels)
  field(278, LONG, 1, ROWS_PER_STRIP)
  field(279, LONG, strips, strips === 1 ? rowBytes * heightPx : counts)
  field(284, SHORT, 1, 1)
  for (let i = 0; i < channels; i++) header.writeUInt16LE(8, depths + i * 2)
  for (let i = 0; i < strips; i++) {
    const rows = Math.min(ROWS_PER_STRIP, heightPx - i * ROWS_PER_STRIP)
    header.writeUInt32LE(pixels + i * ROWS_PER_STRIP * rowBytes, offsets + i * 4)
    header.writeUInt32LE(rows * rowBytes, counts + i * 4)
  }
  return header
}

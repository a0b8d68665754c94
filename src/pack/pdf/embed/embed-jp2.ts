import { TrawlError } from '../../../core/index.ts'
import type { ImageBytes, Jp2Header } from '../../image-bytes/index.ts'
import type { ImagePlan } from './image-plan.ts'

/**
 * A JPEG 2000 image, its bytes copied (ISO 32000-1, 7.4.9). Files say their colours themselves. PDF wants files: a
 * bare codestream gets the boxes of one before it. Throws ERR_PACK_UNSUPPORTED for what PDF/A-2 does not allow, and
 * for a bare codestream whose colours cannot be told.
 */
export function planJp2(image: ImageBytes, jp2: Jp2Header, pdfA: boolean): ImagePlan {
  if (pdfA) checkArchival(image, jp2)
  const alpha = jp2.alpha === 'none' ? '' : ` /SMaskInData ${jp2.alpha === 'straight' ? 1 : 2}`
  const codestream = image.part(0, image.sizeBytes)
  return {
    widthPx: jp2.widthPx,
    heightPx: jp2.heightPx,
    colour: { space: 'none' },
    entries: `/Filter /JPXDecode${alpha}`,
    data: jp2.bare ? [jp2Boxes(image, jp2), codestream] : [codestream],
    verbatim: !jp2.bare,
  }
}

/** What stands before the codestream in a JP2 file (ISO/IEC 15444-1, annex I). */
function jp2Boxes(image: ImageBytes, jp2: Jp2Header): Buffer {
  const colours = { 1: 17, 3: 16, 4: 12 }[jp2.components]
  if (colours === undefined) {
    throw refused(image, `a codestream of ${jp2.components} components does not say its colours`)
  }
  const same = new Set(jp2.precisions).size === 1
  const ihdr = Buffer.alloc(14)
  ihdr.writeUInt32BE(jp2.heightPx, 0)
  ihdr.writeUInt32BE(jp2.widthPx, 4)
  ihdr.writeUInt16BE(jp2.components, 8)
  ihdr[10] = same ? (jp2.precisions[0] ?? 7) : 255
  ihdr[11] = 7
  const header = [box('ihdr', ihdr)]
  if (!same) header.push(box('bpcc', Buffer.from(jp2.precisions)))
  header.push(box('colr', Buffer.from([1, 0, 0, 0, 0, 0, colours])))
  return Buffer.concat([
    box('jP  ', Buffer.from([13, 10, 0x87, 10])),
    box('ftyp', Buffer.from('jp2 \0\0\0\0jp2 ', 'latin1')),
    box('jp2h', Buffer.concat(header)),
    // A length of 0: up to the end of the file.
    Buffer.from('\0\0\0\0jp2c', 'latin1'),
  ])
}

function box(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8)
  head.write(type, 4, 'latin1')
  return Buffer.concat([head, body])
}

/** ISO 19005-2, 6.2.8.3. */
function checkArchival(image: ImageBytes, jp2: Jp2Header): void {
  const channels = jp2.components - (jp2.alpha === 'none' ? 0 : 1)
  if (!jp2.palette && ![1, 3, 4].includes(channels)) {
    throw refused(image, `PDF/A-2 allows 1, 3 or 4 colour channels, not ${channels}`)
  }
  if (new Set(jp2.precisions).size > 1) throw refused(image, 'PDF/A-2 wants one bit depth in all channels')
  if (jp2.precisions.some((precision) => (precision & 0x7f) >= 38))
    throw refused(image, 'PDF/A-2 allows at most 38 bits')
  const best = jp2.colours.filter((colour) => colour.approximation === 1)
  if (jp2.colours.length > 1 && best.length !== 1) {
    throw refused(image, 'PDF/A-2 wants exactly one exact colour specification')
  }
  if (jp2.bare) return
  const used = best[0] ?? jp2.colours[0]
  if (!used || used.method < 1 || used.method > 3 || used.enumerated === 19 || used.enumerated === 12) {
    throw refused(image, 'PDF/A-2 does not allow its colour specification')
  }
}

function refused(image: ImageBytes, reason: string): TrawlError {
  return new TrawlError('ERR_PACK_UNSUPPORTED', `${image.name}: JPEG 2000: ${reason}`, {
    context: { path: image.name },
  })
}

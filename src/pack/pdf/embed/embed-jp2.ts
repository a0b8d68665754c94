import { TrawlError } from '../../../core/index.ts'
import type { ImageBytes, Jp2Header } from '../../image-bytes/index.ts'
import type { ColourPlan, ImagePlan } from './image-plan.ts'

/**
 * A JPEG 2000 image, its bytes copied (ISO 32000-1, 7.4.9). Files say their colours themselves; a bare codestream
 * gets a device space by its components. Throws ERR_PACK_UNSUPPORTED for what PDF/A-2 does not allow, and for a
 * bare codestream whose colours cannot be told.
 */
export function planJp2(image: ImageBytes, jp2: Jp2Header, pdfA: boolean): ImagePlan {
  if (pdfA) checkArchival(image, jp2)
  const alpha = jp2.alpha === 'none' ? '' : ` /SMaskInData ${jp2.alpha === 'straight' ? 1 : 2}`
  return {
    widthPx: jp2.widthPx,
    heightPx: jp2.heightPx,
    colour: jp2.bare ? bareColours(image, jp2) : { space: 'none' },
    entries: `/Filter /JPXDecode${alpha}`,
    data: [image.part(0, image.sizeBytes)],
    verbatim: true,
  }
}

function bareColours(image: ImageBytes, jp2: Jp2Header): ColourPlan {
  if (jp2.components === 1) return { space: 'DeviceGray' }
  if (jp2.components === 3) return { space: 'DeviceRGB' }
  if (jp2.components === 4) return { space: 'DeviceCMYK' }
  throw refused(image, `a codestream of ${jp2.components} components does not say its colours`)
}

/** ISO 19005-2, 6.2.8.3. */
function checkArchival(image: ImageBytes, jp2: Jp2Header): void {
  if (jp2.bare) throw refused(image, 'PDF/A-2 wants a JP2 file, not a bare codestream')
  const channels = jp2.components - (jp2.alpha === 'none' ? 0 : 1)
  if (!jp2.palette && ![1, 3, 4].includes(channels)) {
    throw refused(image, `PDF/A-2 allows 1, 3 or 4 colour channels, not ${channels}`)
  }
  if (new Set(jp2.bitDepths).size > 1) throw refused(image, 'PDF/A-2 wants one bit depth in all channels')
  if (jp2.bitDepths.some((depth) => depth > 38)) throw refused(image, 'PDF/A-2 allows at most 38 bits')
  const best = jp2.colours.filter((colour) => colour.approximation === 1)
  if (jp2.colours.length > 1 && best.length !== 1) {
    throw refused(image, 'PDF/A-2 wants exactly one exact colour specification')
  }
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

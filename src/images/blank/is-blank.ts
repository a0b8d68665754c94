import { sharedDecodePool } from '../decode/decode-pool.ts'
import { loadSharp } from '../decode/load-sharp.ts'

/** Side of the copy that is looked at. */
const lookPx = 64
/** Paper has some grain, and JPEG adds its own. */
const blankDeviation = 6

/**
 * True for an image of one colour, more or less: an empty page. Looks at a small copy; says nothing of how sound the
 * file is. False for what cannot be decoded.
 */
export function isBlankImage(
  path: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  return sharedDecodePool().run(
    lookPx * lookPx,
    async () => {
      const sharp = await loadSharp()
      try {
        const small = await sharp(path)
          .resize(lookPx, lookPx, { fit: 'fill' })
          .flatten({ background: '#fff' })
          .png()
          .toBuffer()
        const { channels } = await sharp(small).stats()
        return channels.every(({ stdev }) => stdev < blankDeviation)
      } catch {
        return false
      }
    },
    options.signal,
  )
}

import { TrawlError } from '../core/index.ts'
import { checkImage, type CheckedImage, type CheckLevel, type ImageExpectation } from '../images/index.ts'

/** Checks one page image. Throws what `checkImage` throws, and ERR_IMAGE_REFUSED. */
export type PageCheck = (path: string, expected: ImageExpectation) => Promise<CheckedImage>

/** The check of all pages of a work; `refused` are SHA-256 of images that are no pages. */
export function createPageCheck(options: {
  readonly level: CheckLevel
  readonly refused: readonly string[]
  readonly signal: AbortSignal
}): PageCheck {
  const { level, signal } = options
  const refused = new Set(options.refused.map((digest) => digest.toLowerCase()))
  return async (path, expected) => {
    const checked = await checkImage(path, { level, expected, sha256: true, signal })
    if (checked.sha256 !== undefined && refused.has(checked.sha256)) {
      throw new TrawlError('ERR_IMAGE_REFUSED', `${path}: the image is refused by --refuse-image`, {
        context: { path, sha256: checked.sha256 },
      })
    }
    return checked
  }
}

import { TrawlError } from '../../core/index.ts'

/** Which images a dataset leaves out. */
export interface SizeLimits {
  /** Least shorter side. */
  readonly minImageSizePx?: number
  /** Most pixels. */
  readonly maxImageAreaPx?: number
  /** Most times the longer side may be the shorter. */
  readonly maxAspectRatio?: number
}

/**
 * Judges an image by its header: the error for one that a dataset leaves out (ERR_SAMPLE_FILTERED, with `filter` in
 * its context), undefined for the others.
 */
export function judgeSize(
  size: { readonly widthPx: number; readonly heightPx: number },
  limits: SizeLimits,
): TrawlError | undefined {
  const { widthPx, heightPx } = size
  const shorter = Math.min(widthPx, heightPx)
  const longer = Math.max(widthPx, heightPx)
  const { minImageSizePx = 0, maxImageAreaPx = Infinity, maxAspectRatio = Infinity } = limits
  if (shorter < minImageSizePx) {
    return filtered('small', `the shorter side is ${shorter} px, less than ${minImageSizePx} px`)
  }
  if (widthPx * heightPx > maxImageAreaPx) {
    return filtered('area', `${widthPx} x ${heightPx} px are more than ${maxImageAreaPx} pixels`)
  }
  if (longer > shorter * maxAspectRatio) {
    return filtered('ratio', `${widthPx} x ${heightPx} px are longer than ${maxAspectRatio} to 1`)
  }
  return undefined
}

function filtered(filter: string, message: string): TrawlError {
  return new TrawlError('ERR_SAMPLE_FILTERED', message, { context: { filter } })
}

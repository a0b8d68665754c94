/** A size in pixels, as far as it is known. */
interface SizePx {
  readonly widthPx?: number
  readonly heightPx?: number
}

/** Servers round sides down, up or to the nearest when they scale. */
const roundingPx = 1

/** True where no known side differs by more than rounding. Tiny images have to be exact. */
export function sizeFits(size: Required<SizePx>, expected: SizePx | undefined): boolean {
  return sideFits(size.widthPx, expected?.widthPx) && sideFits(size.heightPx, expected?.heightPx)
}

function sideFits(side: number, expected: number | undefined): boolean {
  if (expected === undefined || side === expected) return true
  return expected >= 16 && Math.abs(side - expected) <= roundingPx
}

/**
 * True for the same picture at another scale: what a server gives that silently limits sizes. An image that says "not
 * available" seldom has the ratio of the page. Both sides must be known.
 */
export function sameRatio(size: Required<SizePx>, expected: SizePx | undefined): boolean {
  const { widthPx, heightPx } = expected ?? {}
  if (widthPx === undefined || heightPx === undefined) return false
  const scale = size.widthPx / widthPx
  return Math.abs(size.heightPx - heightPx * scale) <= Math.max(roundingPx, size.heightPx * 0.01)
}

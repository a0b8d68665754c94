/** Height of a page after scaling. */
export interface PageHeight {
  readonly heightPx: number
}

/** Rows of one page in one part. */
export interface LongPiece {
  readonly page: number
  /** First row of the page that is taken. */
  readonly top: number
  readonly heightPx: number
}

/** One file of a long image, from top to bottom. */
export interface LongPart {
  readonly pieces: readonly LongPiece[]
  readonly heightPx: number
}

/**
 * Distributes pages over parts of at most `maxHeightPx`: in order, every row once, cut between pages; only a page that
 * is higher than a part is cut itself.
 */
export function planLongImage(pages: readonly PageHeight[], maxHeightPx: number): LongPart[] {
  const parts: LongPart[] = []
  let pieces: LongPiece[] = []
  let filled = 0
  const finish = (): void => {
    if (pieces.length > 0) parts.push({ pieces, heightPx: filled })
    pieces = []
    filled = 0
  }
  for (const [page, { heightPx }] of pages.entries()) {
    if (filled + heightPx > maxHeightPx) finish()
    for (let top = 0; top < heightPx;) {
      const taken = Math.min(heightPx - top, maxHeightPx)
      if (filled + taken > maxHeightPx) finish()
      pieces.push({ page, top, heightPx: taken })
      filled += taken
      top += taken
    }
  }
  finish()
  return parts
}

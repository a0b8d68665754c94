import { moveRects } from './move-rects.ts'
import { moveRowsInPlace } from './move-rows.ts'
import type { RawImage } from './raw-image.ts'
import { gridMoves, invertRects, stripReversal, type GridOrder, type Rect } from './rect.ts'

/** How a cut-up image is put right; plain data, so that it can stand in a job. */
export type Descramble =
  | { readonly kind: 'strips'; readonly strips: number }
  | ({ readonly kind: 'grid' } & GridOrder)
  | { readonly kind: 'rects'; readonly rects: readonly Rect[] }

/** The moves for an image of this size; empty when nothing changes. */
export function movesOf(how: Descramble, widthPx: number, heightPx: number): readonly Rect[] {
  if (how.kind === 'strips') return stripReversal(widthPx, heightPx, how.strips)
  return how.kind === 'grid' ? gridMoves(widthPx, heightPx, how) : how.rects
}

/** Puts the image right. Throws ERR_IMAGE_DIMENSIONS where a rectangle does not fit. */
export function descramble(image: RawImage, how: Descramble): RawImage {
  return moveRects(image, movesOf(how, image.widthPx, image.heightPx))
}

/** As `descramble`, in the memory of the image where that can be: the image given is no longer to be used. */
export function descrambleOwn(image: RawImage, how: Descramble): RawImage {
  const moves = movesOf(how, image.widthPx, image.heightPx)
  return moveRowsInPlace(image, moves) ? image : moveRects(image, moves)
}

/** The reverse, for tests and for whoever needs a scrambled image: `descramble(scramble(x))` is `x`. */
export function scramble(image: RawImage, how: Descramble): RawImage {
  return moveRects(image, invertRects(movesOf(how, image.widthPx, image.heightPx)))
}

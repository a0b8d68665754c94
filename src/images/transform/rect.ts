/** A rectangle that moves from one place of an image to another. All in pixels. */
export interface Rect {
  readonly sx: number
  readonly sy: number
  readonly w: number
  readonly h: number
  readonly dx: number
  readonly dy: number
}

/** The same moves backwards: what was scrambled by one list is put right by the other. */
export function invertRects(rects: readonly Rect[]): Rect[] {
  return rects.map(({ sx, sy, w, h, dx, dy }) => ({ sx: dx, sy: dy, w, h, dx: sx, dy: sy }))
}

/**
 * Puts horizontal strips back that were stored in reverse order. A height that the count does not divide leaves its
 * rest in the strip that is the last of the stored image and the first of the right one. Fewer than two strips, or
 * more strips than rows, change nothing.
 */
export function stripReversal(widthPx: number, heightPx: number, strips: number): Rect[] {
  const height = Math.floor(heightPx / strips)
  if (strips < 2 || height === 0) return []
  const rest = heightPx % strips
  return Array.from({ length: strips }, (_, i) => ({
    sx: 0,
    sy: (strips - 1 - i) * height,
    w: widthPx,
    h: i === 0 ? height + rest : height,
    dx: 0,
    dy: i === 0 ? 0 : i * height + rest,
  }))
}

/** A grid of equal tiles in another order. */
export interface GridOrder {
  readonly columns: number
  readonly rows: number
  /** For each place of the right image, row by row, the place in the stored one. */
  readonly order: readonly number[]
}

/** Moves of a grid. Columns and rows of pixels that the tiles do not fill stay where they are. */
export function gridMoves(widthPx: number, heightPx: number, grid: GridOrder): Rect[] {
  const w = Math.floor(widthPx / grid.columns)
  const h = Math.floor(heightPx / grid.rows)
  if (w === 0 || h === 0) return []
  return grid.order.map((from, to) => ({
    sx: (from % grid.columns) * w,
    sy: Math.floor(from / grid.columns) * h,
    w,
    h,
    dx: (to % grid.columns) * w,
    dy: Math.floor(to / grid.columns) * h,
  }))
}

import { pdfNumber } from './pdf-syntax.ts'

/**
 * How large pages are: by their dots an inch, all by one given number, all equally wide, or all on one sheet, which is
 * turned where the page lies, with the page as large as fits in its middle.
 */
export type PageSize =
  | { readonly mode: 'natural' }
  | { readonly mode: 'dpi'; readonly dpi: number }
  | { readonly mode: 'fit-width'; readonly widthPt: number }
  | { readonly mode: 'sheet'; readonly widthPt: number; readonly heightPt: number }

export interface GeometryInput {
  /** Of the stored pixels, before orientation. */
  readonly widthPx: number
  readonly heightPx: number
  /** EXIF orientation, 1 to 8; anything else counts as 1. */
  readonly orientation: number
  /** From the header of the image. */
  readonly imageDpi?: number
  /** From the source of the book, or from the user for this page. */
  readonly sourceDpi?: number
}

export interface PageGeometry {
  /** Of the page, in units of `userUnit` / 72 inch. */
  readonly width: number
  readonly height: number
  /** 1 where the page is not larger than PDF allows without it. */
  readonly userUnit: number
  /** Operand of `cm`: places the unit square of the image on the page, upright. */
  readonly matrix: string
}

/** Smallest and largest side of a page in units (ISO 32000-1, annex C.2). */
const minSide = 3
const maxSide = 14_400
/** Outside of these a header says nonsense. */
const saneDpi = { min: 36, max: 2400 }
/** What programs write when they know nothing (JFIF 72 and 96). */
const placeholders: ReadonlySet<number> = new Set([72, 96])

/**
 * Size of a page and how its image lies on it. Dots an inch come, in this order, from the fixed value of `size`, the
 * image (where sane and no placeholder), the source, and `defaultDpi`. Sides stay in the 3 to 14,400 units that PDF
 * allows: smaller pages grow, larger ones get a `UserUnit` (PDF 1.6). All eight EXIF orientations are done by the
 * matrix; no pixel is touched.
 */
export function pageGeometry(input: GeometryInput, size: PageSize, defaultDpi: number): PageGeometry {
  const { wide, high } = shownSides(input)
  if (size.mode === 'sheet') return sheetGeometry(input, size)
  const scale = size.mode === 'fit-width' ? size.widthPt / wide : 72 / chooseDpi(input, size, defaultDpi)
  const grow = Math.max(1, minSide / (Math.min(wide, high) * scale))
  const { width, height, userUnit } = withinLimits(wide * scale * grow, high * scale * grow)
  return { width, height, userUnit, matrix: matrixText(orientationMatrix(input.orientation, width, height)) }
}

/** Width that a page has in its own size, in points. The widest of a book is what `fit-width` may be given. */
export function naturalWidthPt(input: GeometryInput, size: PageSize, defaultDpi: number): number {
  return (shownSides(input).wide * 72) / chooseDpi(input, size, defaultDpi)
}

function sheetGeometry(
  input: GeometryInput,
  sheet: { readonly widthPt: number; readonly heightPt: number },
): PageGeometry {
  const { wide, high } = shownSides(input)
  const [short, long] = [sheet.widthPt, sheet.heightPt].sort((a, b) => a - b)
  const lies = wide > high
  const sides = { width: (lies ? long : short) ?? 0, height: (lies ? short : long) ?? 0 }
  const { width, height, userUnit } = withinLimits(sides.width, sides.height)
  const scale = Math.min(width / wide, height / high)
  const [a, b, c, d, e, f] = orientationMatrix(input.orientation, wide * scale, high * scale)
  const placed = [a, b, c, d, e + (width - wide * scale) / 2, f + (height - high * scale) / 2]
  return { width, height, userUnit, matrix: matrixText(placed) }
}

/** Sides as they are shown: turned pages lie the other way. */
function shownSides(input: GeometryInput): { readonly wide: number; readonly high: number } {
  const turned = input.orientation >= 5 && input.orientation <= 8
  return turned
    ? { wide: input.heightPx, high: input.widthPx }
    : { wide: input.widthPx, high: input.heightPx }
}

function withinLimits(
  widthPt: number,
  heightPt: number,
): Pick<PageGeometry, 'width' | 'height' | 'userUnit'> {
  const userUnit = Math.max(1, Math.ceil((Math.max(widthPt, heightPt) / maxSide) * 1000) / 1000)
  // More than 4,800 to 1 cannot be had in true proportion.
  const side = (lengthPt: number) => Math.min(maxSide, Math.max(minSide, lengthPt / userUnit))
  return { width: side(widthPt), height: side(heightPt), userUnit }
}

function chooseDpi(input: GeometryInput, size: PageSize, defaultDpi: number): number {
  if (size.mode === 'dpi') return size.dpi
  const own = input.imageDpi
  if (own !== undefined && own >= saneDpi.min && own <= saneDpi.max && !placeholders.has(own)) return own
  const given = input.sourceDpi
  return given !== undefined && given >= saneDpi.min && given <= saneDpi.max ? given : defaultDpi
}

type Matrix = readonly [number, number, number, number, number, number]

/**
 * The matrix for an EXIF orientation (CIPA DC-008, 4.6.5.1.6): where the stored row 0 and column 0 lie on the page.
 */
function orientationMatrix(orientation: number, w: number, h: number): Matrix {
  const matrices: Readonly<Record<number, Matrix>> = {
    2: [-w, 0, 0, h, w, 0],
    3: [-w, 0, 0, -h, w, h],
    4: [w, 0, 0, -h, 0, h],
    5: [0, -h, -w, 0, w, h],
    6: [0, -h, w, 0, 0, h],
    7: [0, h, w, 0, 0, 0],
    8: [0, h, -w, 0, w, 0],
  }
  return matrices[orientation] ?? [w, 0, 0, h, 0, 0]
}

function matrixText(matrix: readonly number[]): string {
  return matrix.map(pdfNumber).join(' ')
}

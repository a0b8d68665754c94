import { pdfNumber } from './pdf-syntax.ts'

/** How large pages are: by their dots an inch, all by one given number, or all equally wide. */
export type PageSize =
  | { readonly mode: 'natural' }
  | { readonly mode: 'dpi'; readonly dpi: number }
  | { readonly mode: 'fit-width'; readonly widthPt: number }

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
  const turned = input.orientation >= 5 && input.orientation <= 8
  const wide = turned ? input.heightPx : input.widthPx
  const high = turned ? input.widthPx : input.heightPx
  const scale = size.mode === 'fit-width' ? size.widthPt / wide : 72 / chooseDpi(input, size, defaultDpi)
  const grow = Math.max(1, minSide / (Math.min(wide, high) * scale))
  const widthPt = wide * scale * grow
  const heightPt = high * scale * grow
  const userUnit = Math.max(1, Math.ceil((Math.max(widthPt, heightPt) / maxSide) * 1000) / 1000)
  // More than 4,800 to 1 cannot be had in true proportion.
  const width = Math.max(minSide, widthPt / userUnit)
  const height = Math.max(minSide, heightPt / userUnit)
  return { width, height, userUnit, matrix: orientationMatrix(input.orientation, width, height) }
}

function chooseDpi(input: GeometryInput, size: PageSize, defaultDpi: number): number {
  if (size.mode === 'dpi') return size.dpi
  const own = input.imageDpi
  if (own !== undefined && own >= saneDpi.min && own <= saneDpi.max && !placeholders.has(own)) return own
  const given = input.sourceDpi
  return given !== undefined && given >= saneDpi.min && given <= saneDpi.max ? given : defaultDpi
}

/**
 * The matrix for an EXIF orientation (CIPA DC-008, 4.6.5.1.6): where the stored row 0 and column 0 lie on the page.
 */
export function orientationMatrix(orientation: number, width: number, height: number): string {
  const w = width
  const h = height
  const matrices: Readonly<Record<number, readonly number[]>> = {
    2: [-w, 0, 0, h, w, 0],
    3: [-w, 0, 0, -h, w, h],
    4: [w, 0, 0, -h, 0, h],
    5: [0, -h, -w, 0, w, h],
    6: [0, -h, w, 0, 0, h],
    7: [0, h, w, 0, 0, 0],
    8: [0, h, -w, 0, w, 0],
  }
  return (matrices[orientation] ?? [w, 0, 0, h, 0, 0]).map(pdfNumber).join(' ')
}

import { parseDescramble, parsePageSize, parseResize, type BookCommandOptions } from '../config/index.ts'
import { murmur128, type BookMetadata } from '../core/index.ts'
import { planFingerprint, type PagePlan } from '../images/index.ts'
import type { PackOptions } from '../pack/index.ts'

type PageOptions = Pick<
  BookCommandOptions,
  'descramble' | 'convert' | 'quality' | 'resize' | 'grey' | 'trim' | 'splitSpreads' | 'sliceHeightPx'
>

/** What the options do to each page; empty where they do nothing. */
export function pagePlanOf(options: PageOptions, direction: BookMetadata['direction']): PagePlan {
  const { convert, quality, grey, trim, splitSpreads, sliceHeightPx } = options
  const strips = options.descramble === undefined ? undefined : parseDescramble(options.descramble)
  const resize = options.resize === undefined ? undefined : parseResize(options.resize)
  return {
    ...(strips ? { descramble: { kind: 'strips', strips: strips.strips } } : {}),
    ...(trim ? { trim } : {}),
    ...(splitSpreads ? { splitSpreads: { direction: direction === 'rtl' ? 'rtl' : 'ltr' } } : {}),
    ...(sliceHeightPx === undefined ? {} : { sliceHeightPx }),
    ...(resize ? { resize } : {}),
    ...(grey ? { grey } : {}),
    ...(convert === undefined ? {} : { convert }),
    ...(quality === 90 ? {} : { quality }),
  }
}

/** True where some option may change pages. */
export function changesPages(plan: PagePlan): boolean {
  return Object.keys(plan).some((key) => key !== 'quality')
}

/** A4 in points, the width of `fit-width`. */
const fitWidthPt = 595

const pointsPerMm = 72 / 25.4

/** The options of the packers, without name. */
export function packOptionsOf(
  options: Pick<BookCommandOptions, 'pdfA' | 'dpi' | 'pageSize' | 'quality' | 'durability'>,
  password: string | undefined,
): Omit<PackOptions, 'path'> {
  const pageSize = pageSizeOf(options)
  return {
    durability: options.durability,
    jpegQuality: options.quality,
    ...(password === undefined ? {} : { password }),
    ...(options.pdfA === undefined ? {} : { pdfA: true }),
    ...(pageSize ? { pageSize } : {}),
  }
}

function pageSizeOf(options: Pick<BookCommandOptions, 'dpi' | 'pageSize'>): PackOptions['pageSize'] {
  const rule = parsePageSize(options.pageSize)
  if (rule?.rule === 'fit-width') return { mode: 'fit-width', widthPt: fitWidthPt }
  if (rule?.rule === 'sheet') {
    const { widthMm, heightMm } = rule
    return { mode: 'sheet', widthPt: widthMm * pointsPerMm, heightPt: heightMm * pointsPerMm }
  }
  return options.dpi === undefined ? undefined : { mode: 'dpi', dpi: options.dpi }
}

/** Hash of all settings that change what is made of the same pages. */
export function settingsFingerprint(
  plan: PagePlan,
  options: BookCommandOptions,
  metadata: BookMetadata,
): string {
  const { formats, pdfA, dpi, pageSize, quality, sidecar, partial, name, out } = options
  return murmur128(
    JSON.stringify([
      'book settings 1',
      planFingerprint(plan),
      [...formats].sort(),
      [pdfA, dpi, pageSize, quality, sidecar, partial, name, out],
      options.password !== undefined || options.passwordFile !== undefined,
      metadata,
    ]),
  )
}

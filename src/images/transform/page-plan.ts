import { murmur128 } from '../../core/index.ts'
import { shownSize, type ImageFacts } from '../image-facts.ts'
import type { BytesTransform } from './bytes-transform.ts'
import { movesOf, type Descramble } from './descramble.ts'

/** What is done to a page. Everything is left out unless asked for; the steps run in the order of the fields. */
export interface PagePlan {
  readonly bytes?: readonly BytesTransform[]
  /** On the pixels as stored, before EXIF turns them. */
  readonly descramble?: Descramble
  /** Turns the pixels as EXIF says. Any other step that decodes does so too. */
  readonly orient?: boolean
  /** Cuts off edges of one colour, that of the top left corner. */
  readonly trim?: boolean
  /** Cuts a page that is 1.2 times as wide as high in two; `direction` says which half comes first. */
  readonly splitSpreads?: { readonly direction: 'ltr' | 'rtl' }
  /** Cuts pages higher than one and a half times this into parts of about this height, at quiet rows. */
  readonly sliceHeightPx?: number
  readonly resize?: ResizePlan
  readonly grey?: boolean
  readonly convert?: PageFormat
  /** Quality of JPEG and lossy WebP, 1 to 100; default 90. */
  readonly quality?: number
  /** `auto`: 4:2:0 where the original is a JPEG sampled so, else 4:4:4, which costs about 40 % more time. */
  readonly chroma?: 'auto' | '4:4:4' | '4:2:0'
  /** Spend twice the time on smaller JPEG files (by 5 to 15 %, flat pages by half). */
  readonly compact?: boolean
}

export type PageFormat = 'jpg' | 'png' | 'webp'

/** Fits into width and height, or scales by a percentage. Never enlarges unless `enlarge`. */
export interface ResizePlan {
  readonly widthPx?: number
  readonly heightPx?: number
  readonly percent?: number
  readonly enlarge?: boolean
}

/** A rectangle of the shown page. */
export interface Region {
  readonly left: number
  readonly top: number
  readonly widthPx: number
  readonly heightPx: number
}

const SPREAD_RATIO = 1.2
const SLICE_FROM = 1.5

/** A stable name of a plan: the same settings give the same text, in whatever order they stand. */
export function planFingerprint(plan: PagePlan): string {
  return murmur128(`page plan 1 ${JSON.stringify(sorted(plan))}`)
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, item]) => item !== undefined && item !== false)
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, item]) => [key, sorted(item)]),
  )
}

/** Whether the plan changes the pixels or the format of this page at all. */
export function changesPage(plan: PagePlan, facts: ImageFacts): boolean {
  const { widthPx, heightPx } = shownSize(facts)
  return (
    (plan.orient === true && facts.orientation !== 1) ||
    needsCanvas(plan, facts) ||
    (plan.grey === true && (facts.channels !== 1 || facts.palette === true)) ||
    scaleFor(plan.resize, { left: 0, top: 0, widthPx, heightPx }) !== 1 ||
    (plan.convert !== undefined && plan.convert !== formatName(facts))
  )
}

/** Whether all pixels must be in memory for this page. */
export function needsCanvas(plan: PagePlan, facts: ImageFacts): boolean {
  const { widthPx, heightPx } = shownSize(facts)
  const moves = plan.descramble ? movesOf(plan.descramble, facts.widthPx, facts.heightPx) : []
  return (
    moves.length > 0 ||
    plan.trim === true ||
    (plan.splitSpreads !== undefined && isSpread(widthPx, heightPx)) ||
    (plan.sliceHeightPx !== undefined && heightPx > plan.sliceHeightPx * SLICE_FROM)
  )
}

function isSpread(widthPx: number, heightPx: number): boolean {
  return widthPx >= heightPx * SPREAD_RATIO && widthPx >= 2
}

/** The halves of a spread in reading order, or the whole page. */
export function spreadRegions(plan: PagePlan, widthPx: number, heightPx: number): Region[] {
  if (!plan.splitSpreads || !isSpread(widthPx, heightPx)) return [{ left: 0, top: 0, widthPx, heightPx }]
  const half = Math.floor(widthPx / 2)
  const left = { left: 0, top: 0, widthPx: half, heightPx }
  const right = { left: half, top: 0, widthPx: widthPx - half, heightPx }
  return plan.splitSpreads.direction === 'rtl' ? [right, left] : [left, right]
}

/** Whether a region is cut into slices. */
export function isSliced(plan: PagePlan, region: Region): boolean {
  return plan.sliceHeightPx !== undefined && region.heightPx > plan.sliceHeightPx * SLICE_FROM
}

/** The factor by which a region is scaled; 1 for none. */
export function scaleFor(resize: ResizePlan | undefined, region: Region): number {
  if (!resize) return 1
  const { widthPx = Infinity, heightPx = Infinity, percent = 100, enlarge = false } = resize
  const fit = Math.min(widthPx / region.widthPx, heightPx / region.heightPx)
  const scale = (Number.isFinite(fit) ? fit : 1) * (percent / 100)
  return scale > 1 && !enlarge ? 1 : scale
}

/** The format as the options name it; undefined for formats pages are not encoded in. */
export function formatName(facts: ImageFacts): PageFormat | undefined {
  if (facts.format === 'jpeg') return 'jpg'
  return facts.format === 'png' || facts.format === 'webp' ? facts.format : undefined
}

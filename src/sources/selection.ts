import { TrawlError } from '../core/index.ts'
import type { SourceItem } from './source.ts'

/** One span of positions, both ends included; negative ones count from the end. */
interface Span {
  readonly from: number
  readonly to: number
  readonly step: number
}

/** Which positions of a sequence are wanted. Made by `parseSelection`. */
export interface Selection {
  readonly text: string
  /** Positions are decided only when this many items after them are known; 0 when nothing counts from the end. */
  readonly lookahead: number
  /** Nothing after this position is wanted; absent when the selection is open. */
  readonly last?: number
  /**
   * `total` may be Infinity while the end is not known and is at least `lookahead` away. A `number` that the thing
   * itself bears counts instead of its position, except from the end.
   */
  has(position: number, total: number, number?: number): boolean
}

/**
 * Parses `1-10,15,-3:`: single positions, spans `1-10` and `5-` and slices `FROM:TO:STEP`, all from 1 and with both
 * ends included. In single positions and slices a negative number counts from the end, so `-1` is the last and
 * `-3:` are the last three. Numbers may have a fraction (`10.5`), which chapters have. Throws ERR_USAGE.
 */
export function parseSelection(text: string, option: string): Selection {
  const spans = text.split(',').map((part) => parseSpan(part.trim(), text, option))
  const ends = spans.flatMap((span) => [span.from, span.to])
  const lookahead = Math.max(0, ...ends.map((end) => -end).filter((end) => Number.isFinite(end)))
  const last = Math.max(...spans.map((span) => (span.from > 0 && span.to > 0 ? span.to : Infinity)))
  return {
    text,
    lookahead: Math.ceil(lookahead),
    ...(Number.isFinite(last) ? { last } : {}),
    has: (position, total, number) =>
      spans.some((span) =>
        inSpan(span, span.from < 0 || span.to < 0 ? position : (number ?? position), total),
      ),
  }
}

function parseSpan(part: string, text: string, option: string): Span {
  const number = String.raw`\d{1,12}(?:\.\d{1,6})?`
  const dash = new RegExp(`^(${number})\\s*-\\s*(${number})?$`).exec(part)
  const slice = new RegExp(`^(-?${number})?\\s*:\\s*(-?${number})?(?:\\s*:\\s*(\\d{1,12}))?$`).exec(part)
  const single = new RegExp(`^-?${number}$`).test(part) ? Number(part) : undefined
  const match = dash ?? slice
  const span: Span | undefined =
    single === undefined
      ? match === null
        ? undefined
        : { from: Number(match[1] ?? 1), to: Number(match[2] ?? Infinity), step: Number(match[3] ?? 1) }
      : { from: single, to: single, step: 1 }
  const wrong = (why: string): TrawlError =>
    new TrawlError('ERR_USAGE', `${option} ${text}: "${part}" ${why}`, {
      hint: 'Write positions from 1 such as 1-10,15,-3: (the last three).',
      context: { field: option },
    })
  if (span === undefined) throw wrong('is not a position, a span such as 1-10 or a slice such as -3:')
  if (span.step < 1) throw wrong('has a step of 0')
  if (span.from > 0 && span.to > 0 && span.from > span.to) throw wrong('runs backwards')
  return span
}

function inSpan(span: Span, position: number, total: number): boolean {
  const from = span.from < 0 ? Math.max(1, total + 1 + span.from) : span.from
  const to = span.to < 0 ? total + 1 + span.to : span.to
  if (position < from || position > to) return false
  return span.step === 1 || (position - from) % span.step === 0
}

/** What is to be taken from a source; both absent takes all. */
export interface ItemSelection {
  /** By the chapter's number where it has one, else by its position; counts chapters of depth 0 and links. */
  readonly chapters?: Selection
  /** By the position among the pages that the chapters leave. */
  readonly pages?: Selection
}

/**
 * Leaves out what is not selected, lazily: stops asking the source once nothing more can be selected, and holds
 * back only as many items as a selection from the end needs. Chapters of which no page is left are dropped.
 */
export function selectItems(
  items: AsyncIterable<SourceItem>,
  selection: ItemSelection,
): AsyncIterable<SourceItem> {
  let out = items
  if (selection.chapters !== undefined) out = selectChapters(out, selection.chapters)
  if (selection.pages !== undefined) out = selectPages(out, selection.pages)
  return out
}

/** A chapter with its pages, or a link. */
interface Group {
  readonly position: number
  readonly number: number | undefined
  readonly items: SourceItem[]
}

async function* selectChapters(
  items: AsyncIterable<SourceItem>,
  selection: Selection,
): AsyncGenerator<SourceItem> {
  const { lookahead, last } = selection
  const wanted = (group: Group, total: number): boolean => selection.has(group.position, total, group.number)
  const held: Group[] = []
  let position = 0
  let numbered = false
  let keeping = false
  for await (const item of items) {
    if (item.type === 'book') yield item
    else if (item.type === 'link' || (item.type === 'chapter' && item.chapter.depth === 0)) {
      position++
      const own = numberOf(item)
      numbered ||= own !== undefined
      // Among numbered chapters, one without a number is none that a number could mean.
      const group: Group = { position, number: numbered ? (own ?? -1) : undefined, items: [item] }
      // Numbers need not rise, so only positions tell that nothing more can be wanted.
      if (!numbered && last !== undefined && position > last) break
      if (lookahead > 0) held.push(group)
      else if ((keeping = wanted(group, Infinity))) yield item
      const first = held.length > lookahead ? held.shift() : undefined
      if (first !== undefined && wanted(first, Infinity)) yield* first.items
    } else if (lookahead > 0) held.at(-1)?.items.push(item)
    else if (keeping) yield item
  }
  for (const group of held) if (wanted(group, position)) yield* group.items
}

function numberOf(item: SourceItem): number | undefined {
  const text = item.type === 'link' ? item.number : item.type === 'chapter' ? item.chapter.number : undefined
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
}

async function* selectPages(
  items: AsyncIterable<SourceItem>,
  selection: Selection,
): AsyncGenerator<SourceItem> {
  const { lookahead, last } = selection
  const held: { readonly item: SourceItem; readonly position: number }[] = []
  /** Chapters that begin at the next page that is kept, outermost first. */
  let headings: SourceItem[] = []
  let position = 0
  const decide = function* (item: SourceItem, at: number, total: number): Generator<SourceItem> {
    if (item.type === 'chapter') {
      const { depth } = item.chapter
      headings = [
        ...headings.filter((other) => other.type === 'chapter' && other.chapter.depth < depth),
        item,
      ]
    } else if (selection.has(at, total)) {
      yield* headings
      headings = []
      yield item
    }
  }
  for await (const item of items) {
    if (item.type === 'book' || item.type === 'link') {
      yield item
      continue
    }
    if (item.type === 'page') position++
    held.push({ item, position })
    while (held[0] !== undefined && held[0].position + lookahead <= position) {
      const first = held.shift()
      if (first !== undefined) yield* decide(first.item, first.position, Infinity)
    }
    if (last !== undefined && position >= last) return
  }
  for (const { item, position: at } of held) yield* decide(item, at, position)
}

import { murmur128, TrawlError, type BookMetadata, type Chapter } from '../core/index.ts'
import {
  parseSelection,
  selectItems,
  withVolumes,
  type Source,
  type SourceContext,
  type SourceInput,
  type SourceItem,
} from '../sources/index.ts'
import type { BookSpec } from './book-spec.ts'
import type { ItemFilter } from './item-filter.ts'
import { inOrder, type PlannedPage, type PlannedWork } from './planned-work.ts'

/** Links below links that are followed; a catalogue may be deep, but not endlessly so. */
const maxLinkDepth = 8

export interface PlanParts {
  readonly spec: BookSpec
  readonly contextOf: (input: SourceInput) => SourceContext
  readonly filter?: ItemFilter
  /** Told of an input that could not be planned, where others are left. */
  readonly onError: (input: SourceInput, error: unknown) => void
}

/**
 * The works of all inputs, in order: each input is one, or as many as its links lead to, cut as `by` says. The pages
 * of a work that is not cut come while its source is still read: they must be read before the next work is asked for.
 */
export async function* planWorks(parts: PlanParts): AsyncGenerator<PlannedWork, void, undefined> {
  const visited = new Set<string>()
  for (const input of parts.spec.inputs) {
    try {
      yield* worksOf(parts, input, { visited, depth: 0 })
    } catch (error) {
      parts.onError(input, error)
    }
  }
}

interface Way {
  readonly visited: Set<string>
  readonly depth: number
  /** Title of the link that led here. */
  readonly title?: string
}

async function* worksOf(
  parts: PlanParts,
  input: SourceInput,
  way: Way,
): AsyncGenerator<PlannedWork, void, undefined> {
  const key = `${input.source ?? ''}\n${input.text}`
  if (way.visited.has(key) || way.depth > maxLinkDepth) return
  way.visited.add(key)
  const { source } = parts.spec.sources.pick(input)
  const links: Extract<SourceItem, { type: 'link' }>[] = []
  const items = selected(parts, source, input)
  yield* cut(parts, { source, input, items, links, ...(way.title === undefined ? {} : { title: way.title }) })
  for (const link of links) {
    const onwards = link.title === undefined ? {} : { title: link.title }
    try {
      yield* worksOf(parts, link.input, { visited: way.visited, depth: way.depth + 1, ...onwards })
    } catch (error) {
      parts.onError(link.input, error)
    }
  }
}

function selected(parts: PlanParts, source: Source, input: SourceInput): AsyncIterable<SourceItem> {
  const { chapters, pages } = parts.spec.options
  const items = selectItems(withVolumes(source.extract(input, parts.contextOf(input))), {
    ...(chapters === undefined ? {} : { chapters: parseSelection(chapters, '--chapters') }),
    ...(pages === undefined ? {} : { pages: parseSelection(pages, '--pages') }),
  })
  return parts.filter ? parts.filter(items) : items
}

interface Stream {
  readonly source: Source
  readonly input: SourceInput
  readonly items: AsyncIterable<SourceItem>
  /** Filled while the items are read. */
  readonly links: Extract<SourceItem, { type: 'link' }>[]
  readonly title?: string
}

/** One source's items as one work, or as one for each chapter or volume. */
async function* cut(parts: PlanParts, stream: Stream): AsyncGenerator<PlannedWork, void, undefined> {
  const { by } = parts.spec.options
  const reader = new ItemReader(stream)
  const first = await reader.peekPage()
  if (first === undefined) return
  const facts = workFacts(parts, stream, reader)
  if (by === 'book') {
    yield { ...facts, id: workId(facts, parts), pages: reader.pages(() => true) }
    await reader.skipRest()
    return
  }
  const keyOf = (chapter: Chapter | undefined): string =>
    by === 'volume' ? String(chapter?.volume ?? '') : (chapter?.id ?? '')
  const begun = new Map<string, number>()
  for (let page = await reader.peekPage(); page; page = await reader.peekPage()) {
    const chapter = reader.topChapter
    const key = keyOf(chapter)
    // What stands in no volume may stand before and behind them: those are works of their own.
    const times = begun.get(key) ?? 0
    begun.set(key, times + 1)
    const pages: PlannedPage[] = []
    for await (const each of reader.pages((other) => keyOf(other) === key)) pages.push(each)
    const own = chapter === undefined ? {} : { chapter }
    const { pageCount: _, ...rest } = facts
    yield {
      ...rest,
      ...own,
      metadata: metadataOf(facts.metadata, chapter, by),
      id: workId(facts, parts, times === 0 ? key : `${key}\n${times}`),
      pageCount: pages.length,
      pages: inOrder(pages),
    }
  }
}

type WorkFacts = Omit<PlannedWork, 'id' | 'pages'> & { readonly bookId: string }

function workFacts(parts: PlanParts, stream: Stream, reader: ItemReader): WorkFacts {
  const { title, author, direction } = parts.spec.options
  const book = reader.book
  const found: BookMetadata = book?.metadata ?? { title: stream.title ?? stream.input.text }
  const metadata: BookMetadata = {
    ...found,
    ...parts.spec.metadata,
    ...(title === undefined ? {} : { title }),
    ...(author === undefined || author.length === 0 ? {} : { authors: author }),
    ...(direction === undefined ? {} : { direction }),
  }
  const { chapters, pages } = parts.spec.options
  const whole = chapters === undefined && pages === undefined && !parts.filter
  return {
    source: stream.source,
    input: stream.input.text,
    bookId: book?.id ?? stream.input.text,
    metadata,
    ...(book?.pageCount === undefined || !whole ? {} : { pageCount: book.pageCount }),
  }
}

function metadataOf(
  metadata: BookMetadata,
  chapter: Chapter | undefined,
  by: 'chapter' | 'volume',
): BookMetadata {
  if (chapter === undefined) return metadata
  const { volume } = chapter
  const series = metadata.series ?? metadata.title
  if (by === 'volume') return volume === undefined ? metadata : { ...metadata, series, volume }
  return {
    ...metadata,
    series,
    title: chapter.title === '' ? `${metadata.title} ${chapter.number ?? chapter.id}` : chapter.title,
    ...(chapter.number === undefined ? {} : { number: chapter.number }),
    ...(volume === undefined ? {} : { volume }),
  }
}

function workId(facts: WorkFacts, parts: PlanParts, key = ''): string {
  const { by, chapters, pages, filter } = parts.spec.options
  // A chapter is the same work, whichever others are fetched with it.
  const selection = by === 'book' ? [chapters, pages, filter] : [pages]
  return murmur128(JSON.stringify(['book', facts.source.name, facts.bookId, by, key, selection]))
}

/** Reads items with one page ahead, and keeps which chapters begin at it. */
class ItemReader {
  book: Extract<SourceItem, { type: 'book' }>['book'] | undefined
  topChapter: Chapter | undefined
  readonly #stream: Stream
  readonly #items: AsyncIterator<SourceItem>
  #next: PlannedPage | undefined
  #ended = false

  constructor(stream: Stream) {
    this.#stream = stream
    this.#items = stream.items[Symbol.asyncIterator]()
  }

  async peekPage(): Promise<PlannedPage | undefined> {
    let chapters: Chapter[] = []
    while (this.#next === undefined && !this.#ended) {
      const { value: item, done } = await this.#items.next()
      if (done) {
        this.#ended = true
        break
      }
      if (item.type === 'book') this.book = item.book
      else if (item.type === 'link') this.#stream.links.push(item)
      else if (item.type === 'chapter') {
        const { depth } = item.chapter
        chapters = [...chapters.filter((other) => other.depth < depth), item.chapter]
        if (depth === 0) this.topChapter = item.chapter
      } else this.#next = { page: item.page, chapters }
    }
    return this.#next
  }

  async *pages(wanted: (top: Chapter | undefined) => boolean): AsyncGenerator<PlannedPage, void, undefined> {
    for (let page = await this.peekPage(); page && wanted(this.topChapter); page = await this.peekPage()) {
      this.#next = undefined
      yield page
    }
  }

  /** Links may stand behind the last page. */
  async skipRest(): Promise<void> {
    while ((await this.peekPage()) !== undefined) this.#next = undefined
  }
}

/** The inputs of a caller as sources take them. Throws ERR_USAGE where there is none. */
export function sourceInputs(
  given: string | SourceInput | readonly (string | SourceInput)[],
  options: BookSpec['options'],
): readonly SourceInput[] {
  const list = typeof given === 'string' || 'text' in given ? [given] : given
  const source = options.imageList ? 'image-list' : options.source
  const settings = {
    ...(options.language === undefined || options.language.length === 0
      ? {}
      : { languages: options.language.join(',') }),
    ...options.sourceOptions,
  }
  if (list.length === 0) throw new TrawlError('ERR_USAGE', 'no input was given')
  return list.map((input) => {
    const base: SourceInput = typeof input === 'string' ? { text: input } : input
    return {
      ...base,
      ...(base.source === undefined && source !== undefined ? { source } : {}),
      options: { ...settings, ...base.options },
    }
  })
}

import { TrawlError, type Chapter, type Page } from '../core/index.ts'
import type { SourceItem } from '../sources/index.ts'
import { urlOf } from './page-maker.ts'

/** Leaves out what an expression denies, lazily. */
export type ItemFilter = (items: AsyncIterable<SourceItem>) => AsyncIterable<SourceItem>

/**
 * A filter over pages from a CEL expression (Common Expression Language) over `page` (number, label, width, height,
 * url), `chapter` (number, volume, title, depth, id; those of the innermost one) and `book` (title, language, series).
 * What is not known is 0 or an empty text. Throws ERR_CONFIG_INVALID with what is wrong with the expression.
 */
export async function createItemFilter(expression: string): Promise<ItemFilter> {
  const { Environment } = await import('@marcbachmann/cel-js')
  const environment = new Environment()
    .registerVariable('page', 'map')
    .registerVariable('chapter', 'map')
    .registerVariable('book', 'map')
  const wrong = (error: unknown): TrawlError => {
    const why = error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)
    return new TrawlError('ERR_CONFIG_INVALID', `--filter ${expression}: ${why}`, {
      cause: error,
      context: { field: '--filter' },
    })
  }
  let allows: (values: Record<string, unknown>) => unknown
  try {
    allows = environment.parse(expression)
  } catch (error) {
    throw wrong(error)
  }
  return (items) =>
    filtered(items, (values) => {
      let answer: unknown
      try {
        answer = allows(values)
      } catch (error) {
        throw wrong(error)
      }
      if (typeof answer === 'boolean') return answer
      throw wrong('the expression is neither true nor false')
    })
}

async function* filtered(
  items: AsyncIterable<SourceItem>,
  allows: (values: Record<string, unknown>) => boolean,
): AsyncGenerator<SourceItem, void, undefined> {
  let book: Record<string, unknown> = { title: '', language: '', series: '' }
  /** Chapters that begin at the next page that is kept, outermost first. */
  let headings: Extract<SourceItem, { type: 'chapter' }>[] = []
  let chapter: Chapter | undefined
  let number = 0
  for await (const item of items) {
    if (item.type === 'chapter') {
      ;({ chapter } = item)
      const { depth } = chapter
      headings = [...headings.filter((other) => other.chapter.depth < depth), item]
    } else if (item.type === 'page') {
      const page = pageValues(item.page, ++number)
      if (!allows({ page, chapter: chapterValues(chapter), book })) continue
      yield* headings
      headings = []
      yield item
    } else {
      if (item.type === 'book') {
        const { title, language = '', series = '' } = item.book.metadata
        book = { title, language, series }
      }
      yield item
    }
  }
}

function pageValues(page: Page, number: number): Record<string, unknown> {
  const { label = '', expectedWidthPx = 0, expectedHeightPx = 0 } = page
  return {
    number: BigInt(number),
    label,
    width: BigInt(expectedWidthPx),
    height: BigInt(expectedHeightPx),
    url: urlOf(page),
  }
}

function chapterValues(chapter: Chapter | undefined): Record<string, unknown> {
  const { id = '', title = '', number = '', volume = 0, depth = 0 } = chapter ?? {}
  const value = Number(number)
  return { id, title, number: Number.isFinite(value) ? value : 0, volume, depth: BigInt(depth) }
}

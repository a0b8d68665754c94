import { SaxesParser } from 'saxes'
import type { BookMetadata, Chapter } from '../../core/index.ts'

/** What a `ComicInfo.xml` says. */
export interface ComicInfo {
  readonly metadata: Partial<BookMetadata>
  /** Bookmarks by index of the page, as chapters. */
  readonly bookmarks: ReadonlyMap<number, Chapter>
}

/**
 * Reads a `ComicInfo.xml`. A file that cannot be parsed says nothing: the pages are good without it.
 */
export function readComicInfo(xml: string): ComicInfo {
  const fields = new Map<string, string>()
  const bookmarks = new Map<number, Chapter>()
  const path: string[] = []
  const parser = new SaxesParser()
  let failed = false
  parser.on('error', () => {
    failed = true
  })
  parser.on('opentag', ({ name, attributes }) => {
    path.push(name)
    const index = Number(attributes['Image'])
    const title = attributes['Bookmark']
    if (name === 'Page' && title !== undefined && title !== '' && Number.isInteger(index)) {
      bookmarks.set(index, { id: `bookmark-${index}`, title, depth: 0 })
    }
  })
  parser.on('text', (text) => {
    const name = path.at(-1)
    if (path.length === 2 && name !== undefined) fields.set(name, (fields.get(name) ?? '') + text)
  })
  parser.on('closetag', () => {
    path.pop()
  })
  parser.write(xml).close()
  return failed ? { metadata: {}, bookmarks: new Map() } : { metadata: metadataOf(fields), bookmarks }
}

function metadataOf(fields: ReadonlyMap<string, string>): Partial<BookMetadata> {
  const text = (name: string) => fields.get(name)?.trim() || undefined
  const list = (name: string) => text(name)?.split(/\s*,\s*/)
  const known: Record<string, unknown> = {
    title: text('Title'),
    series: text('Series'),
    number: text('Number'),
    volume: countOf(text('Volume')),
    authors: list('Writer'),
    artists: list('Penciller'),
    translators: list('Translator'),
    publisher: text('Publisher'),
    language: text('LanguageISO'),
    direction: text('Manga') === 'YesAndRightToLeft' ? 'rtl' : undefined,
    date: dateOf(text('Year'), text('Month'), text('Day')),
    summary: text('Summary'),
    tags: list('Tags'),
    source: text('Web'),
    identifier: text('GTIN'),
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

/** -1 means unknown. */
function countOf(text: string | undefined): number | undefined {
  const value = Number(text)
  return text !== undefined && Number.isInteger(value) && value >= 0 ? value : undefined
}

function dateOf(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
): string | undefined {
  const parts = [countOf(year), countOf(month), countOf(day)]
  const known = parts.findIndex((part) => part === undefined)
  const given = known < 0 ? parts : parts.slice(0, known)
  if (given.length === 0) return undefined
  return given.map((part, i) => String(part).padStart(i === 0 ? 4 : 2, '0')).join('-')
}

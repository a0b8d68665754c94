import type { BookMetadata } from '../../core/index.ts'
import { parseBookDate } from '../book-date.ts'
import { chapterTitle } from '../chapter-title.ts'
import type { PackPage } from '../pack-writer.ts'
import { xmlText } from '../xml/index.ts'

interface ComicPage {
  readonly sizeBytes: number
  readonly widthPx: number
  readonly heightPx: number
  readonly bookmark: string | undefined
  readonly cover: boolean
}

/** Wider than this times its height, a page is two pages of a book. */
const spreadRatio = 1.2

/** What is kept of each page for `ComicInfo.xml`. */
export class ComicPages {
  readonly #pages: ComicPage[] = []
  readonly #missing: string[] = []

  add(page: PackPage, sizeBytes: number): void {
    const turned = page.facts.orientation >= 5
    const chapter = page.chapters?.at(-1)
    this.#pages.push({
      sizeBytes,
      widthPx: turned ? page.facts.heightPx : page.facts.widthPx,
      heightPx: turned ? page.facts.widthPx : page.facts.heightPx,
      bookmark: chapter && chapterTitle(chapter),
      cover: this.#pages.length === 0,
    })
    if (page.placeholder !== undefined) this.#missing.push(page.placeholder)
  }

  get count(): number {
    return this.#pages.length
  }

  /** Pages that are stood in for, and why. */
  get missing(): readonly string[] {
    return this.#missing
  }

  toXml(): string {
    const lines = this.#pages.map((page, i) => {
      const attributes = [
        `Image="${i}"`,
        page.cover ? 'Type="FrontCover"' : '',
        page.widthPx > page.heightPx * spreadRatio ? 'DoublePage="true"' : '',
        `ImageSize="${page.sizeBytes}"`,
        page.bookmark === undefined ? '' : `Bookmark="${xmlText(page.bookmark)}"`,
        `ImageWidth="${page.widthPx}" ImageHeight="${page.heightPx}"`,
      ]
      return `    <Page ${attributes.filter((part) => part !== '').join(' ')} />`
    })
    return `  <Pages>\n${lines.join('\n')}\n  </Pages>`
  }
}

/**
 * `ComicInfo.xml`, schema 2.1, with its elements in the order of the schema, as validation asks. What is not known is
 * left out.
 */
export function comicInfoXml(metadata: BookMetadata, pages: ComicPages): string {
  const date = parseBookDate(metadata.date)
  const manga = { rtl: 'YesAndRightToLeft', ltr: undefined, ttb: undefined }[metadata.direction ?? 'ltr']
  const fields: readonly (readonly [string, string | number | undefined])[] = [
    ['Title', metadata.title],
    ['Series', metadata.series],
    ['Number', metadata.number],
    ['Volume', wholeNumber(metadata.volume)],
    ['Summary', metadata.summary],
    ['Notes', notes(metadata, pages)],
    ['Year', date?.year],
    ['Month', date?.month],
    ['Day', date?.day],
    ['Writer', people(metadata.authors)],
    ['Penciller', people(metadata.artists)],
    ['Translator', people(metadata.translators)],
    ['Publisher', metadata.publisher],
    ['Tags', people(metadata.tags)],
    ['Web', metadata.source],
    ['PageCount', pages.count],
    ['LanguageISO', metadata.language],
    ['Manga', manga],
  ]
  const lines = fields.flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [`  <${name}>${xmlText(String(value))}</${name}>`],
  )
  const gtin = /^(97[89]\d{10}|\d{9}[\dXx]|\d{8}|\d{12,14})$/.exec(
    (metadata.identifier ?? '').replace(/^(urn:)?isbn:/i, '').replaceAll('-', ''),
  )
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    '<ComicInfo xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    ...lines,
    pages.toXml(),
    ...(gtin ? [`  <GTIN>${gtin[0]}</GTIN>`] : []),
    '</ComicInfo>\n',
  ].join('\n')
}

/** Names in one element stand between commas, so a comma inside a name has to go. */
function people(names: readonly string[] | undefined): string | undefined {
  return names?.map((name) => name.replaceAll(/\s*,\s*/g, ' ')).join(', ')
}

/** The schema knows whole numbers of 32 bits only, and negative ones mean unknown. */
function wholeNumber(value: number | undefined): number | undefined {
  return value !== undefined && Number.isInteger(value) && value >= 0 && value < 2 ** 31 ? value : undefined
}

function notes(metadata: BookMetadata, pages: ComicPages): string {
  const parts = [
    'Made with trawl.',
    ...(metadata.rights === undefined ? [] : [metadata.rights]),
    ...(metadata.attribution === undefined ? [] : [metadata.attribution]),
    ...(pages.missing.length === 0 ? [] : [`Missing: ${pages.missing.join('; ')}.`]),
  ]
  return parts.join('\n')
}

import type { BookMetadata } from '../../core/index.ts'
import { parseBookDate } from '../book-date.ts'
import { xmlText } from '../xml/index.ts'
import type { EpubPage } from './epub-page.ts'

/** What the package document is made of. */
export interface PackageInput {
  readonly metadata: BookMetadata
  readonly pages: readonly EpubPage[]
  readonly identifier: string
  readonly language: string
  /** Of the modification, in milliseconds since 1970. */
  readonly timeMs: number
}

/** Wider than this times its height, a page is a spread of its own. */
const spreadRatio = 1.2

/** The package document (EPUB 3.3, 5) of a book of fixed layout. */
export function packageXml(input: PackageInput): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="book-id"' +
      ` xml:lang="${xmlText(input.language)}">`,
    '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">',
    ...metadataLines(input),
    '</metadata>',
    '<manifest>',
    '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
    '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>',
    '<item id="style" href="style.css" media-type="text/css"/>',
    ...input.pages.flatMap((page, i) => manifestLines(page, i === 0)),
    '</manifest>',
    `<spine toc="ncx" page-progression-direction="${input.metadata.direction === 'rtl' ? 'rtl' : 'ltr'}">`,
    ...spineLines(input),
    '</spine>',
    '</package>\n',
  ].join('\n')
}

function metadataLines(input: PackageInput): string[] {
  const { metadata } = input
  const modified = `${new Date(input.timeMs).toISOString().slice(0, 19)}Z`
  const date = parseBookDate(metadata.date) ? metadata.date : undefined
  return [
    `<dc:identifier id="book-id">${xmlText(input.identifier)}</dc:identifier>`,
    element('dc:title', metadata.title),
    element('dc:language', input.language),
    ...people('dc:creator', 'aut', metadata.authors),
    ...people(
      'dc:creator',
      'art',
      metadata.artists?.filter((name) => metadata.authors?.includes(name) !== true),
    ),
    ...people('dc:contributor', 'trl', metadata.translators),
    element('dc:publisher', metadata.publisher),
    element('dc:date', date),
    element('dc:description', metadata.summary),
    ...(metadata.tags ?? []).map((tag) => element('dc:subject', tag)),
    element(
      'dc:rights',
      [metadata.rights, metadata.attribution].filter((part) => part !== undefined).join('\n'),
    ),
    element('dc:source', metadata.source),
    ...seriesLines(metadata),
    `<meta property="dcterms:modified">${modified}</meta>`,
    '<meta property="rendition:layout">pre-paginated</meta>',
    '<meta property="rendition:orientation">auto</meta>',
    `<meta property="rendition:spread">${metadata.direction === 'ttb' ? 'none' : 'landscape'}</meta>`,
    '<meta property="schema:accessMode">visual</meta>',
    '<meta property="schema:accessModeSufficient">visual</meta>',
    '<meta property="schema:accessibilityFeature">none</meta>',
    '<meta property="schema:accessibilityHazard">unknown</meta>',
    '<meta property="schema:accessibilitySummary">Pages are images; their text is not available.</meta>',
    '<meta name="cover" content="image-cover"/>',
  ].filter((line) => line !== '')
}

function element(name: string, value: string | undefined): string {
  return value === undefined || value.trim() === '' ? '' : `<${name}>${xmlText(value)}</${name}>`
}

/** People with their role (MARC relators). */
function people(name: string, role: string, names: readonly string[] | undefined): string[] {
  return (names ?? []).flatMap((person, i) => {
    const id = `${role}-${i + 1}`
    return [
      `<${name} id="${id}">${xmlText(person)}</${name}>`,
      `<meta refines="#${id}" property="role" scheme="marc:relators">${role}</meta>`,
    ]
  })
}

function seriesLines(metadata: BookMetadata): string[] {
  if (metadata.series === undefined || metadata.series === '') return []
  const place = metadata.number ?? (metadata.volume === undefined ? undefined : String(metadata.volume))
  return [
    `<meta property="belongs-to-collection" id="series">${xmlText(metadata.series)}</meta>`,
    '<meta refines="#series" property="collection-type">series</meta>',
    place === undefined || !/^\d+(\.\d+)*$/.test(place)
      ? ''
      : `<meta refines="#series" property="group-position">${place}</meta>`,
  ]
}

function manifestLines(page: EpubPage, cover: boolean): string[] {
  const id = cover ? 'image-cover' : `image-${page.key}`
  const properties = cover ? ' properties="cover-image"' : ''
  return [
    `<item id="${id}" href="images/${page.imageName}" media-type="${page.mediaType}"${properties}/>`,
    `<item id="page-${page.key}" href="pages/${page.key}.xhtml" media-type="application/xhtml+xml"/>`,
  ]
}

/**
 * Pages in order, each on its side: the first one alone where a book opens, then left and right by turns, or right
 * and left where the book is read from the right. A wide page stands alone, and after it the sides begin anew.
 */
function spineLines(input: PackageInput): string[] {
  const sides =
    input.metadata.direction === 'rtl' ? (['right', 'left'] as const) : (['left', 'right'] as const)
  let next = 1
  return input.pages.map((page) => {
    const wide = page.widthPx > page.heightPx * spreadRatio
    const property = wide ? 'rendition:page-spread-center' : `page-spread-${sides[next] ?? 'left'}`
    next = wide ? 0 : 1 - next
    return `<itemref idref="page-${page.key}" properties="${property}"/>`
  })
}

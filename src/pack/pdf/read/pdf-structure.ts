import type { BookMetadata, Chapter } from '../../../core/index.ts'
import { toRoman } from '../roman.ts'
import type { PdfDocument } from './pdf-document.ts'
import { nameOf, PdfRef, type PdfDict, type PdfObject } from './pdf-object.ts'

const maxItems = 100_000
const maxDepth = 40

/** What the information dictionary and the catalog say of a book. */
export function documentMetadata(document: PdfDocument): Partial<BookMetadata> {
  const info = document.dict(document.trailer.get('Info'))
  const catalog = document.dict(document.trailer.get('Root'))
  const viewer = document.dict(catalog.get('ViewerPreferences'))
  const [title, author, summary, keywords] = ['Title', 'Author', 'Subject', 'Keywords'].map((key) => {
    const text = document.text(info.get(key))
    return text === '' ? undefined : text
  })
  const language = document.text(catalog.get('Lang'))
  const direction = directionOf(
    nameOf(viewer.get('Direction')),
    nameOf(document.resolve(catalog.get('PageLayout'))),
  )
  return {
    ...(title === undefined ? {} : { title }),
    ...(author === undefined ? {} : { authors: author.split(/\s*;\s*/) }),
    ...(summary === undefined ? {} : { summary }),
    ...(keywords === undefined ? {} : { tags: keywords.split(/\s*[,;]\s*/) }),
    ...(language === undefined || language === '' ? {} : { language }),
    ...(direction === undefined ? {} : { direction }),
  }
}

function directionOf(reading: string | undefined, layout: string | undefined): BookMetadata['direction'] {
  if (reading === 'R2L') return 'rtl'
  return layout === 'OneColumn' ? 'ttb' : undefined
}

/** Chapters of the outline by the id of the page object they lead to. Named destinations are not followed. */
export function outlineChapters(document: PdfDocument): Map<number, Chapter[]> {
  const chapters = new Map<number, Chapter[]>()
  const outlines = document.dict(document.dict(document.trailer.get('Root')).get('Outlines'))
  let count = 0
  const walk = (first: PdfObject | undefined, depth: number) => {
    if (depth > maxDepth) return
    for (let ref = first; ref instanceof PdfRef && count < maxItems; count++) {
      const item = document.dict(ref)
      const page = pageOf(document, item)
      const title = document.text(item.get('Title'))
      if (page !== undefined && title !== undefined) {
        const list = chapters.get(page) ?? []
        list.push({ id: `outline-${ref.id}`, title, depth })
        chapters.set(page, list)
      }
      walk(item.get('First'), depth + 1)
      ref = item.get('Next')
    }
  }
  walk(outlines.get('First'), 0)
  return chapters
}

function pageOf(document: PdfDocument, item: PdfDict): number | undefined {
  const action = document.dict(item.get('A'))
  const target = document.resolve(item.get('Dest') ?? action.get('D'))
  const page = Array.isArray(target) ? target[0] : undefined
  return page instanceof PdfRef ? page.id : undefined
}

/** The labels of all pages, or undefined where the document has none (12.4.2). */
export function pageLabels(document: PdfDocument): ((page: number) => string) | undefined {
  const catalog = document.dict(document.trailer.get('Root'))
  if (!catalog.has('PageLabels')) return undefined
  const ranges: { readonly page: number; readonly dict: PdfDict }[] = []
  const walk = (ref: PdfObject | undefined, depth: number) => {
    const node = document.dict(ref)
    const nums = document.resolve(node.get('Nums'))
    for (let i = 0; Array.isArray(nums) && i + 1 < nums.length && ranges.length < maxItems; i += 2) {
      ranges.push({ page: Number(document.resolve(nums[i])), dict: document.dict(nums[i + 1]) })
    }
    const kids = document.resolve(node.get('Kids'))
    if (Array.isArray(kids) && depth < maxDepth) for (const kid of kids) walk(kid, depth + 1)
  }
  walk(catalog.get('PageLabels'), 0)
  ranges.sort((a, b) => a.page - b.page)
  return (page) => {
    const range = ranges.findLast((candidate) => candidate.page <= page)
    return range ? labelText(document, range.dict, page - range.page) : String(page + 1)
  }
}

function labelText(document: PdfDocument, dict: PdfDict, place: number): string {
  const prefix = document.text(dict.get('P')) ?? ''
  const number = (document.number(dict.get('St')) ?? 1) + place
  const style = nameOf(dict.get('S'))
  if (style === 'D') return `${prefix}${number}`
  if (style === 'r') return prefix + toRoman(number).toLowerCase()
  if (style === 'R') return prefix + toRoman(number)
  if (style !== 'a' && style !== 'A') return prefix
  const letter = String.fromCharCode((style === 'a' ? 97 : 65) + ((number - 1) % 26))
  return prefix + letter.repeat(Math.floor((number - 1) / 26) + 1)
}

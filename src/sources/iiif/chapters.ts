import type { Chapter } from '../../core/index.ts'
import type { IiifRange } from './model.ts'

/** A chapter and the page, from 0, at which it begins. */
export interface ChapterStart {
  readonly page: number
  readonly chapter: Chapter
}

/**
 * Ranges as chapters in the order of the pages: a chapter begins at the first page that it or anything below it
 * holds. Ranges without a page are left out; those without a title give their place to what is below them.
 */
export function chapterStarts(
  ranges: readonly IiifRange[],
  pageOf: ReadonlyMap<string, number>,
): readonly ChapterStart[] {
  const starts: ChapterStart[] = []
  const visit = (range: IiifRange, depth: number): void => {
    const page = firstPage(range, pageOf)
    if (page === undefined) return
    const { id, title } = range
    if (title !== undefined) starts.push({ page, chapter: { id, title, depth } })
    for (const item of range.items) if ('items' in item) visit(item, title === undefined ? depth : depth + 1)
  }
  for (const range of ranges) visit(range, 0)
  // The sort is stable, so parents stay before their children.
  starts.sort((a, b) => a.page - b.page)
  let last = -1
  return starts.map(({ page, chapter }) => {
    // Where ranges overlap, a deeper one may come to stand after a stranger.
    last = Math.min(chapter.depth, last + 1)
    return { page, chapter: { ...chapter, depth: last } }
  })
}

function firstPage(range: IiifRange, pageOf: ReadonlyMap<string, number>): number | undefined {
  let first: number | undefined
  for (const item of range.items) {
    const page = 'items' in item ? firstPage(item, pageOf) : pageOf.get(item.canvas)
    if (page !== undefined && (first === undefined || page < first)) first = page
  }
  return first
}

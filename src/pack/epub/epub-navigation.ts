import { chapterTitle } from '../chapter-title.ts'
import { xmlText } from '../xml/index.ts'
import type { EpubPage } from './epub-page.ts'

interface Entry {
  readonly title: string
  readonly href: string
  readonly depth: number
  readonly kids: Entry[]
}

/** Chapters as a tree by their depth; a book without chapters has one entry, itself. */
function contentsTree(pages: readonly EpubPage[], title: string): Entry[] {
  const top: Entry[] = []
  let path: Entry[] = []
  for (const page of pages) {
    for (const chapter of page.chapters) {
      const entry = { title: chapterTitle(chapter), href: hrefOf(page), depth: chapter.depth, kids: [] }
      path = path.filter((open) => open.depth < chapter.depth)
      const siblings = path.at(-1)?.kids ?? top
      siblings.push(entry)
      path.push(entry)
    }
  }
  const [first] = pages
  return top.length > 0 || !first ? top : [{ title, href: hrefOf(first), depth: 0, kids: [] }]
}

/** The navigation document (EPUB 3.3, 7): contents, list of pages, landmarks. */
export function navigationXhtml(pages: readonly EpubPage[], title: string, language: string): string {
  const [first] = pages
  const start = first ? hrefOf(first) : ''
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE html>',
    '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"' +
      ` lang="${xmlText(language)}" xml:lang="${xmlText(language)}">`,
    `<head><title>${xmlText(title)}</title></head>`,
    '<body>',
    `<nav epub:type="toc" id="toc"><h1>${xmlText(title)}</h1>`,
    listXhtml(contentsTree(pages, title)),
    '</nav>',
    '<nav epub:type="page-list" id="page-list" hidden="hidden"><ol>',
    ...pages.map((page) => `<li><a href="${hrefOf(page)}">${xmlText(page.label)}</a></li>`),
    '</ol></nav>',
    '<nav epub:type="landmarks" id="landmarks" hidden="hidden"><ol>',
    `<li><a epub:type="cover" href="${start}">Cover</a></li>`,
    `<li><a epub:type="bodymatter" href="${start}">Start</a></li>`,
    '</ol></nav>',
    '</body>',
    '</html>\n',
  ].join('\n')
}

/** The same for readers of EPUB 2 (OPF 2.0.1, NCX). */
export function ncxXml(pages: readonly EpubPage[], title: string, identifier: string): string {
  const tree = contentsTree(pages, title)
  let id = 0
  let order = 0
  let last = ''
  const points = (entries: readonly Entry[]): string =>
    entries
      .map((entry) => {
        // Entries with the same target must have the same place in the order of reading.
        if (entry.href !== last) order++
        last = entry.href
        return (
          `<navPoint id="nav-${++id}" playOrder="${order}"><navLabel><text>${xmlText(entry.title)}</text></navLabel>` +
          `<content src="${entry.href}"/>${points(entry.kids)}</navPoint>`
        )
      })
      .join('\n')
  const body = points(tree)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/" version="2005-1">',
    '<head>',
    `<meta name="dtb:uid" content="${xmlText(identifier)}"/>`,
    `<meta name="dtb:depth" content="${depthOf(tree)}"/>`,
    '<meta name="dtb:totalPageCount" content="0"/>',
    '<meta name="dtb:maxPageNumber" content="0"/>',
    '</head>',
    `<docTitle><text>${xmlText(title)}</text></docTitle>`,
    `<navMap>${body}</navMap>`,
    '</ncx>\n',
  ].join('\n')
}

function listXhtml(entries: readonly Entry[]): string {
  const items = entries.map((entry) => {
    const kids = entry.kids.length > 0 ? listXhtml(entry.kids) : ''
    return `<li><a href="${entry.href}">${xmlText(entry.title)}</a>${kids}</li>`
  })
  return `<ol>\n${items.join('\n')}\n</ol>`
}

function depthOf(entries: readonly Entry[]): number {
  return entries.length === 0 ? 0 : 1 + Math.max(...entries.map((entry) => depthOf(entry.kids)))
}

function hrefOf(page: EpubPage): string {
  return `pages/${page.key}.xhtml`
}

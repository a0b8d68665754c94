import type { Chapter } from '../../core/index.ts'
import { xmlText } from '../xml/index.ts'

/** What is kept of each page for the package and the navigation. */
export interface EpubPage {
  /** Number with leading zeros; names of files and ids come from it. */
  readonly key: string
  readonly imageName: string
  readonly mediaType: string
  readonly label: string
  readonly widthPx: number
  readonly heightPx: number
  readonly chapters: readonly Chapter[]
}

/** The XHTML of a page: nothing but its image, in a viewport of its size (EPUB 3.3, 8.2.2.6). */
export function pageXhtml(page: EpubPage): string {
  const title = xmlText(page.label)
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE html>',
    '<html xmlns="http://www.w3.org/1999/xhtml">',
    '<head>',
    `<title>${title}</title>`,
    `<meta name="viewport" content="width=${page.widthPx}, height=${page.heightPx}"/>`,
    '<link rel="stylesheet" type="text/css" href="../style.css"/>',
    '</head>',
    `<body><img src="../images/${page.imageName}" alt="Page ${title}"/></body>`,
    '</html>\n',
  ].join('\n')
}

/** One style for all pages: the image fills the viewport. */
export const pageStyle =
  'html, body { margin: 0; padding: 0; width: 100%; height: 100%; }\n' +
  'img { display: block; width: 100%; height: 100%; image-orientation: from-image; }\n'

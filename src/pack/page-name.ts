import type { ImageFormat } from '../images/index.ts'

/** Extensions of page files by format, with the dot. */
const formatExtensions: Readonly<Record<ImageFormat, string>> = {
  jpeg: '.jpg',
  png: '.png',
  webp: '.webp',
  gif: '.gif',
  avif: '.avif',
  heic: '.heic',
  tiff: '.tif',
  jp2: '.jp2',
  jxl: '.jxl',
  svg: '.svg',
  bmp: '.bmp',
}

/** Every format a page can have, for containers that do not look inside. */
export const anyImageFormat: readonly string[] = Object.keys(formatExtensions)

const pageExtension = /\.(jpe?g|jfif|png|webp|gif|avif|heic|heif|tiff?|jp2|j2k|jpf|jpx|jxl|svg|bmp)$/i

/** True for a file name that looks like a page, and is not one of the files that systems leave everywhere. */
export function isPageName(name: string): boolean {
  const parts = name.split('/')
  if (parts.includes('__MACOSX') || parts.some((part) => part.startsWith('.'))) return false
  return pageExtension.test(name)
}

const leastDigits = 4

/** `0001.jpg`: numbered from 1, with as many digits as the number of pages has, and four at least. */
export function pageName(index: number, format: ImageFormat, pageCount: number | undefined): string {
  const digits = Math.max(leastDigits, String(pageCount ?? 0).length)
  return String(index + 1).padStart(digits, '0') + formatExtensions[format]
}

import sharp from 'sharp'
import { glyph, GLYPH_HEIGHT, GLYPH_WIDTH } from '../src/images/placeholder/bitmap-font.ts'

/** One picture of the gallery. */
export interface Picture {
  /** Below the gallery, such as `pages/07.jpg`. */
  readonly path: string
  readonly bytes: Buffer
}

/** A made-up book of pictures: each page shows its number, so that a missing or misplaced one is seen at once. */
export interface Gallery {
  readonly pages: readonly Picture[]
  readonly thumbnails: readonly Picture[]
  /** The web page that shows the thumbnails; each leads to its page. */
  readonly html: string
}

const widthPx = 900
const heightPx = 1200
const thumbnailPx = 225

/** Draws the gallery; the same number of pages gives the same pictures. */
export async function makeGallery(pageCount: number): Promise<Gallery> {
  const pages: Picture[] = []
  const thumbnails: Picture[] = []
  for (let number = 1; number <= pageCount; number++) {
    const name = `${String(number).padStart(2, '0')}.jpg`
    const page = await sharp(Buffer.from(drawPage(number, pageCount)))
      .jpeg({ quality: 88 })
      .toBuffer()
    const thumbnail = await sharp(page).resize({ width: thumbnailPx }).jpeg().toBuffer()
    pages.push({ path: `pages/${name}`, bytes: page })
    thumbnails.push({ path: `thumbnails/${name}`, bytes: thumbnail })
  }
  return { pages, thumbnails, html: drawIndex(pages, thumbnails) }
}

function drawIndex(pages: readonly Picture[], thumbnails: readonly Picture[]): string {
  const links = thumbnails.map(({ path }, index) => {
    const image = `<img src="${path}" width="${thumbnailPx}" alt="The number ${index + 1}">`
    return `<a href="${pages[index]?.path}">${image}</a>`
  })
  return `<!doctype html><html lang="en"><title>Numbers</title><h1>Numbers</h1>\n${links.join('\n')}</html>`
}

/** A page as SVG: stripes and rings in a colour of its own, and its number. */
function drawPage(number: number, pageCount: number): string {
  const hue = Math.round((number * 360) / pageCount)
  const rings = Array.from({ length: 24 }, (_, i) => {
    const radius = 30 + i * 38 + (number % 7) * 5
    return `<circle cx="${(number * 137) % widthPx}" cy="${(number * 211) % heightPx}" r="${radius}"/>`
  })
  const stripes = Array.from({ length: 40 }, (_, i) => {
    const x = i * 45 - 450
    return `<path d="M${x} 0 l${150 + number * 9} ${heightPx}"/>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${widthPx}" height="${heightPx}">
    <rect width="100%" height="100%" fill="hsl(${hue},45%,88%)"/>
    <g fill="none" stroke="hsl(${hue},55%,60%)" stroke-width="9" opacity="0.55">${rings.join('')}</g>
    <g stroke="hsl(${(hue + 40) % 360},50%,55%)" stroke-width="3" opacity="0.4">${stripes.join('')}</g>
    <rect x="225" y="425" width="450" height="350" rx="40" fill="white" opacity="0.85"/>
    <g fill="hsl(${hue},60%,25%)">${drawNumber(number)}</g>
  </svg>`
}

/** The number as squares, since a machine may have no fonts. */
function drawNumber(number: number): string {
  const cellPx = 32
  const digits = String(number).padStart(2, '0').split('')
  const left = (widthPx - (digits.length * (GLYPH_WIDTH + 1) - 1) * cellPx) / 2
  const top = (heightPx - GLYPH_HEIGHT * cellPx) / 2
  const squares = digits.flatMap((digit, place) =>
    glyph(digit).flatMap((column, x) =>
      Array.from({ length: GLYPH_HEIGHT }, (_, y) => y)
        .filter((y) => (column >> y) & 1)
        .map((y) => {
          const at = left + (place * (GLYPH_WIDTH + 1) + x) * cellPx
          return `<rect x="${at}" y="${top + y * cellPx}" width="${cellPx}" height="${cellPx}"/>`
        }),
    ),
  )
  return squares.join('')
}

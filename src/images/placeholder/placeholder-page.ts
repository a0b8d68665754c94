import { loadSharp } from '../decode/load-sharp.ts'
import { glyph, GLYPH_HEIGHT, GLYPH_WIDTH, plainText } from './bitmap-font.ts'

export interface PlaceholderOptions {
  /** The first line is written larger. Long lines are wrapped. */
  readonly lines: readonly string[]
  readonly widthPx: number
  readonly heightPx: number
  /** Default `png`. */
  readonly format?: 'png' | 'jpg'
}

const PAPER = 246
const INK = 40
const FRAME = 190
/** One free column and three free rows around each character. */
const CELL_WIDTH = GLYPH_WIDTH + 1
const CELL_HEIGHT = GLYPH_HEIGHT + 4
const MAX_SCALE = 12
/** Characters of a full line at the usual size. */
const LINE_CHARACTERS = 36
const MAX_SIDE = 16_000

interface Sheet {
  readonly pixels: Buffer
  readonly widthPx: number
  readonly heightPx: number
}

/**
 * A plain page that says what is missing and why, such as `page 57 missing`. Drawn with a font of our own, so it looks
 * the same on every system. Sides are held between 16 and 16,000 pixels.
 */
export async function placeholderPage(options: PlaceholderOptions): Promise<Buffer> {
  const widthPx = side(options.widthPx)
  const heightPx = side(options.heightPx)
  const sheet: Sheet = { pixels: Buffer.alloc(widthPx * heightPx, PAPER), widthPx, heightPx }
  drawFrame(sheet)
  drawText(sheet, options.lines)
  const sharp = await loadSharp()
  const image = sharp(sheet.pixels, { raw: { width: widthPx, height: heightPx, channels: 1 } }).toColourspace(
    'b-w',
  )
  return options.format === 'jpg'
    ? image.jpeg({ quality: 90 }).toBuffer()
    : image.png({ compressionLevel: 9 }).toBuffer()
}

function side(px: number): number {
  return Math.min(MAX_SIDE, Math.max(16, Math.round(px) || 16))
}

function drawFrame(sheet: Sheet): void {
  const inset = Math.floor(Math.min(sheet.widthPx, sheet.heightPx) / 24)
  const [width, height] = [sheet.widthPx - 2 * inset, sheet.heightPx - 2 * inset]
  const line = Math.max(1, Math.floor(inset / 12))
  fill(sheet, { left: inset, top: inset, width, height: line }, FRAME)
  fill(sheet, { left: inset, top: inset + height - line, width, height: line }, FRAME)
  fill(sheet, { left: inset, top: inset, width: line, height }, FRAME)
  fill(sheet, { left: inset + width - line, top: inset, width: line, height }, FRAME)
}

function drawText(sheet: Sheet, lines: readonly string[]): void {
  const usable = Math.floor(sheet.widthPx * 0.84)
  const small = Math.min(MAX_SCALE, Math.max(1, Math.floor(usable / (LINE_CHARACTERS * CELL_WIDTH))))
  const set = lines.flatMap((text, i) => {
    const scale = i === 0 ? Math.ceil(small * 1.5) : small
    const fits = Math.max(1, Math.floor(usable / (CELL_WIDTH * scale)))
    return wrap(plainText(text), fits).map((line) => ({ line, scale }))
  })
  const total = set.reduce((sum, { scale }) => sum + CELL_HEIGHT * scale, 0)
  let top = Math.max(0, Math.floor((sheet.heightPx - total) / 2))
  for (const { line, scale } of set) {
    const left = Math.floor((sheet.widthPx - line.length * CELL_WIDTH * scale) / 2)
    drawLine(sheet, line, { left, top, scale })
    top += CELL_HEIGHT * scale
  }
}

function drawLine(
  sheet: Sheet,
  line: string,
  place: { readonly left: number; readonly top: number; readonly scale: number },
): void {
  const { left, top, scale } = place
  for (const [i, character] of Array.from(line).entries()) {
    for (const [x, bits] of glyph(character).entries()) {
      for (let y = 0; y < GLYPH_HEIGHT; y++) {
        if (((bits >> y) & 1) === 0) continue
        const dot = {
          left: left + (i * CELL_WIDTH + x) * scale,
          top: top + y * scale,
          width: scale,
          height: scale,
        }
        fill(sheet, dot, INK)
      }
    }
  }
}

function fill(
  sheet: Sheet,
  area: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
  value: number,
): void {
  const from = Math.max(0, area.left)
  const to = Math.min(sheet.widthPx, area.left + area.width)
  const bottom = Math.min(sheet.heightPx, area.top + area.height)
  if (to <= from) return
  for (let y = Math.max(0, area.top); y < bottom; y++) {
    sheet.pixels.fill(value, y * sheet.widthPx + from, y * sheet.widthPx + to)
  }
}

/** Breaks a text at spaces, and words that are too long anywhere. */
function wrap(text: string, characters: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    let rest = word
    if (line !== '' && line.length + 1 + rest.length > characters) {
      lines.push(line)
      line = ''
    }
    for (; rest.length > characters; rest = rest.slice(characters)) lines.push(rest.slice(0, characters))
    line = line === '' ? rest : `${line} ${rest}`
  }
  return line === '' ? lines : [...lines, line]
}

import { TrawlError } from '../../../core/index.ts'
import type { PdfDocument, PdfStream } from './pdf-document.ts'
import { PdfInputEnd, PdfLexer, PdfSyntaxError } from './pdf-lexer.ts'
import { nameOf, PdfKeyword, PdfName, PdfRef, type PdfDict, type PdfObject } from './pdf-object.ts'

/** A page of a PDF. */
export interface PdfPage {
  readonly id: number
  readonly dict: PdfDict
  /** Its own or inherited. */
  readonly resources: PdfDict
  /** Degrees clockwise, 0 to 270. */
  readonly rotate: number
}

/** An image that a page paints, with the matrix that places it. */
export interface PaintedImage {
  readonly stream: PdfStream
  readonly matrix: Matrix
}

export type Matrix = readonly [number, number, number, number, number, number]

const maxDepth = 60
const maxContentBytes = 16 * 1024 * 1024

/** The pages in order, lazily (ISO 32000-1, 7.7.3). Throws ERR_PACK_DAMAGED. */
export function* pdfPages(document: PdfDocument): IterableIterator<PdfPage> {
  const catalog = document.dict(document.trailer.get('Root'))
  yield* pagesBelow(document, catalog.get('Pages'), { resources: new Map(), rotate: 0, depth: 0 })
}

interface Inherited {
  readonly resources: PdfDict
  readonly rotate: number
  readonly depth: number
}

function* pagesBelow(
  document: PdfDocument,
  ref: PdfObject | undefined,
  inherited: Inherited,
): IterableIterator<PdfPage> {
  if (inherited.depth > maxDepth) throw document.file.damaged(0, 'the page tree is too deep')
  const dict = document.dict(ref)
  const resources = dict.has('Resources') ? document.dict(dict.get('Resources')) : inherited.resources
  const turn = document.number(dict.get('Rotate')) ?? inherited.rotate
  const rotate = ((turn % 360) + 360) % 360
  const kids = document.resolve(dict.get('Kids'))
  if (Array.isArray(kids)) {
    for (const kid of kids)
      yield* pagesBelow(document, kid, { resources, rotate, depth: inherited.depth + 1 })
  } else if (dict.size > 0) {
    yield { id: ref instanceof PdfRef ? ref.id : 0, dict, resources, rotate }
  }
}

/**
 * The images that a page paints, in order. Only pages that are nothing but images are understood: text that is not
 * invisible, drawings, forms and inline images throw ERR_PACK_UNSUPPORTED.
 */
export function paintedImages(document: PdfDocument, page: PdfPage): PaintedImage[] {
  const images: PaintedImage[] = []
  const objects = document.dict(page.resources.get('XObject'))
  const stack: Matrix[] = []
  let matrix: Matrix = [1, 0, 0, 1, 0, 0]
  let invisibleText = false
  for (const { operator, operands } of operations(document, page)) {
    if (operator === 'q') stack.push(matrix)
    else if (operator === 'Q') matrix = stack.pop() ?? matrix
    else if (operator === 'cm') matrix = multiply(operands.map(Number), matrix)
    else if (operator === 'Tr') invisibleText = operands[0] === 3
    else if (operator === 'Do') {
      const name = operands[0] instanceof PdfName ? operands[0].name : ''
      const stream = document.stream(objects.get(name))
      if (!stream || nameOf(stream.dict.get('Subtype')) !== 'Image') throw notImages(document, 'a form')
      images.push({ stream, matrix })
    } else if (showsText.has(operator) && !invisibleText) throw notImages(document, 'text')
    else if (paints.has(operator)) throw notImages(document, 'a drawing')
  }
  return images
}

const showsText: ReadonlySet<string> = new Set(['Tj', 'TJ', "'", '"'])
const paints: ReadonlySet<string> = new Set(['S', 's', 'f', 'F', 'f*', 'B', 'B*', 'b', 'b*', 'sh', 'BI'])

interface Operation {
  readonly operator: string
  readonly operands: readonly PdfObject[]
}

function* operations(document: PdfDocument, page: PdfPage): IterableIterator<Operation> {
  const lexer = new PdfLexer(contentOf(document, page))
  let operands: PdfObject[] = []
  while (lexer.skip()) {
    const token = next(document, lexer)
    if (token instanceof PdfKeyword) {
      yield { operator: token.word, operands }
      operands = []
    } else operands.push(token)
  }
}

function next(document: PdfDocument, lexer: PdfLexer): PdfObject {
  try {
    return lexer.object()
  } catch (error) {
    if (error instanceof PdfInputEnd || error instanceof PdfSyntaxError) {
      throw document.file.damaged(0, `the content of a page cannot be read: ${error.message}`)
    }
    throw error
  }
}

/** The content streams of a page, joined as 7.8.2 says. */
function contentOf(document: PdfDocument, page: PdfPage): Buffer {
  const contents = page.dict.get('Contents')
  const resolved = document.resolve(contents)
  const parts: Buffer[] = []
  for (const ref of Array.isArray(resolved) ? resolved : [contents]) {
    const stream = document.stream(ref)
    if (!stream) continue
    if (stream.length > maxContentBytes) throw notImages(document, 'a drawing')
    parts.push(document.decoded(stream), Buffer.from('\n'))
  }
  return Buffer.concat(parts)
}

function multiply(left: readonly number[], right: Matrix): Matrix {
  const [a = 1, b = 0, c = 0, d = 1, e = 0, f = 0] = left
  const [g, h, i, j, k, l] = right
  return [a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l]
}

function notImages(document: PdfDocument, what: string): TrawlError {
  return new TrawlError(
    'ERR_PACK_UNSUPPORTED',
    `${document.file.path}: PDF: a page has ${what}, not only images`,
    {
      hint: 'Only PDFs whose pages are images can be taken apart.',
    },
  )
}

/**
 * The EXIF orientation that a matrix and a rotation of the page come to: how the stored pixels must be turned to
 * look as they do on the page. Slight slants count as none.
 */
export function orientationOf(matrix: Matrix, rotate: number): number {
  const [a, b, c, d] = matrix
  const sideways = Math.abs(b) + Math.abs(c) > Math.abs(a) + Math.abs(d)
  const signs = sideways
    ? `s${b > 0 ? '+' : '-'}${c > 0 ? '+' : '-'}`
    : `u${a >= 0 ? '+' : '-'}${d >= 0 ? '+' : '-'}`
  const placed =
    { 'u++': 1, 'u-+': 2, 'u--': 3, 'u+-': 4, 's--': 5, 's-+': 6, 's++': 7, 's+-': 8 }[signs] ?? 1
  let orientation = placed
  for (let turn = 0; turn < rotate; turn += 90) orientation = clockwise[orientation] ?? 1
  return orientation
}

/** The orientation after one more quarter turn clockwise. */
const clockwise: Readonly<Record<number, number>> = { 1: 6, 6: 3, 3: 8, 8: 1, 2: 7, 7: 4, 4: 5, 5: 2 }

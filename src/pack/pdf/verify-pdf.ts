import { isTrawlError, TrawlError } from '../../core/index.ts'
import { PdfFile } from './read/pdf-file.ts'
import { nameOf, PdfRef, type PdfDict } from './read/pdf-object.ts'
import { readXref, type Xref } from './read/pdf-xref.ts'

/** What the writer knows of the file it wrote. */
export interface PdfExpectation {
  readonly path: string
  readonly sizeBytes: number
  readonly pages: number
}

/**
 * Reads a finished PDF back: cross-reference and trailer, every offset leads to its object, every stream ends where
 * its length says, and there are as many pages as were added. Throws ERR_PACK_READBACK.
 */
export function verifyPdf(fd: number, expected: PdfExpectation): void {
  try {
    check(new PdfFile(fd, expected.path), expected)
  } catch (error) {
    if (!isTrawlError(error) || error.code !== 'ERR_PACK_DAMAGED') throw error
    throw failed(expected, error.message)
  }
}

function check(file: PdfFile, expected: PdfExpectation): void {
  if (file.sizeBytes !== expected.sizeBytes) {
    throw failed(expected, `${file.sizeBytes} bytes, ${expected.sizeBytes} written`)
  }
  const xref = readXref(file)
  const { entries, trailer } = xref
  let pages = 0
  for (const [id, entry] of entries) {
    if (entry.kind !== 'offset') throw failed(expected, `object ${id} lies in an object stream`)
    const object = file.objectAt(entry.offset)
    if (object.id !== id) throw failed(expected, `object ${object.id} stands where ${id} should`)
    if (!(object.value instanceof Map)) continue
    if (object.streamStart !== undefined) checkStream(file, object.value, object.streamStart, expected)
    if (nameOf(object.value.get('Type')) === 'Page') pages++
  }
  const size = trailer.get('Size')
  if (typeof size !== 'number' || entries.size > size) throw failed(expected, 'the trailer has a wrong size')
  const counted = follow(file, xref, follow(file, xref, trailer, 'Root'), 'Pages').get('Count')
  if (pages !== expected.pages || counted !== expected.pages)
    throw failed(expected, `${pages} pages, ${expected.pages} added`)
}

/** The dictionary that an entry of another one refers to. */
function follow(file: PdfFile, xref: Xref, dict: PdfDict, key: string): PdfDict {
  const ref = dict.get(key)
  const entry = ref instanceof PdfRef ? xref.entries.get(ref.id) : undefined
  const value = entry?.kind === 'offset' ? file.objectAt(entry.offset).value : undefined
  if (value instanceof Map) return value
  throw file.damaged(file.sizeBytes, `nothing stands where /${key} leads`)
}

function checkStream(file: PdfFile, dict: PdfDict, start: number, expected: PdfExpectation): void {
  const length = dict.get('Length')
  const end = typeof length === 'number' ? file.bytes(start + length, 10).toString('latin1') : ''
  if (end !== '\nendstream')
    throw failed(expected, `the stream at byte ${start} does not end where it should`)
}

function failed(expected: PdfExpectation, reason: string): TrawlError {
  return new TrawlError('ERR_PACK_READBACK', `${expected.path}: read back: ${reason}`, {
    context: { path: expected.path },
  })
}

import { inflateSync } from 'node:zlib'
import type { PdfFile, TableSection } from './pdf-file.ts'
import { nameOf, PdfRef, type PdfDict, type PdfObject } from './pdf-object.ts'
import { undoPredictor } from './predictor.ts'

/** Where an object is: at an offset of the file, or inside an object stream. */
export type XrefEntry =
  | { readonly kind: 'offset'; readonly offset: number }
  | { readonly kind: 'packed'; readonly stream: number; readonly index: number }

export interface Xref {
  readonly entries: ReadonlyMap<number, XrefEntry>
  readonly trailer: PdfDict
}

const maxUpdates = 1000
const maxXrefBytes = 512 * 1024 * 1024
const tailBytes = 2048

/**
 * Reads the cross-reference of a PDF: tables, streams and hybrids, newest first through all updates
 * (ISO 32000-1, 7.5.4, 7.5.8). Throws ERR_PACK_DAMAGED.
 */
export function readXref(file: PdfFile): Xref {
  const entries = new Map<number, XrefEntry | undefined>()
  let trailer: PdfDict | undefined
  const seen = new Set<number>()
  const queue = [startOf(file)]
  for (let at = queue.shift(); at !== undefined; at = queue.shift()) {
    if (seen.has(at) || seen.size > maxUpdates) continue
    seen.add(at)
    const section = file.tableAt(at)
    const dict = section
      ? readTable(file, section.sections, entries, section.trailer)
      : readStream(file, at, entries)
    trailer ??= dict
    for (const key of ['XRefStm', 'Prev']) {
      const next = dict.get(key)
      if (typeof next === 'number') queue.push(next)
    }
  }
  if (!trailer?.has('Root')) throw file.damaged(file.sizeBytes, 'the trailer names no catalog')
  const present = [...entries].filter((pair): pair is [number, XrefEntry] => pair[1] !== undefined)
  return { entries: new Map(present), trailer }
}

function startOf(file: PdfFile): number {
  const from = Math.max(0, file.sizeBytes - tailBytes)
  const tail = file.bytes(from, tailBytes).toString('latin1')
  const match = /startxref\s+(\d+)\s+%%EOF\s*$/.exec(tail) ?? /startxref\s+(\d+)\s+%%EOF/.exec(tail)
  if (!match) throw file.damaged(from, 'no startxref at the end; the file may be cut')
  return Number(match[1])
}

/** Entries of newer sections are there already and stay. */
function readTable(
  file: PdfFile,
  sections: readonly TableSection[],
  entries: Map<number, XrefEntry | undefined>,
  trailer: PdfDict,
): PdfDict {
  for (const { first, count, start } of sections) {
    if (count * 20 > maxXrefBytes) throw file.damaged(start, 'the cross-reference table is too long')
    const lines = file.bytes(start, count * 20).toString('latin1')
    for (let i = 0; i < count; i++) {
      const match = /^(\d{10}) (\d{5}) ([nf])/.exec(lines.slice(i * 20, i * 20 + 20))
      if (!match) throw file.damaged(start + i * 20, 'an entry of the cross-reference table is broken')
      if (entries.has(first + i)) continue
      entries.set(first + i, match[3] === 'n' ? { kind: 'offset', offset: Number(match[1]) } : undefined)
    }
  }
  return trailer
}

function readStream(file: PdfFile, at: number, entries: Map<number, XrefEntry | undefined>): PdfDict {
  const { value: dict, streamStart } = file.objectAt(at)
  if (!(dict instanceof Map) || streamStart === undefined || nameOf(dict.get('Type')) !== 'XRef') {
    throw file.damaged(at, 'no cross-reference stands here')
  }
  const rows = decode(file, at, dict, streamStart)
  const widths = numbers(dict.get('W'))
  const rowBytes = widths.reduce((sum, width) => sum + width, 0)
  const size = Number(dict.get('Size') ?? 0)
  const index = dict.has('Index') ? numbers(dict.get('Index')) : [0, size]
  if (widths.length !== 3 || widths.some((width) => width < 0 || width > 8) || rowBytes === 0) {
    throw file.damaged(at, 'the widths of the cross-reference stream are broken')
  }
  let row = 0
  for (let section = 0; section + 1 < index.length; section += 2) {
    for (let i = 0; i < (index[section + 1] ?? 0) && (row + 1) * rowBytes <= rows.length; i++, row++) {
      const id = (index[section] ?? 0) + i
      if (!entries.has(id))
        entries.set(id, entryOf(rows.subarray(row * rowBytes, (row + 1) * rowBytes), widths))
    }
  }
  return dict
}

function decode(file: PdfFile, at: number, dict: PdfDict, start: number): Buffer {
  const length = dict.get('Length')
  // A reference cannot be resolved without this table.
  if (typeof length !== 'number') throw file.damaged(at, 'the cross-reference stream has no length')
  const raw = file.bytes(start, length)
  if (!dict.has('Filter')) return raw
  try {
    const data = inflateSync(raw, { maxOutputLength: maxXrefBytes })
    const parms = dict.get('DecodeParms')
    if (!(parms instanceof Map)) return data
    return undoPredictor(data, {
      predictor: Number(parms.get('Predictor') ?? 1),
      colors: Number(parms.get('Colors') ?? 1),
      bitsPerComponent: Number(parms.get('BitsPerComponent') ?? 8),
      columns: Number(parms.get('Columns') ?? 1),
    })
  } catch {
    throw file.damaged(at, 'the cross-reference stream cannot be decoded')
  }
}

function entryOf(row: Buffer, widths: readonly number[]): XrefEntry | undefined {
  const [typeWidth = 0, secondWidth = 0, thirdWidth = 0] = widths
  const type = typeWidth === 0 ? 1 : number(row, 0, typeWidth)
  const second = number(row, typeWidth, secondWidth)
  if (type === 1) return { kind: 'offset', offset: second }
  if (type === 2)
    return { kind: 'packed', stream: second, index: number(row, typeWidth + secondWidth, thirdWidth) }
  return undefined
}

function number(row: Buffer, at: number, width: number): number {
  let value = 0
  for (let i = 0; i < width; i++) value = value * 256 + (row[at + i] ?? 0)
  return value
}

function numbers(value: PdfObject | undefined): number[] {
  return Array.isArray(value) ? value.map((item) => (item instanceof PdfRef ? -1 : Number(item))) : []
}

import { isUtf8 } from 'node:buffer'
import type { RowProblem, TableRow } from './table-row.ts'

/** A record that is longer is taken as damaged: most likely a quote was never closed. */
const maxRecordBytes = 4 * 1024 * 1024

const quote = 0x22
const lineFeed = 0x0a
const carriageReturn = 0x0d

export interface CsvOptions {
  /** One ASCII character. */
  readonly delimiter: string
  /** The names of all columns, in the order of the file. */
  readonly header: readonly string[]
  /** The columns whose values are wanted. */
  readonly columns: readonly string[]
}

interface Cell {
  readonly start: number
  readonly end: number
  /** Holds doubled quotes. */
  readonly escaped: boolean
}

type Scan =
  | { readonly kind: 'record'; readonly cells: Cell[]; readonly next: number }
  | { readonly kind: 'more' }
  | { readonly kind: 'malformed'; readonly cell: number; readonly reason: string }

/**
 * Reads CSV or TSV (RFC 4180, LF or CRLF) record by record, without the header, in batches. Slower than DuckDB,
 * but gives every row: one that cannot be parsed is named with its line and column, and reading goes on at the
 * next line, so an open quote costs one row. Empty cells are null; blank lines are no rows, unless the table has
 * one column.
 */
export async function* csvRows(
  chunks: AsyncIterable<Buffer>,
  options: CsvOptions,
): AsyncIterableIterator<TableRow[]> {
  let first = true
  for await (const records of csvRecords(chunks, options.delimiter, options.header.length)) {
    const rows = records.slice(first ? 1 : 0).map((record) => rowOf(record, options))
    first = false
    yield rows
  }
}

/** The names in the first record of a CSV table; empty where the table is. */
export async function csvHeader(chunks: AsyncIterable<Buffer>, delimiter: string): Promise<string[]> {
  for await (const records of csvRecords(chunks, delimiter, 0)) {
    const record = records[0]
    if (record) return record.cells.map((cell) => cellText(record.bytes, cell) ?? '')
  }
  return []
}

interface CsvRecord {
  readonly bytes: Buffer
  readonly cells: readonly Cell[]
  readonly line: number
  readonly malformed?: { readonly cell: number; readonly reason: string }
}

async function* csvRecords(
  chunks: AsyncIterable<Buffer>,
  delimiter: string,
  width: number,
): AsyncIterableIterator<CsvRecord[]> {
  const reader = new RecordReader(delimiter.charCodeAt(0), width)
  for await (const chunk of chunks) {
    const records = reader.push(chunk)
    if (records.length > 0) yield records
  }
  const rest = reader.end()
  if (rest.length > 0) yield rest
}

class RecordReader {
  readonly #delimiter: number
  /** Columns a record should have; 0 where that is not known yet. */
  readonly #width: number
  #pending: Buffer = Buffer.alloc(0)
  #line = 1
  /** The rest of an overlong line is being thrown away. */
  #skipping = false

  constructor(delimiter: number, width: number) {
    this.#delimiter = delimiter
    this.#width = width
  }

  push(chunk: Buffer): CsvRecord[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    return this.#take(false)
  }

  end(): CsvRecord[] {
    return this.#take(true)
  }

  #take(atEnd: boolean): CsvRecord[] {
    const bytes = this.#pending
    const out: CsvRecord[] = []
    let at = 0
    while (at < bytes.length) {
      if (this.#skipping) {
        const end = bytes.indexOf(lineFeed, at)
        this.#skipping = end < 0
        if (end >= 0) this.#line++
        at = end < 0 ? bytes.length : end + 1
        continue
      }
      let scan = scanRecord(bytes, at, this.#delimiter, atEnd)
      if (scan.kind === 'more') {
        if (bytes.length - at <= maxRecordBytes) break
        scan = { kind: 'malformed', cell: 0, reason: 'longer than 4 MiB, or a quote is not closed' }
      }
      at = scan.kind === 'record' ? this.#whole(bytes, at, scan, out) : this.#torn(bytes, at, scan, out)
    }
    this.#pending = bytes.subarray(at)
    return out
  }

  #whole(bytes: Buffer, at: number, scan: Extract<Scan, { kind: 'record' }>, out: CsvRecord[]): number {
    const only = scan.cells.length === 1 ? scan.cells[0] : undefined
    const blank = only !== undefined && only.start === only.end && bytes[at] !== quote
    const lines = countLines(bytes, at, scan.next)
    // A record of several lines and the wrong width began with a quote that was closed by another cell's.
    if (lines > 1 && this.#width > 0 && scan.cells.length !== this.#width) {
      return this.#torn(bytes, at, { kind: 'malformed', cell: 0, reason: 'a quote is not closed' }, out)
    }
    if (!blank || this.#width === 1) out.push({ bytes, cells: scan.cells, line: this.#line })
    this.#line += lines
    return scan.next
  }

  /** One bad row for the line where it went wrong; reading goes on behind that line. */
  #torn(bytes: Buffer, at: number, scan: Extract<Scan, { kind: 'malformed' }>, out: CsvRecord[]): number {
    const newline = bytes.indexOf(lineFeed, at)
    const end = newline < 0 ? bytes.length : newline
    this.#skipping = newline < 0
    out.push({
      bytes,
      cells: splitPlain(bytes, at, end, this.#delimiter),
      line: this.#line,
      malformed: { cell: scan.cell, reason: scan.reason },
    })
    if (newline >= 0) this.#line++
    return newline < 0 ? bytes.length : newline + 1
  }
}

function scanRecord(bytes: Buffer, start: number, delimiter: number, atEnd: boolean): Scan {
  const cells: Cell[] = []
  let at = start
  for (;;) {
    const cell = bytes[at] === quote ? quotedCell(bytes, at, atEnd) : plainCell(bytes, at, delimiter, atEnd)
    if (cell === 'more') return { kind: 'more' }
    if (cell === 'open') return { kind: 'malformed', cell: cells.length, reason: 'a quote is not closed' }
    cells.push(cell)
    at = bytes[at] === quote ? cell.end + 1 : cell.end
    if (bytes[at] === carriageReturn && (bytes[at + 1] === lineFeed || (atEnd && at + 1 === bytes.length)))
      at++
    if (at >= bytes.length) return atEnd ? { kind: 'record', cells, next: at } : { kind: 'more' }
    if (bytes[at] === lineFeed) return { kind: 'record', cells, next: at + 1 }
    if (bytes[at] !== delimiter) {
      if (bytes[at] === carriageReturn && at + 1 === bytes.length) return { kind: 'more' }
      return { kind: 'malformed', cell: cells.length - 1, reason: 'there is text after a closing quote' }
    }
    at++
  }
}

function quotedCell(bytes: Buffer, at: number, atEnd: boolean): Cell | 'more' | 'open' {
  let escaped = false
  let from = at + 1
  for (;;) {
    const end = bytes.indexOf(quote, from)
    if (end < 0) return atEnd ? 'open' : 'more'
    if (end + 1 >= bytes.length && !atEnd) return 'more'
    if (bytes[end + 1] !== quote) return { start: at + 1, end, escaped }
    escaped = true
    from = end + 2
  }
}

function plainCell(bytes: Buffer, at: number, delimiter: number, atEnd: boolean): Cell | 'more' {
  let end = at
  while (end < bytes.length && bytes[end] !== delimiter && bytes[end] !== lineFeed) end++
  if (end >= bytes.length && !atEnd) return 'more'
  const last = bytes[end] !== delimiter && end > at && bytes[end - 1] === carriageReturn
  return { start: at, end: last ? end - 1 : end, escaped: false }
}

function splitPlain(bytes: Buffer, start: number, end: number, delimiter: number): Cell[] {
  const cells: Cell[] = []
  for (let at = start; at <= end;) {
    const found = bytes.indexOf(delimiter, at)
    const stop = found < 0 || found > end ? end : found
    cells.push({ start: at, end: stop, escaped: false })
    at = stop + 1
  }
  return cells
}

function rowOf(record: CsvRecord, options: CsvOptions): TableRow {
  const problem = problemOf(record, options)
  const values = options.columns.map((column) => {
    const cell = record.cells[options.header.indexOf(column)]
    return cell === undefined ? null : cellText(record.bytes, cell)
  })
  return problem === undefined ? { values } : { values, problem }
}

function problemOf(record: CsvRecord, { header }: CsvOptions): RowProblem | undefined {
  const { cells, bytes, line, malformed } = record
  const name = (index: number): { column?: string } => {
    const column = header[index]
    return column === undefined ? {} : { column }
  }
  if (malformed) return { line, ...name(malformed.cell), reason: malformed.reason }
  const found = `the row has ${cells.length} of ${header.length} columns`
  if (cells.length < header.length) return { line, ...name(cells.length), reason: `missing: ${found}` }
  if (cells.length > header.length)
    return { line, reason: `the row has ${cells.length} columns, the header ${header.length}` }
  const bad = cells.findIndex((cell) => !isUtf8(bytes.subarray(cell.start, cell.end)))
  return bad < 0 ? undefined : { line, ...name(bad), reason: 'not valid UTF-8' }
}

function cellText(bytes: Buffer, cell: Cell): string | null {
  if (cell.start >= cell.end) return null
  const text = bytes.toString('utf8', cell.start, cell.end)
  return cell.escaped ? text.replaceAll('""', '"') : text
}

function countLines(bytes: Buffer, start: number, end: number): number {
  let lines = 0
  for (let at = bytes.indexOf(lineFeed, start); at >= 0 && at < end; at = bytes.indexOf(lineFeed, at + 1))
    lines++
  return lines
}

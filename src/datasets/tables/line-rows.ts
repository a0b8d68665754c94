import { isUtf8 } from 'node:buffer'
import type { TableRow } from './table-row.ts'

/** A line that is longer is taken as damaged. */
const maxLineBytes = 16 * 1024 * 1024
const lineFeed = 0x0a

interface Line {
  /** Without its end; undefined where the line is longer than 16 MiB. */
  readonly bytes: Buffer | undefined
  /** From 1. */
  readonly number: number
}

/**
 * Reads a plain list: one URL a line, blanks around it cut; blank lines and those that begin with `#` are no rows.
 * A line that is not UTF-8 or too long is a row with a problem.
 */
export async function* listRows(
  chunks: AsyncIterable<Buffer>,
  column: string,
): AsyncIterableIterator<TableRow[]> {
  for await (const lines of textLines(chunks)) {
    const rows: TableRow[] = []
    for (const { bytes, number } of lines) {
      const text = bytes?.toString('utf8').trim()
      if (text === '' || text?.startsWith('#') === true) continue
      const reason = lineProblem(bytes)
      if (reason === undefined) rows.push({ values: [text ?? null] })
      else rows.push({ values: [null], problem: { line: number, column, reason } })
    }
    yield rows
  }
}

/** Type names of JSON values, as DuckDB's `json_type` gives them. */
export type JsonTag = 'VARCHAR' | 'BIGINT' | 'DOUBLE' | 'BOOLEAN' | 'ARRAY' | 'OBJECT'

/**
 * Reads JSON Lines row by row. Each column asked for gives two values: its text (strings as they are, everything
 * else as JSON) and its JSON type. Blank lines are no rows; a line that is not a JSON object is a row with a
 * problem.
 */
export async function* jsonlRows(
  chunks: AsyncIterable<Buffer>,
  columns: readonly string[],
): AsyncIterableIterator<TableRow[]> {
  for await (const lines of textLines(chunks)) {
    const rows: TableRow[] = []
    for (const { bytes, number } of lines) {
      if (bytes?.toString('latin1').trim() === '') continue
      rows.push(jsonRow(bytes, number, columns))
    }
    yield rows
  }
}

/** The names of the fields in the first lines of a JSON Lines table, in the order they appear. */
export async function jsonlColumns(chunks: AsyncIterable<Buffer>, maxLines: number): Promise<string[]> {
  const names = new Set<string>()
  let seen = 0
  for await (const lines of textLines(chunks)) {
    for (const { bytes } of lines) {
      const value = bytes === undefined ? undefined : parseObject(bytes.toString('utf8'))
      for (const name of Object.keys(typeof value === 'object' ? value : {})) names.add(name)
      if (++seen >= maxLines) return [...names]
    }
  }
  return [...names]
}

async function* textLines(chunks: AsyncIterable<Buffer>): AsyncIterableIterator<Line[]> {
  let pending: Buffer[] = []
  let pendingBytes = 0
  let number = 1
  const take = (tail: Buffer): Line => {
    const bytes = pending.length === 0 ? tail : Buffer.concat([...pending, tail])
    const tooLong = pendingBytes + tail.length > maxLineBytes
    pending = []
    pendingBytes = 0
    return { bytes: tooLong ? undefined : bytes, number: number++ }
  }
  for await (const chunk of chunks) {
    const lines: Line[] = []
    let at = 0
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, at)) {
      lines.push(take(chunk.subarray(at, end)))
      at = end + 1
    }
    const rest = chunk.subarray(at)
    pendingBytes += rest.length
    if (pendingBytes <= maxLineBytes) pending.push(rest)
    else pending = []
    if (lines.length > 0) yield lines
  }
  if (pendingBytes > 0) yield [take(Buffer.alloc(0))]
}

function lineProblem(bytes: Buffer | undefined): string | undefined {
  if (bytes === undefined) return 'the line is longer than 16 MiB'
  return isUtf8(bytes) ? undefined : 'not valid UTF-8'
}

function jsonRow(bytes: Buffer | undefined, line: number, columns: readonly string[]): TableRow {
  const problem = lineProblem(bytes)
  const parsed = bytes === undefined ? undefined : parseObject(bytes.toString('utf8'))
  const reason = problem ?? (typeof parsed === 'object' ? undefined : (parsed ?? 'not an object'))
  const object = typeof parsed === 'object' && problem === undefined ? parsed : {}
  const values = columns.flatMap((column) => taggedValue(object, column))
  return reason === undefined ? { values } : { values, problem: { line, reason } }
}

/** The object on a line, or what is wrong with it. */
function parseObject(text: string): Record<string, unknown> | string {
  try {
    const value: unknown = JSON.parse(text, hasLongNumber.test(text) ? keepLongNumber : undefined)
    return isObject(value) ? value : 'not a JSON object'
  } catch (error) {
    return `not valid JSON: ${error instanceof Error ? error.message.split(' (line')[0] : String(error)}`
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const hasLongNumber = /\d{16}/

class LongNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toJSON(): unknown {
    return Number(this.text)
  }
}

/** Whole numbers that a double cannot hold are kept as their text. */
function keepLongNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source
  const long = typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value)
  return long && /^-?\d+$/.test(source) ? new LongNumber(source) : value
}

function taggedValue(object: Record<string, unknown>, column: string): [string | null, JsonTag | null] {
  const value = Object.hasOwn(object, column) ? object[column] : null
  if (value === null || value === undefined) return [null, null]
  if (typeof value === 'string') return [value, 'VARCHAR']
  if (typeof value === 'boolean') return [String(value), 'BOOLEAN']
  if (typeof value === 'number') return [JSON.stringify(value), Number.isInteger(value) ? 'BIGINT' : 'DOUBLE']
  if (value instanceof LongNumber) return [value.text, 'BIGINT']
  return [JSON.stringify(value), Array.isArray(value) ? 'ARRAY' : 'OBJECT']
}

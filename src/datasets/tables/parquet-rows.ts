import { isUtf8 } from 'node:buffer'
import { openParquet, type ParquetValue } from '../parquet/index.ts'
import type { ColumnType } from './column-type.ts'
import type { TableFile } from './table-file.ts'
import type { TableRow } from './table-row.ts'

/** A text of a Parquet table that is not UTF-8. */
class BadText {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The names of the top-level columns. Throws ERR_INPUT_UNREADABLE. */
export async function parquetColumns(table: TableFile): Promise<readonly string[]> {
  const file = await openParquet(table.path)
  await file.close()
  return file.columns
}

/**
 * Reads a Parquet table row by row, for tables with texts that are not UTF-8. Numbers and truth values keep their
 * types as far as the first row group shows them; lists and structs become JSON.
 */
export async function parquetRows(
  table: TableFile,
  columns: readonly string[],
): Promise<{
  readonly types: Readonly<Record<string, ColumnType>>
  readonly rows: AsyncIterableIterator<TableRow<ParquetValue>[]>
}> {
  const file = await openParquet(table.path)
  const first = await file.read({ columns, start: 0, end: Math.min(file.rows, 10_000), decodeText })
  await file.close()
  const types = Object.fromEntries(columns.map((name) => [name, guessType(first.map((row) => row[name]))]))
  return { types, rows: rowsOf(table, columns, types) }
}

async function* rowsOf(
  table: TableFile,
  columns: readonly string[],
  types: Readonly<Record<string, ColumnType>>,
): AsyncIterableIterator<TableRow<ParquetValue>[]> {
  const file = await openParquet(table.path)
  try {
    let start = 0
    for (const count of file.rowGroups) {
      const rows = await file.read({ columns, start, end: start + count, decodeText })
      start += count
      yield rows.map((row) => {
        const bad = columns.find((name) => row[name] instanceof BadText)
        const values = columns.map((name) => plainValue(row[name], types[name] ?? 'string'))
        return bad === undefined
          ? { values }
          : { values, problem: { column: bad, reason: 'not valid UTF-8' } }
      })
    }
  } finally {
    await file.close()
  }
}

function decodeText(bytes: Uint8Array): string | BadText {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return isUtf8(bytes) ? text : new BadText(text)
}

function guessType(values: readonly unknown[]): ColumnType {
  const kinds = new Set(values.filter((value) => value !== null && value !== undefined).map((v) => typeof v))
  if (kinds.size !== 1) return 'string'
  if (kinds.has('boolean')) return 'boolean'
  if (kinds.has('bigint')) return 'int64'
  return kinds.has('number') ? 'double' : 'string'
}

function plainValue(value: unknown, type: ColumnType): ParquetValue {
  if (value === null || value === undefined) return null
  if (value instanceof BadText) return value.text
  if (type === 'boolean') return typeof value === 'boolean' ? value : null
  if (type === 'int64') return typeof value === 'bigint' ? value : null
  if (type === 'double') return typeof value === 'number' ? value : null
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return value.toISOString()
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? Number(item) : item))
}

import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import type * as Arrow from 'apache-arrow'
import type { DataType, Field, RecordBatch, RecordBatchReader, Vector } from 'apache-arrow'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import type { ParquetValue } from '../parquet/index.ts'
import type { ColumnType } from './column-type.ts'
import type { TableFile } from './table-file.ts'
import type { TableRow } from './table-row.ts'

type ArrowLibrary = typeof Arrow

/** An open Arrow IPC table; batches are read one by one. */
export interface ArrowTable {
  /** All columns with the types they become. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  rows(columns: readonly string[]): AsyncIterableIterator<TableRow<ParquetValue>[]>
  close(): Promise<void>
}

/**
 * Opens an Arrow IPC table, file (Feather V2) or stream. Throws ERR_TABLE_FORMAT for compressed buffers, and
 * ERR_INPUT_UNREADABLE where it is no Arrow table or is damaged.
 */
export async function openArrow(table: TableFile): Promise<ArrowTable> {
  const library = await import('apache-arrow')
  const handle = await open(table.path, 'r').catch((error: unknown) => fail(table, error))
  let reader: RecordBatchReader
  try {
    reader = await library.RecordBatchReader.from(handle)
    await reader.open()
    if (!reader.schema) throw new Error('it has no schema')
  } catch (error) {
    await handle.close().catch(() => {})
    return fail(table, error)
  }
  const fields = reader.schema.fields
  return {
    columns: fields.map((field) => ({ name: field.name, type: typeOfArrow(field.type, library) })),
    rows: (columns) => batchRows(table, reader, columns, library),
    // The reader closes the file itself at its end; a second close is an error of no interest.
    close: () => handle.close().catch(() => {}),
  }
}

async function* batchRows(
  table: TableFile,
  reader: RecordBatchReader,
  columns: readonly string[],
  library: ArrowLibrary,
): AsyncIterableIterator<TableRow<ParquetValue>[]> {
  try {
    for await (const batch of reader) {
      const step = 10_000
      for (let start = 0; start < batch.numRows; start += step) {
        yield sliceRows(batch.slice(start, Math.min(start + step, batch.numRows)), columns, library)
      }
    }
  } catch (error) {
    fail(table, error)
  }
}

function sliceRows(
  batch: RecordBatch,
  columns: readonly string[],
  library: ArrowLibrary,
): TableRow<ParquetValue>[] {
  const readers = columns.map((name) => {
    const index = batch.schema.fields.findIndex((field) => field.name === name)
    const vector = index < 0 ? null : batch.getChildAt(index)
    return vector === null ? undefined : columnReader(batch.schema.fields[index], vector, library)
  })
  return Array.from({ length: batch.numRows }, (_, row) => {
    const values = readers.map((reader) => reader?.value(row) ?? null)
    const bad = readers.findIndex((reader) => reader?.isBad?.(row))
    const column = columns[bad]
    return column === undefined ? { values } : { values, problem: { column, reason: 'not valid UTF-8' } }
  })
}

interface ColumnReader {
  value(row: number): ParquetValue
  readonly isBad?: (row: number) => boolean
}

function columnReader(field: Field | undefined, vector: Vector, library: ArrowLibrary): ColumnReader {
  const type = field?.type ?? vector.type
  const kind = typeOfArrow(type, library)
  const convert = converterOf(kind, type, library)
  const value = (row: number): ParquetValue => {
    const raw: unknown = vector.get(row)
    return raw === null || raw === undefined ? null : convert(raw)
  }
  const isBad = badText(type, vector, library)
  return isBad === undefined ? { value } : { value, isBad }
}

/** Which rows hold bytes that are not UTF-8: the library would replace them silently. */
function badText(
  type: DataType,
  vector: Vector,
  library: ArrowLibrary,
): ((row: number) => boolean) | undefined {
  const data = vector.data[0]
  if (!(library.DataType.isUtf8(type) || library.DataType.isLargeUtf8(type)) || !data) return undefined
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the format lays down for text
  const values = data.values as Uint8Array
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- 32 bits for Utf8, 64 for LargeUtf8
  const offsets = data.valueOffsets as Int32Array | BigInt64Array
  const at = (row: number): number => Number(offsets[row] ?? 0)
  if (isUtf8(values.subarray(at(0), at(data.length)))) return undefined
  return (row) => vector.isValid(row) && !isUtf8(values.subarray(at(row), at(row + 1)))
}

function typeOfArrow(type: DataType, { DataType, Precision }: ArrowLibrary): ColumnType {
  if (DataType.isBool(type)) return 'boolean'
  if (DataType.isInt(type)) {
    if (type.bitWidth < 32 || (type.bitWidth === 32 && type.isSigned)) return 'int32'
    return type.bitWidth === 64 && !type.isSigned ? 'string' : 'int64'
  }
  if (DataType.isDecimal(type)) return 'double'
  if (DataType.isFloat(type)) return type.precision === Precision.DOUBLE ? 'double' : 'float'
  const nested = DataType.isList(type) || DataType.isStruct(type) || DataType.isMap(type)
  return nested || DataType.isFixedSizeList(type) || DataType.isUnion(type) ? 'json' : 'string'
}

function converterOf(
  kind: ColumnType,
  type: DataType,
  { DataType }: ArrowLibrary,
): (raw: unknown) => ParquetValue {
  if (kind === 'boolean') return (raw) => Boolean(raw)
  if (kind === 'int64') return (raw) => (typeof raw === 'bigint' ? raw : BigInt(Number(raw)))
  if (DataType.isDecimal(type)) return (raw) => decimalOf(raw, type.scale)
  if (kind !== 'json' && kind !== 'string') return Number
  if (DataType.isDate(type)) return (raw) => timeText(raw).replace(/T.*/, '')
  if (DataType.isTimestamp(type)) return timeText
  return textOf
}

/** Milliseconds since 1970 as ISO 8601; what lies beyond the years of JavaScript stays a number. */
function timeText(raw: unknown): string {
  const date = new Date(Number(raw))
  return Number.isNaN(date.getTime()) ? String(raw) : date.toISOString()
}

/** A decimal is a whole number in words of 32 bits, the lowest first, and the place of its point. */
function decimalOf(raw: unknown, scale: number): ParquetValue {
  if (!ArrayBuffer.isView(raw)) return Number(raw)
  const words = new Uint32Array(raw.buffer, raw.byteOffset, raw.byteLength / 4)
  const whole = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n)
  return Number(`${BigInt.asIntN(words.length * 32, whole)}e${-scale}`)
}

function textOf(raw: unknown): string {
  if (typeof raw === 'string') return raw
  if (raw instanceof Uint8Array) return Buffer.from(raw).toString('base64')
  return typeof raw === 'bigint' ? String(raw) : JSON.stringify(raw, plainJson)
}

function plainJson(_key: string, value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function fail(table: TableFile, error: unknown): never {
  if (isTrawlError(error)) throw error
  const reason = error instanceof Error ? error.message : String(error)
  const context = { file: table.path }
  if (/codec not found|is compressed/i.test(reason)) {
    throw new TrawlError(
      'ERR_TABLE_FORMAT',
      `${table.name}: the buffers of this Arrow table are compressed (LZ4 or ZSTD), which trawl does not read`,
      { cause: error, context, hint: 'Write it again without compression, or as Parquet.' },
    )
  }
  throw new TrawlError('ERR_INPUT_UNREADABLE', `${table.name}: not a readable Arrow table: ${reason}`, {
    cause: error,
    context,
    hint: 'The file is damaged, cut off, or no Arrow table.',
  })
}

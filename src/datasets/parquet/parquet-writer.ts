import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import type { SchemaElement } from 'hyparquet'
import type { ByteWriter, ColumnSource, ParquetWriter } from 'hyparquet-writer'
import { storageError } from '../../storage/index.ts'

/**
 * Types of columns that trawl writes. `timestamp` takes milliseconds since 1970; `image` is the struct of bytes and
 * path that Hugging Face reads.
 */
export type ParquetType =
  | 'string'
  | 'binary'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'float'
  | 'double'
  | 'timestamp'
  | 'image'

export interface ParquetColumn {
  readonly name: string
  readonly type: ParquetType
}

/** The value of an `image` column. */
export interface ParquetImage {
  readonly bytes: Uint8Array
  readonly path: string
}

export type ParquetValue = string | number | bigint | boolean | Uint8Array | ParquetImage | null

export interface ParquetWriterOptions {
  /** The file to write; whoever calls picks a temporary name and renames. */
  readonly path: string
  readonly columns: readonly ParquetColumn[]
  /** A row group ends at this many rows. Default 10,000. */
  readonly rowGroupRows?: number
  /** A row group ends at about this many bytes of values, so that memory stays flat. Default 16 MiB. */
  readonly rowGroupBytes?: number
  /** Values as they are, without dictionaries, statistics and compression: for files that are read once. */
  readonly verbatim?: boolean
  /** Key and value pairs of the file. */
  readonly keyValues?: Readonly<Record<string, string>>
}

/**
 * Writes a Parquet file row by row. Synchronous, for workers that assemble shards; holds one row group. Same rows,
 * same bytes.
 */
export interface ParquetFileWriter {
  readonly path: string
  readonly rows: number
  /** Adds a row: one value a column, in order. Throws storage errors. */
  add(values: readonly ParquetValue[]): void
  /** Writes the footer and closes; with `sync` the bytes are on the medium. Throws storage errors. */
  finish(options?: { readonly sync?: boolean }): { readonly path: string; readonly sizeBytes: number }
  /** Closes and removes the file. Safe after anything, also twice. */
  abort(): void
}

/** Opens a Parquet file for writing; an existing one is replaced. Throws storage errors. */
export async function createParquetWriter(options: ParquetWriterOptions): Promise<ParquetFileWriter> {
  const library = await import('hyparquet-writer')
  return new RowWriter(options, library)
}

interface Library {
  readonly ByteWriter: typeof ByteWriter
  readonly ParquetWriter: typeof ParquetWriter
}

class RowWriter implements ParquetFileWriter {
  readonly path: string
  rows = 0
  readonly #columns: readonly ParquetColumn[]
  readonly #rowGroupRows: number
  readonly #rowGroupBytes: number
  readonly #verbatim: boolean
  readonly #fd: number
  readonly #bytes: ByteWriter
  readonly #writer: ParquetWriter
  #data: ParquetValue[][]
  #pendingRows = 0
  #pendingBytes = 0
  #closed = false

  constructor(options: ParquetWriterOptions, library: Library) {
    this.path = options.path
    this.#columns = options.columns
    this.#rowGroupRows = options.rowGroupRows ?? 10_000
    this.#rowGroupBytes = options.rowGroupBytes ?? 16 * 1024 * 1024
    this.#verbatim = options.verbatim === true
    this.#data = this.#columns.map(() => [])
    this.#fd = this.#attempt(() => openSync(options.path, 'w'))
    this.#bytes = new library.ByteWriter()
    const keyValues = Object.entries(options.keyValues ?? {}).map(([key, value]) => ({ key, value }))
    this.#writer = new library.ParquetWriter({
      writer: this.#bytes,
      schema: schemaOf(options.columns),
      createdBy: 'trawl',
      ...(keyValues.length === 0 ? {} : { kvMetadata: keyValues }),
    })
  }

  add(values: readonly ParquetValue[]): void {
    for (let i = 0; i < this.#columns.length; i++) {
      const value = values[i] ?? null
      this.#data[i]?.push(value)
      this.#pendingBytes += weightOf(value)
    }
    this.rows++
    this.#pendingRows++
    if (this.#pendingRows >= this.#rowGroupRows || this.#pendingBytes >= this.#rowGroupBytes) this.#flush()
  }

  finish(options: { readonly sync?: boolean } = {}): { readonly path: string; readonly sizeBytes: number } {
    if (!this.#closed) {
      this.#flush()
      void this.#writer.finish()
      this.#drain()
      this.#attempt(() => {
        if (options.sync === true) fsyncSync(this.#fd)
      })
      this.#close()
    }
    return { path: this.path, sizeBytes: this.#bytes.offset }
  }

  abort(): void {
    this.#close()
    rmSync(this.path, { force: true })
  }

  #flush(): void {
    if (this.#pendingRows === 0) return
    const columnData = this.#columns.map((column, i) =>
      columnSource(column, this.#data[i] ?? [], this.#verbatim),
    )
    void this.#writer.write({ columnData, rowGroupSize: this.#pendingRows })
    this.#drain()
    this.#data = this.#columns.map(() => [])
    this.#pendingRows = 0
    this.#pendingBytes = 0
  }

  /** Hands the encoded bytes to the file; offsets go on counting. */
  #drain(): void {
    const bytes = this.#bytes.getBytes()
    this.#attempt(() => {
      for (let done = 0; done < bytes.length;) done += writeSync(this.#fd, bytes, done)
    })
    this.#bytes.index = 0
  }

  #close(): void {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }

  #attempt<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'write' })
    }
  }
}

function columnSource(column: ParquetColumn, data: ParquetValue[], verbatim: boolean): ColumnSource {
  // The dictionary attempt and statistics cost much and give nothing for image bytes.
  const plain = verbatim || column.type === 'binary' || column.type === 'image'
  const values = column.type === 'int64' || column.type === 'timestamp' ? data.map(toBigInt) : data
  return {
    name: column.name,
    data: values,
    ...(plain
      ? ({ encoding: 'PLAIN', codec: 'UNCOMPRESSED', statistics: false, offsetIndex: false } as const)
      : {}),
  }
}

function toBigInt(value: ParquetValue): ParquetValue {
  return typeof value === 'number' ? BigInt(value) : value
}

function schemaOf(columns: readonly ParquetColumn[]): SchemaElement[] {
  return [{ name: 'root', num_children: columns.length }, ...columns.flatMap(elementsOf)]
}

const physicalTypes = {
  binary: 'BYTE_ARRAY',
  boolean: 'BOOLEAN',
  int32: 'INT32',
  int64: 'INT64',
  float: 'FLOAT',
  double: 'DOUBLE',
} as const

function elementsOf({ name, type }: ParquetColumn): SchemaElement[] {
  const repetition_type = 'OPTIONAL'
  if (type === 'string') return [textElement(name)]
  if (type === 'timestamp')
    return [{ name, type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type }]
  if (type !== 'image') return [{ name, type: physicalTypes[type], repetition_type }]
  return [
    { name, num_children: 2, repetition_type },
    { name: 'bytes', type: 'BYTE_ARRAY', repetition_type },
    textElement('path'),
  ]
}

function textElement(name: string): SchemaElement {
  return {
    name,
    type: 'BYTE_ARRAY',
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
    repetition_type: 'OPTIONAL',
  }
}

/** About how many bytes a value takes until its row group is written. */
function weightOf(value: ParquetValue): number {
  if (value === null) return 1
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object') return 8
  return value instanceof Uint8Array ? value.length : value.bytes.length + value.path.length
}

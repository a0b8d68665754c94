import { open, type FileHandle } from 'node:fs/promises'
import { zstdDecompressSync } from 'node:zlib'
import type { AsyncBuffer, Compressors, FileMetaData } from 'hyparquet'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'

/** Bytes at random: a local file, or an object in a store. */
export interface RangeSource {
  /** For messages. */
  readonly path: string
  readonly sizeBytes: number
  read(offset: number, length: number): Promise<Uint8Array>
  close(): Promise<void>
}

/** Which rows and columns to read. */
export interface ParquetSelection {
  readonly columns?: readonly string[]
  /** From 0. */
  readonly start?: number
  /** Exclusive. */
  readonly end?: number
  /** Replaces the decoder of text columns. */
  readonly decodeText?: (bytes: Uint8Array) => unknown
}

/** Reads rows of a Parquet file without DuckDB; only the row groups that are asked for are fetched. */
export interface ParquetFile {
  readonly path: string
  readonly rows: number
  /** Names of the top-level columns. */
  readonly columns: readonly string[]
  /** Rows of each row group. */
  readonly rowGroups: readonly number[]
  /** Throws ERR_INPUT_UNREADABLE where the file is damaged, and storage errors. */
  read(selection?: ParquetSelection): Promise<Record<string, unknown>[]>
  close(): Promise<void>
}

/** A local file as a range source. Throws storage errors. */
export async function openRangeSource(path: string): Promise<RangeSource> {
  let handle: FileHandle
  let sizeBytes: number
  try {
    handle = await open(path, 'r')
    sizeBytes = (await handle.stat()).size
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
  return {
    path,
    sizeBytes,
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
        if (bytesRead === 0) throw new TrawlError('ERR_IO', `${path}: the file became shorter`)
        done += bytesRead
      }
      return bytes
    },
    close: () => handle.close(),
  }
}

/** Opens a Parquet file and reads its footer. Throws ERR_INPUT_UNREADABLE where it is none, and storage errors. */
export async function openParquet(source: string | RangeSource): Promise<ParquetFile> {
  const library = await import('hyparquet')
  const range = typeof source === 'string' ? await openRangeSource(source) : source
  const file: AsyncBuffer = {
    byteLength: range.sizeBytes,
    async slice(start, end = range.sizeBytes) {
      const bytes = await range.read(start, end - start)
      const { buffer } = bytes
      if (buffer instanceof ArrayBuffer && bytes.length === buffer.byteLength) return buffer
      return new Uint8Array(bytes).buffer
    },
  }
  let metadata: FileMetaData
  try {
    metadata = await library.parquetMetadataAsync(file)
  } catch (error) {
    await range.close()
    throw unreadable(range.path, error)
  }
  const compressors = await compressorsFor(metadata)
  return {
    path: range.path,
    rows: Number(metadata.num_rows),
    columns: library.parquetSchema(metadata).children.map((child) => child.element.name),
    rowGroups: metadata.row_groups.map((group) => Number(group.num_rows)),
    async read(selection = {}) {
      try {
        return await library.parquetReadObjects({
          file,
          metadata,
          compressors,
          utf8: false,
          ...(selection.columns === undefined ? {} : { columns: [...selection.columns] }),
          rowStart: selection.start ?? 0,
          rowEnd: selection.end ?? Number(metadata.num_rows),
          ...(selection.decodeText === undefined
            ? {}
            : { parsers: { stringFromBytes: selection.decodeText } }),
        })
      } catch (error) {
        throw unreadable(range.path, error)
      }
    },
    close: () => range.close(),
  }
}

/** The codecs of the file that hyparquet has not built in; those of rarer codecs are loaded only when met. */
async function compressorsFor(metadata: FileMetaData): Promise<Compressors> {
  const codecs = new Set(metadata.row_groups.flatMap((group) => group.columns.map((c) => c.meta_data?.codec)))
  const native: Compressors = { ZSTD: (bytes) => zstdDecompressSync(bytes) }
  for (const codec of ['UNCOMPRESSED', 'SNAPPY', 'ZSTD', undefined] as const) codecs.delete(codec)
  if (codecs.size === 0) return native
  const { compressors } = await import('hyparquet-compressors')
  return { ...compressors, ...native }
}

function unreadable(path: string, error: unknown): TrawlError {
  if (isTrawlError(error)) return error
  const reason = error instanceof Error ? error.message : String(error)
  return new TrawlError('ERR_INPUT_UNREADABLE', `${path}: not a readable Parquet file: ${reason}`, {
    cause: error,
    context: { file: path },
    hint: 'The file is damaged, cut off, or no Parquet file.',
  })
}

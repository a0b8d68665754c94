import { TrawlError } from '../../core/index.ts'
import type { ColumnType } from '../tables/index.ts'

/** How the samples of a dataset are laid out on disk. The same for all shards of a plan. */
export interface SampleLayout {
  readonly outputFormat: 'files' | 'webdataset' | 'parquet'
  /** Extension of the images, and name of the column with their bytes. */
  readonly encodeFormat: 'jpg' | 'png' | 'webp'
  /** There is a caption column. */
  readonly captions: boolean
  /** Further columns of the plan. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[]
  /** Digest of the original bytes; names its column. */
  readonly digest: 'none' | 'md5' | 'sha256' | 'sha512'
  readonly exif: boolean
  readonly phash: boolean
  /**
   * For `parquet`: `bytes` is a binary column named after the format, as img2dataset has it; `struct` a column
   * `image` of bytes and path, which Hugging Face shows as images.
   */
  readonly parquetImages?: 'bytes' | 'struct'
  /** For `webdataset`: an index (`.idx`, DALI's version 1.2) beside each tar. */
  readonly tarIndex?: boolean
  /** For `files`: at most this many images in a folder; default is one folder for each shard. */
  readonly folderSize?: number
  /** For `files`: `key`, `url`, `random` or `column:NAME`. Default `key`. */
  readonly nameFormat?: string
}

/** Throws ERR_CONFIG_INVALID where parts of a layout do not fit each other. */
export function checkLayout(layout: SampleLayout): void {
  const { nameFormat = 'key', outputFormat } = layout
  if (outputFormat !== 'files' && nameFormat !== 'key') {
    throw invalid('nameFormat', `${nameFormat} names files; ${outputFormat} needs key`)
  }
  if (!/^(key|url|random|column:.+)$/.test(nameFormat)) {
    throw invalid('nameFormat', `'${nameFormat}' is not key, url, random or column:NAME`)
  }
  const column = nameFormat.startsWith('column:') ? nameFormat.slice('column:'.length) : undefined
  const known = layout.columns.map(({ name }) => name)
  if (column !== undefined && !known.includes(column)) {
    throw invalid('nameFormat', `column '${column}' is not among saveColumns`)
  }
}

function invalid(field: string, reason: string): TrawlError {
  return new TrawlError('ERR_CONFIG_INVALID', `${field}: ${reason}`, { context: { field } })
}

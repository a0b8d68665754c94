import type { ParquetColumn, ParquetValue } from '../parquet/index.ts'
import type { Sample } from './sample.ts'
import type { SampleLayout } from './sample-layout.ts'

interface MetadataColumn extends ParquetColumn {
  readonly value: (sample: Sample) => ParquetValue
  /** Part of the `.json` beside an image. */
  readonly sidecar: boolean
  /** Holds JSON, which goes into the `.json` as it is. */
  readonly json?: boolean
}

/**
 * The metadata of a sample: first the columns of img2dataset in its order (further columns, caption, url, key, status
 * and so on), then those of trawl.
 */
export function metadataColumns(layout: SampleLayout): readonly MetadataColumn[] {
  return [...img2datasetColumns(layout), ...ownColumns(layout)]
}

/** Makes columns that are all in the `.json` beside an image, or none of them. */
function columnsWith(sidecar: boolean) {
  return (name: string, type: ParquetColumn['type'], value: MetadataColumn['value']): MetadataColumn => ({
    name,
    type,
    value,
    sidecar,
  })
}

function img2datasetColumns(layout: SampleLayout): MetadataColumn[] {
  const column = columnsWith(true)
  return [
    ...layout.columns.map(({ name, type }) => ({
      ...column(name, type === 'json' ? 'string' : type, ({ row }) => row.columns[name] ?? null),
      json: type === 'json',
    })),
    ...(layout.captions ? [column('caption', 'string', ({ row }) => row.caption ?? null)] : []),
    column('url', 'string', ({ row }) => (row.url === '' ? null : row.url)),
    column('key', 'string', ({ row }) => row.key),
    column('status', 'string', ({ status }) => status),
    column('error_message', 'string', ({ errorMessage }) => errorMessage),
    column('width', 'int32', ({ facts }) => facts.widthPx ?? null),
    column('height', 'int32', ({ facts }) => facts.heightPx ?? null),
    column('original_width', 'int32', ({ facts }) => facts.originalWidthPx ?? null),
    column('original_height', 'int32', ({ facts }) => facts.originalHeightPx ?? null),
    ...(layout.exif ? [column('exif', 'string', exifOf)] : []),
    ...(layout.digest === 'none'
      ? []
      : [column(layout.digest, 'string', ({ facts }) => facts.digest ?? null)]),
  ]
}

/** Always a text for an image, as img2dataset has it: readers guess types from the first samples. */
function exifOf({ status, facts }: Sample): string | null {
  return facts.exif ?? (status === 'success' ? '{}' : null)
}

function ownColumns(layout: SampleLayout): MetadataColumn[] {
  const column = columnsWith(false)
  return [
    column('error_code', 'string', ({ errorCode }) => errorCode),
    column('http_status', 'int32', ({ facts }) => facts.httpStatus ?? null),
    column('final_url', 'string', ({ facts }) => facts.finalUrl ?? null),
    column('content_type', 'string', ({ facts }) => facts.contentType ?? null),
    column('original_format', 'string', ({ facts }) => facts.originalFormat ?? null),
    column('original_bytes', 'int64', ({ facts }) => facts.originalBytes ?? null),
    column('image_bytes', 'int64', ({ imageBytes }) => imageBytes),
    ...(layout.phash ? [column('phash', 'string', ({ facts }) => facts.phash ?? null)] : []),
  ]
}

/** The `.json` beside an image: the columns of img2dataset, on one line. */
export function sidecarJson(columns: readonly MetadataColumn[], sample: Sample): string {
  const fields = columns
    .filter((column) => column.sidecar)
    .map((column) => `${JSON.stringify(column.name)}: ${jsonText(column, column.value(sample))}`)
  return `{${fields.join(', ')}}`
}

function jsonText(column: MetadataColumn, value: ParquetValue): string {
  // JSON has whole numbers of any length; only JavaScript's parser has not.
  if (typeof value === 'bigint') return String(value)
  return column.json === true && typeof value === 'string' ? value : JSON.stringify(value)
}

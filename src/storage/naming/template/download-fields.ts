import { murmur128 } from '../../../core/index.ts'
import { splitName } from '../file-extension.ts'
import { nameFromResponse, type NamedResponse } from '../name-from-response.ts'
import { decodeSegment } from '../percent-decoding.ts'
import type { NameTemplate, TemplateValues } from './name-template.ts'
import { readDate } from './read-date.ts'
import type { TemplateValue } from './value-format.ts'

/** What is known of one download when its name is made. */
export interface NamedDownload extends NamedResponse {
  /** Position in the input, from 0. */
  readonly ordinal: number
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Columns of the row, or fields of the task. */
  readonly columns?: Readonly<Record<string, string>>
  /** Wall clock at the start of the job, in milliseconds since 1970. */
  readonly startedMs?: number
}

const readers: Readonly<Record<string, (download: NamedDownload) => TemplateValue | undefined>> = {
  name: (download) => nameFromResponse(download),
  stem: (download) => splitName(nameFromResponse(download)).stem,
  ext: (download) => splitName(nameFromResponse(download)).extension.slice(1),
  url: (download) => download.url,
  host: (download) => URL.parse(download.url)?.hostname,
  path: (download) => pathOf(download.url),
  dir: (download) =>
    pathOf(download.url)
      ?.replace(/[^/]*$/, '')
      .replace(/\/$/, ''),
  hash: (download) => murmur128(download.url),
  ordinal: (download) => download.ordinal,
  index: (download) => download.ordinal + 1,
  date: (download) => (download.startedMs === undefined ? undefined : new Date(download.startedMs)),
  modified: (download) => readDate(header(download, 'last-modified') ?? ''),
}

/** The fields that every download has, in the form that `compileTemplate` takes; columns come on top. */
export const downloadFields: readonly string[] = [...Object.keys(readers), 'query.*', 'header.*', 'column.*']

/**
 * The values a template asks for, of one download. Only those are computed. A column is found under its own name
 * where no other field has it, and always under `column.NAME`.
 */
export function downloadValues(template: NameTemplate, download: NamedDownload): TemplateValues {
  const values: Record<string, TemplateValue | undefined> = {}
  for (const field of template.fields) {
    const reader = Object.hasOwn(readers, field) ? readers[field] : undefined
    values[field] = reader === undefined ? familyValue(field, download) : reader(download)
  }
  return values
}

function familyValue(field: string, download: NamedDownload): string | undefined {
  if (field.startsWith('query.')) {
    return URL.parse(download.url)?.searchParams.get(field.slice(6)) ?? undefined
  }
  if (field.startsWith('header.')) return header(download, field.slice(7).toLowerCase())
  return column(download, field.startsWith('column.') ? field.slice(7) : field)
}

function column(download: NamedDownload, name: string): string | undefined {
  const columns = download.columns
  return columns !== undefined && Object.hasOwn(columns, name) ? columns[name] : undefined
}

function header(download: NamedDownload, name: string): string | undefined {
  const headers = download.headers
  const value = headers !== undefined && Object.hasOwn(headers, name) ? headers[name] : undefined
  return typeof value === 'string' ? value : value?.[0]
}

/** The path of an address without its first slash, decoded segment by segment so that `%2F` makes no folder. */
function pathOf(url: string): string | undefined {
  const path = URL.parse(url)?.pathname
  return path
    ?.slice(1)
    .split('/')
    .map((segment) => decodeSegment(segment).replace(/[\\/]/g, '_'))
    .join('/')
}

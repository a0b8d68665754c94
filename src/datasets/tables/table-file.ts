import { readdir, stat } from 'node:fs/promises'
import { basename, extname, join, resolve } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'

/** `list` is one URL a line; `json` is an array of objects; `arrow` is Arrow IPC, file or stream. */
const tableFormats = ['csv', 'tsv', 'jsonl', 'json', 'parquet', 'arrow', 'list'] as const
export type TableFormat = (typeof tableFormats)[number]

/** One table on disk. */
export interface TableFile {
  /** Absolute. */
  readonly path: string
  /** For messages and fingerprints: the name of the file, with its folders below the folder that was given. */
  readonly name: string
  readonly format: TableFormat
  readonly compression: 'none' | 'gzip' | 'zstd'
}

const extensions: Readonly<Record<string, TableFormat>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.tab': 'tsv',
  '.jsonl': 'jsonl',
  '.ndjson': 'jsonl',
  '.json': 'json',
  '.parquet': 'parquet',
  '.pq': 'parquet',
  '.arrow': 'arrow',
  '.arrows': 'arrow',
  '.feather': 'arrow',
  '.ipc': 'arrow',
  '.txt': 'list',
  '.list': 'list',
  '.lst': 'list',
}

const compressions: Readonly<Record<string, TableFile['compression']>> = {
  '.gz': 'gzip',
  '.gzip': 'gzip',
  '.zst': 'zstd',
  '.zstd': 'zstd',
}

/** Formats that carry their own compression, and are read at random. */
const selfCompressed: ReadonlySet<TableFormat> = new Set(['parquet', 'arrow'])

/**
 * The tables that the inputs name: files, and folders with all tables below them in the order of their paths
 * (hidden ones and those that begin with `_` are passed over). The format comes from the file name, or is given.
 * Throws ERR_TABLE_FORMAT, ERR_INPUT_UNREADABLE.
 */
export async function findTables(
  inputs: readonly string[],
  options: { readonly format?: TableFormat } = {},
): Promise<TableFile[]> {
  const found: TableFile[] = []
  for (const input of inputs) {
    const path = resolve(input)
    const isFolder = (await stat(path).catch((error: unknown) => unreadable(input, error))).isDirectory()
    if (isFolder) found.push(...(await tablesBelow(path, input, options.format)))
    else found.push(tableFile(path, basename(path), options.format))
  }
  if (found.length === 0) {
    throw new TrawlError('ERR_INPUT_UNREADABLE', 'no table was given', { hint: 'Name at least one table.' })
  }
  return found
}

async function tablesBelow(folder: string, input: string, format?: TableFormat): Promise<TableFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) =>
    unreadable(input, error),
  )
  const names = entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((name) => !name.split('/').some((part) => part.startsWith('.') || part.startsWith('_')))
    .filter((name) => formatOf(name)?.format !== undefined)
    .sort(byCodeUnit)
  const tables = names.map((name) => tableFile(join(folder, name), name))
  const chosen = format === undefined ? tables : tables.filter((table) => table.format === format)
  if (chosen.length > 0) return chosen
  throw new TrawlError(
    'ERR_INPUT_UNREADABLE',
    `${input}: the folder holds no ${format === undefined ? '' : `${format} `}table`,
    {
      context: { path: folder },
      hint: `Tables end in ${Object.keys(extensions).join(', ')}, with .gz or .zst after it where compressed.`,
    },
  )
}

function tableFile(path: string, name: string, format?: TableFormat): TableFile {
  const guess = formatOf(name)
  const chosen = format ?? guess.format
  if (chosen === undefined) {
    throw new TrawlError('ERR_TABLE_FORMAT', `${name}: no table format is known for this file name`, {
      context: { file: path },
      hint: `Give --input-format, or a name that ends in ${Object.keys(extensions).join(', ')}.`,
    })
  }
  if (guess.compression !== 'none' && selfCompressed.has(chosen)) {
    throw new TrawlError(
      'ERR_TABLE_FORMAT',
      `${name}: a ${chosen} table may not be wrapped in ${guess.compression}`,
      { context: { file: path }, hint: 'Unpack it first.' },
    )
  }
  return { path, name, format: chosen, compression: guess.compression }
}

function formatOf(name: string): { format?: TableFormat; compression: TableFile['compression'] } {
  const last = extname(name).toLowerCase()
  const compression = compressions[last]
  const inner = compression === undefined ? last : extname(name.slice(0, -last.length)).toLowerCase()
  const format = extensions[inner]
  return { compression: compression ?? 'none', ...(format === undefined ? {} : { format }) }
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function unreadable(input: string, error: unknown): never {
  const { message } = storageError(error, { path: input, doing: 'read' })
  throw new TrawlError('ERR_INPUT_UNREADABLE', message, { cause: error, context: { path: input } })
}

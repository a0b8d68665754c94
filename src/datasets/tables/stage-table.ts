import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { openArrow } from './arrow-rows.ts'
import { quoteName, quoteText, type ColumnType } from './column-type.ts'
import { csvHeader, csvRows } from './csv-rows.ts'
import { firstLine, isBadInput, queryError, type Database } from './database.ts'
import { jsonlColumns, jsonlRows, listRows } from './line-rows.ts'
import { parquetColumns, parquetRows } from './parquet-rows.ts'
import { problemColumn, stageRows } from './stage-writer.ts'
import { checkCompression, isUtf16, tableBytes } from './table-bytes.ts'
import type { TableFile } from './table-file.ts'

/** Fields in this many lines of a JSON Lines table count as its columns. */
const jsonSampleLines = 1000

/** What is to be taken out of the tables. */
export interface TableRequest {
  readonly urlCol: string
  /** Columns to carry, the URL and caption included; all must be there. */
  readonly columns: readonly string[]
  /** Columns that this expression may name are carried too, where they are there. */
  readonly where?: string
}

export interface StageContext {
  readonly database: Database
  /** Takes the staged files. */
  readonly folder: string
  /** Names the files of this table in `folder`. */
  readonly index: number
  readonly signal?: AbortSignal
}

/**
 * A table as DuckDB plans from it: `parquet` is the table itself; the others are copies in Parquet with
 * `problemColumn`. `text` holds text alone, `json` text and, behind each column, the types of its values, `typed`
 * has `types`.
 */
export interface StagedTable {
  readonly table: TableFile
  readonly kind: 'parquet' | 'text' | 'json' | 'typed'
  readonly path: string
  /** The columns it carries. */
  readonly columns: readonly string[]
  readonly types?: Readonly<Record<string, ColumnType>>
}

/** The column with the JSON types of another. */
export function tagColumn(name: string): string {
  return `${name}__trawl_type`
}

/** The name of a column in a staged copy: DuckDB gives files and rows their numbers under some names. */
export function storedName(name: string): string {
  return /^file_(index|row_number)$/i.test(name) ? `__trawl_${name}` : name
}

/**
 * Gets a table ready for planning. DuckDB reads it where all rows are sound; else it is read row by row, so that
 * every bad row stays as a row with its problem. Throws ERR_TABLE_COLUMN, ERR_TABLE_FORMAT, ERR_INPUT_UNREADABLE,
 * ERR_CANCELLED and storage errors.
 */
export async function stageTable(
  table: TableFile,
  request: TableRequest,
  context: StageContext,
): Promise<StagedTable> {
  switch (table.format) {
    case 'csv':
    case 'tsv':
      return stageCsv(table, request, context)
    case 'list':
      return stageList(table, request, context)
    case 'jsonl':
    case 'json':
      return stageJson(table, request, context)
    case 'arrow':
      return stageArrow(table, request, context)
    case 'parquet': {
      const names = await parquetColumns(table)
      if (names.some((name) => storedName(name) !== name)) break
      const columns = chooseColumns(table, names, request)
      return { table, kind: 'parquet', path: await plainPath(table, context), columns }
    }
  }
  return stageParquetByRow(table, request, context)
}

/** As `stageTable`, for a Parquet table with texts that are not UTF-8, which DuckDB refuses as a whole. */
export async function stageParquetByRow(
  table: TableFile,
  request: TableRequest,
  context: StageContext,
): Promise<StagedTable> {
  const columns = chooseColumns(table, await parquetColumns(table), request)
  const path = stagedPath(context)
  const { types, rows } = await parquetRows(table, columns)
  await stageRows(table, rows, { ...target(path, context), columns: typedColumns(columns, types) })
  return { table, kind: 'typed', path, columns, types }
}

async function stageCsv(
  table: TableFile,
  request: TableRequest,
  context: StageContext,
): Promise<StagedTable> {
  const delimiter = table.format === 'csv' ? ',' : '\t'
  const header = await csvHeader(tableBytes(table), delimiter)
  const columns = chooseColumns(table, header, request)
  const path = stagedPath(context)
  const staged: StagedTable = { table, kind: 'text', path, columns }
  const names = uniqueNames(header)
  const source = `read_csv(${quoteText(await plainPath(table, context))}, auto_detect = false, header = true,
    delim = ${quoteText(delimiter)}, quote = '"', escape = '"', strict_mode = true, hive_partitioning = false,
    compression = '${table.compression}', columns = {${names.map((n) => `${quoteText(n)}: 'VARCHAR'`).join(', ')}})`
  const select = columns.map(
    (name) => `${quoteName(names[header.indexOf(name)] ?? name)} AS ${quoteName(storedName(name))}`,
  )
  if (
    await copyByDuckDb(
      table,
      `SELECT ${select.join(', ')}, NULL::VARCHAR AS ${problemColumn} FROM ${source}`,
      path,
      context,
    )
  ) {
    return staged
  }
  await stageRows(table, csvRows(tableBytes(table), { delimiter, header, columns }), {
    ...target(path, context),
    columns: columns.map((name) => ({ name: storedName(name), type: 'string' })),
  })
  return staged
}

async function stageList(
  table: TableFile,
  request: TableRequest,
  context: StageContext,
): Promise<StagedTable> {
  const columns = chooseColumns(table, [request.urlCol], request)
  const path = stagedPath(context)
  const stored = storedName(request.urlCol)
  const name = quoteName(stored)
  const select = `SELECT trim(line, E' \\t\\r') AS ${name}, NULL::VARCHAR AS ${problemColumn}
    FROM read_csv(${quoteText(await plainPath(table, context))}, auto_detect = false, header = false,
      delim = E'\\x1f', quote = '', escape = '', strict_mode = false, hive_partitioning = false,
      compression = '${table.compression}', columns = {'line': 'VARCHAR'})
    WHERE ${name} <> '' AND NOT starts_with(${name}, '#')`
  if (!(await copyByDuckDb(table, select, path, context))) {
    await stageRows(table, listRows(tableBytes(table), request.urlCol), {
      ...target(path, context),
      columns: [{ name: stored, type: 'string' }],
    })
  }
  return { table, kind: 'text', path, columns }
}

async function stageJson(
  table: TableFile,
  request: TableRequest,
  context: StageContext,
): Promise<StagedTable> {
  const isArray = table.format === 'json' && (await isJsonArray(table))
  const sample = isArray ? [] : await jsonlColumns(tableBytes(table), jsonSampleLines)
  // Fields may be sparse: only the URL must be seen in the first lines.
  if (!isArray) chooseColumns(table, sample, { ...request, columns: [request.urlCol] })
  const columns = [...new Set([...request.columns, ...namedIn(request.where, sample)])]
  const path = stagedPath(context)
  const select = columns.map((name) => {
    const pointer = quoteText(`/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`)
    return `json_extract_string(json, ${pointer}) AS ${quoteName(storedName(name))},
      nullif(json_type(json, ${pointer}), 'NULL') AS ${quoteName(tagColumn(name))}`
  })
  const sql = `SELECT ${select.join(', ')}, CAST(CASE WHEN json_type(json) IS DISTINCT FROM 'OBJECT'
      THEN error('a row is not an object') END AS VARCHAR) AS ${problemColumn}
    FROM read_json_objects(${quoteText(await plainPath(table, context))}, compression = '${table.compression === 'none' ? 'uncompressed' : table.compression}',
      format = '${isArray ? 'array' : 'newline_delimited'}', hive_partitioning = false)`
  if (!(await copyByDuckDb(table, sql, path, context, isArray))) {
    await stageRows(table, jsonlRows(tableBytes(table), columns), {
      ...target(path, context),
      columns: columns.flatMap((name) => [
        { name: storedName(name), type: 'string' },
        { name: tagColumn(name), type: 'string' },
      ]),
    })
  }
  return { table, kind: 'json', path, columns }
}

async function stageArrow(
  table: TableFile,
  request: TableRequest,
  context: StageContext,
): Promise<StagedTable> {
  const arrow = await openArrow(table)
  try {
    const names = arrow.columns.map((column) => column.name)
    const columns = chooseColumns(table, names, request)
    const types = Object.fromEntries(arrow.columns.map((column) => [column.name, column.type]))
    const path = stagedPath(context)
    await stageRows(table, arrow.rows(columns), {
      ...target(path, context),
      columns: typedColumns(columns, types),
    })
    return { table, kind: 'typed', path, columns, types }
  } finally {
    await arrow.close()
  }
}

/**
 * Lets DuckDB copy a table; false where it refuses a row (or the table is in UTF-16), so that the table must be
 * read row by row.
 */
async function copyByDuckDb(
  table: TableFile,
  select: string,
  path: string,
  context: StageContext,
  mustRead = false,
): Promise<boolean> {
  await checkCompression(table)
  if (await isUtf16(table)) return false
  try {
    await context.database.rows(`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION snappy)`)
    return true
  } catch (error) {
    if (!isBadInput(error)) throw queryError(error, table.name)
    if (!mustRead) return false
    const reason = firstLine(error)
    throw new TrawlError('ERR_INPUT_UNREADABLE', `${table.name}: ${reason}`, {
      cause: error,
      context: { file: table.path },
      hint: 'Write it as JSON Lines, one object a line: then bad rows are told one by one.',
    })
  }
}

function chooseColumns(table: TableFile, names: readonly string[], request: TableRequest): string[] {
  const missing = request.columns.find((column) => !names.includes(column))
  if (missing !== undefined) {
    const shown =
      names.length === 0
        ? 'it is empty'
        : `it has: ${names.slice(0, 20).join(', ')}${names.length > 20 ? ', ...' : ''}`
    throw new TrawlError('ERR_TABLE_COLUMN', `${table.name} has no column '${missing}'; ${shown}`, {
      context: { file: table.path, column: missing },
    })
  }
  return [...new Set([...request.columns, ...namedIn(request.where, names)])]
}

/** The columns that an expression may use: those whose name it contains. */
function namedIn(where: string | undefined, names: readonly string[]): string[] {
  const text = where?.toLowerCase()
  return text === undefined ? [] : names.filter((name) => name !== '' && text.includes(name.toLowerCase()))
}

function typedColumns(
  columns: readonly string[],
  types: Readonly<Record<string, ColumnType>>,
): { name: string; type: Exclude<ColumnType, 'json'> }[] {
  return columns.map((name) => {
    const type = types[name] ?? 'string'
    return { name: storedName(name), type: type === 'json' ? 'string' : type }
  })
}

function uniqueNames(header: readonly string[]): string[] {
  const seen = new Set<string>()
  return header.map((name, index) => {
    // DuckDB compares names without case.
    const free = name === '' || seen.has(name.toLowerCase()) ? `${name}__${index}` : name
    seen.add(free.toLowerCase())
    return free
  })
}

function stagedPath({ folder, index }: StageContext): string {
  return join(folder, `${String(index).padStart(5, '0')}.parquet`)
}

function target(path: string, { signal }: StageContext): { path: string; signal?: AbortSignal } {
  return signal === undefined ? { path } : { path, signal }
}

/** The path of a table as DuckDB may take it: one that reads as a pattern is reached through a link. */
async function plainPath(table: TableFile, { folder, index }: StageContext): Promise<string> {
  if (!/[*?[\]{}]/.test(table.path)) return table.path
  const link = join(folder, `${String(index).padStart(5, '0')}.link`)
  await symlink(table.path, link)
  return link
}

/**
 * True where a JSON table is one array of rows, false where it is JSON Lines. An array that is cut off is refused
 * here: DuckDB takes it.
 */
async function isJsonArray(table: TableFile): Promise<boolean> {
  let first = ''
  let last = ''
  for await (const chunk of tableBytes(table)) {
    const text = chunk.toString('latin1')
    first ||= text.trimStart().charAt(0)
    if (first !== '' && first !== '[') return false
    last = text.trimEnd().at(-1) ?? last
  }
  if (first !== '[' || last === ']') return first === '['
  throw new TrawlError('ERR_INPUT_UNREADABLE', `${table.name}: the JSON array has no end`, {
    context: { file: table.path },
    hint: 'The file is cut off: get it again.',
  })
}

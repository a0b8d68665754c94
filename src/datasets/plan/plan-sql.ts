import { TrawlError } from '../../core/index.ts'
import {
  castSql,
  firstLine,
  problemColumn,
  quoteName,
  quoteText,
  storedName,
  tagColumn,
  textProbeSql,
  typeOfDuckDb,
  typeOfTags,
  typeOfText,
  unifyTypes,
  type ColumnType,
  type Database,
  type StagedTable,
} from '../tables/index.ts'
import type { RowChoice } from './manifest.ts'

/** Staged tables of one kind that follow each other; DuckDB reads them as one. */
interface Segment {
  readonly kind: StagedTable['kind']
  /** Ordinal of the first table. */
  readonly first: number
  readonly tables: readonly StagedTable[]
  /** DuckDB's types of the columns as they are stored. */
  readonly stored: Readonly<Record<string, string>>
}

/** The tables as one relation: which columns there are, with which types. */
export interface PlanSource {
  readonly segments: readonly Segment[]
  /** Types of all columns that are carried. */
  readonly types: Readonly<Record<string, ColumnType>>
}

/** The columns of a planned row. */
export interface PlanProjection {
  readonly urlCol: string
  readonly captionCol: string | undefined
  readonly saveColumns: readonly string[]
}

/** The column with the ordinal of a row over all tables. */
const rowColumn = '__trawl_row'
/** Bits for the row in that ordinal. */
const rowBits = 32

/**
 * Finds the types of all columns: from the schema of typed tables, from the values of text. URL and caption are
 * always text.
 */
export async function describeSource(
  staged: readonly StagedTable[],
  projection: PlanProjection,
  database: Database,
): Promise<PlanSource> {
  const segments: Segment[] = []
  const types: Record<string, ColumnType> = {}
  for (const [index, table] of staged.entries()) {
    const last = segments.at(-1)
    if (last?.kind === table.kind)
      segments[segments.length - 1] = { ...last, tables: [...last.tables, table] }
    else segments.push({ kind: table.kind, first: index, tables: [table], stored: {} })
  }
  for (const [index, segment] of segments.entries()) {
    const columns = await database.rows(`DESCRIBE SELECT * FROM ${readSql(segment)}`)
    const stored = Object.fromEntries(
      columns.map((c) => [String(c['column_name']), String(c['column_type'])]),
    )
    segments[index] = { ...segment, stored }
    for (const [name, type] of Object.entries(await segmentTypes({ ...segment, stored }, database))) {
      types[name] = unifyTypes(types[name], type)
    }
  }
  types[projection.urlCol] = 'string'
  if (projection.captionCol !== undefined) types[projection.captionCol] = 'string'
  return { segments, types }
}

async function segmentTypes(segment: Segment, database: Database): Promise<Record<string, ColumnType>> {
  const names = [...new Set(segment.tables.flatMap((table) => table.columns))]
  if (segment.kind === 'parquet') {
    return Object.fromEntries(names.map((name) => [name, typeOfDuckDb(segment.stored[name] ?? 'VARCHAR')]))
  }
  if (segment.kind === 'typed') {
    const types: Record<string, ColumnType> = {}
    for (const table of segment.tables) {
      for (const name of table.columns) types[name] = unifyTypes(types[name], table.types?.[name] ?? 'string')
    }
    return types
  }
  const tags = segment.kind === 'json'
  const probes = names.map((name, i) => {
    const list = tags ? `, list(DISTINCT ${quoteName(tagColumn(name))}) AS "c${i}_tags"` : ''
    return textProbeSql(quoteName(storedName(name)), `c${i}`) + list
  })
  // Rows with a problem do not decide about types: a torn row would make text of every column.
  const sql = `SELECT ${probes.join(', ')} FROM ${readSql(segment)} WHERE ${problemColumn} IS NULL`
  const [row = {}] = await database.rows(sql)
  return Object.fromEntries(
    names.map((name, i) => {
      const text = typeOfText(row, `c${i}`)
      const seen = row[`c${i}_tags`]
      return [
        name,
        tags
          ? typeOfTags(Array.isArray(seen) ? seen.filter((tag) => tag !== null).map(String) : [], text)
          : text,
      ]
    }),
  )
}

/**
 * The query that gives the planned rows in order: `url`, `caption`, the saved columns and the problem. Rows with a
 * problem pass every filter, so that they are accounted for.
 */
export function planSql(source: PlanSource, projection: PlanProjection, choice: RowChoice): string {
  const from = `(${source.segments.map((segment) => segmentSql(segment, source)).join('\nUNION ALL\n')})`
  const url = quoteName(projection.urlCol)
  const names = source.segments.flatMap(({ tables }) => tables.map((staged) => quoteText(staged.table.name)))
  const problem = `coalesce(${problemColumn}, CASE WHEN ${url} IS NULL OR trim(${url}) = '' THEN
    list_extract([${names.join(', ')}], CAST((${rowColumn} >> ${rowBits}) + 1 AS BIGINT)) || ', row ' ||
    CAST((${rowColumn} & ${2 ** rowBits - 1}) + 1 AS VARCHAR) || ', column ''' || ${quoteText(projection.urlCol)} || ''': empty' END)`
  const where =
    choice.where === undefined ? '' : `WHERE ${problemColumn} IS NOT NULL OR (\n${choice.where}\n)`
  const rows = `(SELECT ${rowColumn}, * EXCLUDE (${rowColumn}, ${problemColumn}), ${problem} AS ${problemColumn} FROM ${from} ${where})`
  const columns = [
    `${url} AS url`,
    ...(projection.captionCol === undefined ? [] : [`${quoteName(projection.captionCol)} AS caption`]),
    ...projection.saveColumns.map(quoteName),
    problemColumn,
  ]
  const first = `SELECT min(${rowColumn}) FROM ${rows} WHERE ${problemColumn} IS NULL GROUP BY md5_number(${url})`
  const dedup =
    choice.dedup === 'url' ? `WHERE ${problemColumn} IS NOT NULL OR ${rowColumn} IN (${first})` : ''
  return `SELECT ${columns.join(', ')} FROM ${rows} ${dedup} ${orderSql(choice)} ${limitSql(choice)}`
}

/** Fails where an expression of the user does not fit the columns. Throws ERR_CONFIG_INVALID. */
export async function checkWhere(source: PlanSource, where: string, database: Database): Promise<void> {
  const from = source.segments.map((segment) => segmentSql(segment, source)).join('\nUNION ALL\n')
  try {
    await database.rows(`SELECT (\n${where}\n)::BOOLEAN FROM (${from}) LIMIT 0`)
  } catch (error) {
    throw whereError(where, error)
  }
}

/** An error of DuckDB over a user's expression, as ours. */
export function whereError(where: string, error: unknown): TrawlError {
  return new TrawlError('ERR_CONFIG_INVALID', `where: ${firstLine(error)}`, {
    cause: error,
    context: { field: 'where', expression: where },
    hint: 'The expression is SQL of DuckDB over the columns of the tables, such as width >= 256.',
  })
}

function segmentSql(segment: Segment, source: PlanSource): string {
  const columns = Object.entries(source.types).map(([name, type]) => {
    const own = storedName(name)
    const stored = segment.stored[own]
    // A row with a problem may hold text that does not fit the type of its column.
    const lenient = segment.kind === 'text' || segment.kind === 'json'
    const value =
      stored === undefined
        ? castSql('NULL', 'NULL', type)
        : castSql(quoteName(own), stored, type, { lenient })
    return `${value} AS ${quoteName(name)}`
  })
  const problem = segment.kind === 'parquet' ? 'NULL::VARCHAR' : problemColumn
  return `SELECT ((CAST(file_index AS UBIGINT) + ${segment.first}) << ${rowBits}) | CAST(file_row_number AS UBIGINT) AS ${rowColumn},
    ${columns.join(', ')}, ${problem} AS ${problemColumn} FROM ${readSql(segment)}`
}

function readSql({ tables }: Segment): string {
  const paths = tables.map((staged) => quoteText(staged.path))
  return `read_parquet([${paths.join(', ')}], union_by_name = true, hive_partitioning = false)`
}

function orderSql({ shuffleSeed, dedup }: RowChoice): string {
  if (shuffleSeed !== undefined) return `ORDER BY md5_number('${shuffleSeed}:' || ${rowColumn}), ${rowColumn}`
  // A join may change the order once it spills to disk.
  return dedup === 'url' ? `ORDER BY ${rowColumn}` : ''
}

function limitSql({ slice }: RowChoice): string {
  return slice === undefined ? '' : `LIMIT ${slice}`
}

/** Types that a plan and the outputs have; `json` is text that holds a JSON list or object. */
export type ColumnType = 'boolean' | 'int32' | 'int64' | 'float' | 'double' | 'string' | 'json'

const numeric: readonly ColumnType[] = ['int32', 'int64', 'float', 'double']

/** The type that holds the values of both; text where there is no other. */
export function unifyTypes(a: ColumnType | undefined, b: ColumnType): ColumnType {
  if (a === undefined || a === b) return b
  if (numeric.includes(a) && numeric.includes(b)) {
    if (a === 'double' || b === 'double' || a === 'float' || b === 'float') return 'double'
    return 'int64'
  }
  return 'string'
}

const plainDuckTypes: Readonly<Record<string, ColumnType>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'int32',
  SMALLINT: 'int32',
  INTEGER: 'int32',
  UTINYINT: 'int32',
  USMALLINT: 'int32',
  UINTEGER: 'int64',
  BIGINT: 'int64',
  FLOAT: 'float',
  DOUBLE: 'double',
  JSON: 'json',
}

/**
 * What a DuckDB type becomes: lists, structs and maps become JSON text, decimals doubles; numbers that do not fit
 * 64 signed bits, dates, times, blobs (as base64) and the rest become text.
 */
export function typeOfDuckDb(name: string): ColumnType {
  if (/\[\d*\]$/.test(name) || /^(STRUCT|MAP|UNION|VARIANT)\b/.test(name)) return 'json'
  if (name.startsWith('DECIMAL')) return 'double'
  return plainDuckTypes[name] ?? 'string'
}

const duckNames: Readonly<Record<ColumnType, string>> = {
  boolean: 'BOOLEAN',
  int32: 'INTEGER',
  int64: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  string: 'VARCHAR',
  json: 'VARCHAR',
}

/**
 * SQL that turns an expression of a DuckDB type into a column type; what does not fit is an error of the query, or
 * null where `lenient`.
 */
export function castSql(
  expression: string,
  duckType: string,
  target: ColumnType,
  options: { readonly lenient?: boolean } = {},
): string {
  if (duckType === 'BLOB') return `base64(${expression})`
  const nested = typeOfDuckDb(duckType) === 'json' && duckType !== 'JSON'
  if (nested) return `CAST(to_json(${expression}) AS VARCHAR)`
  return `${options.lenient === true ? 'TRY_CAST' : 'CAST'}(${expression} AS ${duckNames[target]})`
}

/** SQL aggregates that say what a column of text could be; give the row to `typeOfText`. */
export function textProbeSql(expression: string, alias: string): string {
  const whole = `TRY_CAST(${expression} AS BIGINT)`
  // Whole numbers of more than 15 digits would lose some as a double.
  const digits = String.raw`-?([1-9]\d{0,14}|0|(0|[1-9]\d*)(\.\d+([eE][+-]?\d+)?|[eE][+-]?\d+))`
  const real = `regexp_full_match(${expression}, '${digits}')`
  const misses = (test: string): string => `count(*) FILTER (${expression} IS NOT NULL AND NOT (${test}))`
  return [
    `count(${expression}) AS "${alias}_n"`,
    // The round trip keeps leading zeros: a column of such is text.
    `${misses(`${whole} IS NOT NULL AND CAST(${whole} AS VARCHAR) = ${expression}`)} AS "${alias}_whole"`,
    `${misses(real)} AS "${alias}_real"`,
    `${misses(`lower(${expression}) IN ('true', 'false')`)} AS "${alias}_boolean"`,
  ].join(', ')
}

/** The narrowest type that every text of the column reads as, without loss. */
export function typeOfText(row: Readonly<Record<string, unknown>>, alias: string): ColumnType {
  const count = (name: string): number => Number(row[`${alias}_${name}`])
  if (count('n') === 0) return 'string'
  if (count('boolean') === 0) return 'boolean'
  if (count('whole') === 0) return 'int64'
  return count('real') === 0 ? 'double' : 'string'
}

/** As `typeOfText`, for a column that came from JSON with the types of its values. */
export function typeOfTags(tags: readonly string[], text: ColumnType): ColumnType {
  const within = (...allowed: string[]): boolean => tags.every((tag) => allowed.includes(tag))
  if (tags.length === 0) return 'string'
  if (within('ARRAY', 'OBJECT')) return 'json'
  if (within('BOOLEAN')) return 'boolean'
  if (within('UBIGINT', 'BIGINT')) return text === 'int64' ? 'int64' : 'string'
  // DuckDB says DOUBLE of whole numbers beyond 64 bits too; their text tells.
  return within('UBIGINT', 'BIGINT', 'DOUBLE') && text !== 'string' ? 'double' : 'string'
}

/** A name as SQL. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

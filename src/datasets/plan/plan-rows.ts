import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { openParquet } from '../parquet/index.ts'
import {
  openDatabase,
  problemColumn,
  queryError,
  quoteText,
  stageParquetByRow,
  stageTable,
  type Database,
  type StageContext,
  type StagedTable,
  type TableFile,
} from '../tables/index.ts'
import type { PlanColumn, PlanFile } from './manifest.ts'
import { choiceOf, defaultMemoryLimitBytes, type PlanOptions } from './plan-options.ts'
import { checkWhere, describeSource, planSql, whereError, type PlanProjection } from './plan-sql.ts'

/**
 * Rows of one row group, and row groups of one file, of the planned rows. Independent of the size of shards: a shard
 * is a range of rows, and a worker reads the row groups that the range touches.
 */
const rowsPerGroup = 10_240
const groupsPerFile = 32

/** What became of the rows. */
export interface PlannedRows {
  readonly rowCount: number
  readonly readCount: number
  readonly problemCount: number
  readonly columns: readonly PlanColumn[]
  /** Relative to `rows` in the working folder. */
  readonly files: readonly PlanFile[]
}

/**
 * Stages the tables, plans them with DuckDB and writes the rows as Parquet files into `folder/rows`. Memory is
 * bounded: sorting and dedup go to the disk beyond the limit.
 */
export async function planRows(
  tables: readonly TableFile[],
  folder: string,
  options: PlanOptions,
): Promise<PlannedRows> {
  const staging = join(folder, 'tables')
  mkdirSync(staging)
  const staged = await withStaging(staging, options, async (context) => {
    const out: StagedTable[] = []
    for (const [index, table] of tables.entries()) {
      out.push(await stageTable(table, requestOf(options), { ...context, index }))
    }
    return out
  })
  for (;;) {
    const bad = await writeRows(staged, folder, options)
    if (typeof bad !== 'string') return bad
    const index = staged.findIndex((table) => table.kind === 'parquet' && bad.includes(table.path))
    const found = staged[index]
    if (found === undefined) throw new TrawlError('ERR_INTERNAL', `planning: ${bad}`)
    staged[index] = await withStaging(staging, options, (context) =>
      stageParquetByRow(found.table, requestOf(options), { ...context, index }),
    )
  }
}

/** Runs `body` with the database that reads tables; it takes no expressions of users. */
async function withStaging<T>(
  staging: string,
  options: PlanOptions,
  body: (context: Omit<StageContext, 'index'>) => Promise<T>,
): Promise<T> {
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  const database = await openDatabase({
    memoryLimitBytes: options.memoryLimitBytes ?? defaultMemoryLimitBytes(),
    tempDir: join(staging, 'spill'),
    ...signal,
  })
  try {
    return await body({ database, folder: staging, ...signal })
  } finally {
    database.close()
  }
}

/** The planned rows, or DuckDB's message where a Parquet table holds a text that is not UTF-8. */
async function writeRows(
  staged: readonly StagedTable[],
  folder: string,
  options: PlanOptions,
): Promise<PlannedRows | string> {
  const rowsFolder = join(folder, 'rows')
  rmSync(rowsFolder, { recursive: true, force: true })
  mkdirSync(rowsFolder)
  const database = await openDatabase({
    memoryLimitBytes: options.memoryLimitBytes ?? defaultMemoryLimitBytes(),
    // With more threads the borders of row groups are up to chance.
    threads: 1,
    tempDir: join(folder, 'spill'),
    only: { files: staged.map((table) => table.path), folders: [folder] },
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  try {
    const projection = projectionOf(options)
    const source = await describeSource(staged, projection, database)
    if (options.where !== undefined) await checkWhere(source, options.where, database)
    const query = planSql(source, projection, choiceOf(options))
    const failure = await copyRows(query, rowsFolder, database, options)
    if (failure !== undefined) return failure
    const files = await nameFiles(rowsFolder)
    const readCount = await countRows(staged)
    return {
      rowCount: files.reduce((sum, file) => sum + file.rows, 0),
      readCount,
      problemCount: await countProblems(rowsFolder, files, database),
      columns: projection.saveColumns.map((name) => ({ name, type: source.types[name] ?? 'string' })),
      files,
    }
  } catch (error) {
    throw queryError(error, 'planning')
  } finally {
    database.close()
  }
}

async function copyRows(
  query: string,
  rowsFolder: string,
  database: Database,
  options: PlanOptions,
): Promise<string | undefined> {
  try {
    await database.rows(`COPY (${query}) TO ${quoteText(rowsFolder)} (FORMAT parquet, COMPRESSION zstd,
      ROW_GROUP_SIZE ${rowsPerGroup}, ROW_GROUPS_PER_FILE ${groupsPerFile}, FILENAME_PATTERN 'rows-{i}',
      OVERWRITE_OR_IGNORE true)`)
    return undefined
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (message.includes('Invalid string encoding found in Parquet file')) return message
    if (options.where !== undefined && message.startsWith('Conversion Error')) {
      throw whereError(options.where, error)
    }
    throw error
  }
}

/** Gives the files names that sort as they were written, and counts their rows. */
async function nameFiles(rowsFolder: string): Promise<PlanFile[]> {
  const written = readdirSync(rowsFolder)
    .map((name) => ({ name, number: Number(/(\d+)\.parquet$/.exec(name)?.[1] ?? -1) }))
    .filter(({ number }) => number >= 0)
    .sort((a, b) => a.number - b.number)
  const files: PlanFile[] = []
  for (const { name, number } of written) {
    const path = `rows-${String(number).padStart(5, '0')}.parquet`
    renameSync(join(rowsFolder, name), join(rowsFolder, path))
    files.push({ path, rows: await rowsIn(join(rowsFolder, path)) })
  }
  // DuckDB opens the next file before it knows that there is nothing left to write.
  for (const empty of files.filter((file) => file.rows === 0)) rmSync(join(rowsFolder, empty.path))
  return files.filter((file) => file.rows > 0)
}

async function countRows(staged: readonly StagedTable[]): Promise<number> {
  let rows = 0
  for (const table of staged) rows += await rowsIn(table.path)
  return rows
}

async function rowsIn(path: string): Promise<number> {
  const file = await openParquet(path)
  await file.close()
  return file.rows
}

async function countProblems(
  rowsFolder: string,
  files: readonly PlanFile[],
  database: Database,
): Promise<number> {
  if (files.length === 0) return 0
  const paths = files.map((file) => quoteText(join(rowsFolder, basename(file.path))))
  const [row] = await database.rows(
    `SELECT count(${problemColumn}) AS n FROM read_parquet([${paths.join(', ')}], hive_partitioning = false)`,
  )
  return Number(row?.['n'] ?? 0)
}

function requestOf(options: PlanOptions): { urlCol: string; columns: string[]; where?: string } {
  const { urlCol, captionCol, saveColumns = [], where } = options
  const columns = [...new Set([urlCol, ...(captionCol === undefined ? [] : [captionCol]), ...saveColumns])]
  return { urlCol, columns, ...(where === undefined ? {} : { where }) }
}

function projectionOf(options: PlanOptions): PlanProjection {
  return { urlCol: options.urlCol, captionCol: options.captionCol, saveColumns: options.saveColumns ?? [] }
}

import { isTrawlError, TrawlError } from '../../core/index.ts'
import { quoteText } from './column-type.ts'

export interface DatabaseOptions {
  /** DuckDB spills to disk beyond this. */
  readonly memoryLimitBytes: number
  /** Default: as many as there are cores. */
  readonly threads?: number
  /** Where it spills. */
  readonly tempDir: string
  /**
   * With this the database reads and writes nothing else on the disk, and its settings are fixed: for statements
   * that carry expressions of users.
   */
  readonly only?: { readonly files: readonly string[]; readonly folders: readonly string[] }
  readonly signal?: AbortSignal
}

/** A DuckDB of our own in memory, without the network: no extension is ever fetched. */
export interface Database {
  /** Rows as plain objects; 64-bit integers are bigint. Throws what DuckDB throws, and ERR_CANCELLED. */
  rows(sql: string): Promise<Record<string, unknown>[]>
  close(): void
}

/** Opens DuckDB (loaded here, since it is large). Throws ERR_CANCELLED. */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.max(64, Math.round(options.memoryLimitBytes / 1e6))}MB`,
    temp_directory: options.tempDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    ...(options.threads === undefined ? {} : { threads: String(options.threads) }),
  })
  const connection = await instance.connect()
  const stop = (): void => connection.interrupt()
  const { signal } = options
  signal?.addEventListener('abort', stop)
  const database: Database = {
    async rows(sql) {
      if (signal?.aborted === true) throw cancelled(signal.reason)
      try {
        const reader = await connection.runAndReadAll(sql)
        return reader.getRowObjectsJS()
      } catch (error) {
        // Asked anew: the signal may have fired meanwhile.
        throw options.signal?.aborted === true ? cancelled(error) : error
      }
    },
    close() {
      signal?.removeEventListener('abort', stop)
      connection.closeSync()
      instance.closeSync()
    },
  }
  if (options.only) await lock(database, options.only)
  return database
}

/** True where DuckDB refused the bytes of a table, not the query. */
export function isBadInput(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Invalid Input Error')
}

/** The first line of an error's message; those of DuckDB go on with the query and advice. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0] ?? ''
}

/** An error of DuckDB as ours; `doing` says at what. Ours pass through unchanged. */
export function queryError(error: unknown, doing: string): TrawlError {
  if (isTrawlError(error)) return error
  const message = firstLine(error)
  const full = /no space left|disk quota|max_temp_directory_size/i.test(message)
  if (full) return new TrawlError('ERR_NO_SPACE', `${doing}: ${message}`, { cause: error })
  const memory = message.startsWith('Out of Memory')
  const code = message.startsWith('IO Error') ? 'ERR_IO' : 'ERR_INTERNAL'
  return new TrawlError(code, `${doing}: ${message}`, {
    cause: error,
    ...(memory ? { hint: 'Give the plan more memory.' } : {}),
  })
}

async function lock(database: Database, only: NonNullable<DatabaseOptions['only']>): Promise<void> {
  if (only.files.length > 0) await database.rows(`SET allowed_paths = ${list(only.files)}`)
  if (only.folders.length > 0) await database.rows(`SET allowed_directories = ${list(only.folders)}`)
  await database.rows('SET enable_external_access = false')
  await database.rows('SET lock_configuration = true')
}

function list(paths: readonly string[]): string {
  return `[${paths.map(quoteText).join(', ')}]`
}

function cancelled(cause: unknown): TrawlError {
  return new TrawlError('ERR_CANCELLED', 'the query was cancelled', { cause })
}

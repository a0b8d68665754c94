import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { formats, TrawlError } from '../../core/index.ts'
import { storageError } from '../storage-error.ts'

/** How many requests at once a host bore, as a run learned it. */
export interface HostCeiling {
  readonly host: string
  readonly ceiling: number
  /** Milliseconds since 1970. */
  readonly atWallMs: number
}

/** Name of the database in its folder. */
export const stateFileName = 'state.sqlite'

/** Others hold it for moments only; whoever waits longer goes on without it. */
const busyTimeoutMs = 250
const mostHosts = 10_000

const schema = `
create table host_ceiling (
  host text primary key,
  ceiling integer not null,
  at_wall_ms integer not null
) strict, without rowid`

/**
 * What is kept for one user over all folders: docs/formats.md. Nothing in it is needed to go on with a download; whoever
 * deletes it loses no byte. Several processes may have it open. All calls are synchronous and none belongs on the path of
 * a file.
 */
export class StateDatabase implements Disposable {
  readonly #database: DatabaseSync

  private constructor(database: DatabaseSync) {
    this.#database = database
  }

  /** True when there is one in the folder. */
  static exists(folder: string): boolean {
    return existsSync(join(folder, stateFileName))
  }

  /**
   * Opens the database of a folder, makes it where there is none. Throws ERR_FORMAT_NEWER for one of a newer trawl, which
   * is not touched, ERR_STATE_DATABASE for what is none or is held by others, and storage errors.
   */
  static open(folder: string): StateDatabase {
    const path = join(folder, stateFileName)
    try {
      if (existsSync(path)) refuseNewer(path)
      else mkdirSync(folder, { recursive: true, mode: 0o700 })
      const database = openFile(path, false)
      try {
        chmodSync(path, 0o600)
        database.exec('pragma journal_mode = wal; pragma synchronous = normal')
        migrate(database)
      } catch (error) {
        database.close()
        throw error
      }
      return new StateDatabase(database)
    } catch (error) {
      throw stateError(error, path)
    }
  }

  /** Ceilings that were learned at or after a moment. */
  hostCeilings(sinceWallMs: number): readonly HostCeiling[] {
    const rows = this.#database
      .prepare('select host, ceiling, at_wall_ms as at from host_ceiling where at_wall_ms >= ?')
      .all(sinceWallMs)
    return rows.map(({ host, ceiling, at }) => ({
      host: String(host),
      ceiling: Number(ceiling),
      atWallMs: Number(at),
    }))
  }

  /** Keeps ceilings; of two of a host the later one. Those before `sinceWallMs`, and the oldest of too many, go. */
  keepHostCeilings(ceilings: readonly HostCeiling[], sinceWallMs: number): void {
    const database = this.#database
    const insert = database.prepare(
      `insert into host_ceiling values (?, ?, ?) on conflict (host) do update
       set ceiling = excluded.ceiling, at_wall_ms = excluded.at_wall_ms where excluded.at_wall_ms >= at_wall_ms`,
    )
    database.exec('begin immediate')
    try {
      for (const { host, ceiling, atWallMs } of ceilings) {
        insert.run(host, Math.floor(ceiling), Math.floor(atWallMs))
      }
      database.prepare('delete from host_ceiling where at_wall_ms < ?').run(sinceWallMs)
      database
        .prepare(
          'delete from host_ceiling where host in (select host from host_ceiling order by at_wall_ms desc limit -1 offset ?)',
        )
        .run(mostHosts)
      database.exec('commit')
    } catch (error) {
      database.exec('rollback')
      throw error
    }
  }

  close(): void {
    this.#database.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** SQLite is loaded when it is first wanted, and without the notice that older Nodes give of it. */
function openFile(path: string, readOnly: boolean): DatabaseSync {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = () => {}
  try {
    const { DatabaseSync: Database } = process.getBuiltinModule('node:sqlite')
    return new Database(path, { readOnly, timeout: busyTimeoutMs })
  } finally {
    process.emitWarning = emitWarning
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('pragma user_version').get()?.['user_version'])
}

function refuseNewer(path: string): void {
  const database = openFile(path, true)
  try {
    if (versionOf(database) <= formats.stateDatabase) return
  } finally {
    database.close()
  }
  throw new TrawlError('ERR_FORMAT_NEWER', `${path}: written by a newer trawl`, {
    context: { path },
    hint: 'Update trawl, or give another folder with --state-dir.',
  })
}

/** Makes the tables, once: of two processes that begin together the second finds them. */
function migrate(database: DatabaseSync): void {
  if (versionOf(database) === formats.stateDatabase) return
  database.exec('begin immediate')
  if (versionOf(database) < 1) database.exec(schema)
  database.exec(`pragma user_version = ${formats.stateDatabase}; commit`)
}

function stateError(thrown: unknown, path: string): unknown {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) {
    return storageError(thrown, { path, doing: 'open the state database' })
  }
  return new TrawlError('ERR_STATE_DATABASE', `${path}: ${thrown.message}`, {
    cause: thrown,
    context: { path },
  })
}

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { storageError } from '../../storage/index.ts'
import { openRangeSource, type RangeSource } from '../parquet/index.ts'

/** Read access to the outputs of a dataset: a local folder, or a prefix of an object store. */
export interface ShardFolder {
  /** For messages. */
  readonly path: string
  /** Names of the files and folders directly in it. */
  list(): Promise<readonly string[]>
  readText(name: string): Promise<string>
  open(name: string): Promise<RangeSource>
}

/** An output folder on this machine. Its methods throw storage errors. */
export function localFolder(out: string): ShardFolder {
  return {
    path: out,
    list: () => attempt(out, () => readdir(out)),
    readText: (name) => attempt(join(out, name), () => readFile(join(out, name), 'utf8')),
    open: (name) => openRangeSource(join(out, name)),
  }
}

async function attempt<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
}

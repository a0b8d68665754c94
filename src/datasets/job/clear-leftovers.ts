import { readdirSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { storageError } from '../../storage/index.ts'
import { shardName, type ShardNaming } from '../layout/shard-names.ts'
import { ShardClaims } from './shard-claims.ts'
import { spoolFolder } from './shard-queue.ts'

/** Temporary names of the files and folders of a shard. */
const temporary = /^\.(\d+)(?:_log|_stats|-\d+)?(?:\.(?:tar|idx|parquet|json|old))*\.tmp$/

/**
 * Takes away what a finished dataset needs no more: spools, claims of dead processes, and what runs that were killed
 * left half written. Shards that another process has are left alone. Throws storage errors.
 */
export function clearLeftovers(out: string, naming: ShardNaming): void {
  const claims = new ShardClaims(out)
  const spool = join(out, spoolFolder)
  const leftovers = new Map<string, string[]>()
  const find = (folder: string, pattern: RegExp): void => {
    for (const entry of entriesOf(folder)) {
      const digits = pattern.exec(entry)?.[1]
      if (digits === undefined || shardName(Number(digits), naming) !== digits) continue
      const paths = leftovers.get(digits) ?? []
      leftovers.set(digits, paths)
      // A claim goes by being taken and given back.
      if (folder !== claims.folder) paths.push(join(folder, entry))
    }
  }
  find(out, temporary)
  find(spool, /^(\d+)(?:\.|$)/)
  find(claims.folder, /^(\d+)$/)
  for (const [name, paths] of leftovers) {
    const claim = claims.claim(name)
    if (claim === undefined) continue
    try {
      for (const path of paths) rmSync(path, { recursive: true, force: true })
    } catch (error) {
      throw storageError(error, { path: out, doing: 'clear' })
    } finally {
      claim.release()
    }
  }
  for (const folder of [spool, claims.folder]) removeEmpty(folder)
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function removeEmpty(folder: string): void {
  try {
    rmdirSync(folder)
  } catch {
    // Others are at work in it, or it was never there.
  }
}

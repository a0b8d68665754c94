import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { storageError } from '../../storage/index.ts'
import { isImageFolder, shardFiles, shardName, shardOfStats, type ShardNaming } from './shard-names.ts'

/** Files that finalize writes beside the shards. */
const summaryFiles = ['stats.json', 'report.html', 'report.json'] as const

/**
 * Removes the shards of a plan and, where there is no plan, those with a stats file that reads as one; the plan
 * itself, what waits for it and the summaries too. Nothing else in the folder is touched. Throws storage errors.
 */
export function clearOutputs(
  out: string,
  plan: (ShardNaming & { readonly shardCount: number }) | undefined,
): void {
  if (!existsSync(out)) return
  try {
    const entries = readdirSync(out)
    const names = new Set<string>()
    for (const entry of entries) {
      const shard = shardOfStats(entry)
      if (shard !== undefined && isShardStats(join(out, entry))) names.add(entry.slice(0, entry.indexOf('_')))
    }
    for (const entry of entries) {
      const digits = /^\.?(\d+)/.exec(entry)?.[1]
      if (digits === undefined) continue
      const planned = plan && Number(digits) < plan.shardCount && shardName(Number(digits), plan) === digits
      if ((planned === true || names.has(digits)) && belongsTo(entry, digits)) {
        rmSync(join(out, entry), { recursive: true })
      }
    }
    for (const name of summaryFiles) if (plan) rmSync(join(out, name), { force: true })
    clearState(join(out, '.trawl'))
  } catch (error) {
    throw storageError(error, { path: out, doing: 'remove the old dataset in' })
  }
}

/** What waits in spools belongs to rows that are to be fetched anew. The plan that is being made stays. */
function clearState(state: string): void {
  for (const name of ['swaps', 'spool']) rmSync(join(state, name), { recursive: true, force: true })
  const plan = join(state, 'plan')
  for (const entry of existsSync(plan) ? readdirSync(plan) : []) {
    if (!entry.endsWith('.tmp')) rmSync(join(plan, entry), { recursive: true })
  }
}

/** One more than the highest shard that a folder holds, of whatever origin; 0 where it holds none. */
export function firstFreeShard(out: string): number {
  if (!existsSync(out)) return 0
  const shards = readdirSync(out).map((entry) => shardOfStats(entry) ?? -1)
  return Math.max(-1, ...shards) + 1
}

/** A file or folder that stands where one of these shards would go; undefined where the way is free. */
export function entryInTheWay(
  out: string,
  naming: ShardNaming,
  shards: { readonly first: number; readonly count: number },
): string | undefined {
  if (!existsSync(out)) return undefined
  return readdirSync(out).find((entry) => {
    const digits = /^(\d+)/.exec(entry)?.[1]
    if (digits === undefined || !belongsTo(entry, digits)) return false
    const shard = Number(digits)
    return shard >= shards.first && shard < shards.first + shards.count && shardName(shard, naming) === digits
  })
}

function belongsTo(entry: string, name: string): boolean {
  const plain = entry.replace(/^\./, '').replace(/\.tmp$/, '')
  return Object.values(shardFiles(name)).includes(plain) || isImageFolder(plain, name)
}

/** True for a stats file as img2dataset and trawl write it. */
function isShardStats(path: string): boolean {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
    return typeof value === 'object' && value !== null && 'count' in value && 'successes' in value
  } catch {
    return false
  }
}

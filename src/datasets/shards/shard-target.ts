import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { formats, TrawlError } from '../../core/index.ts'
import { publish, storageError, type Durability } from '../../storage/index.ts'
import { temporaryPath, writeWhole } from '../layout/write-whole.ts'
import type { WrittenFile } from '../samples/index.ts'

/** Where finished shards go: the output folder, or an object store. */
export interface ShardTarget {
  /**
   * Publishes the files of a shard and, last, its stats: once they are there the shard is done. Where the shard was
   * there before, all of its files change together, also over a crash. Throws storage errors.
   */
  commit(
    files: readonly WrittenFile[],
    stats: { readonly name: string; readonly text: string },
  ): Promise<void>
}

const swapFolder = join('.trawl', 'swaps')

/** The intent to replace a committed shard: what is still to be renamed, and the stats that end it. */
interface SwapRecord {
  readonly version: number
  readonly renames: readonly { readonly from: string; readonly to: string }[]
  readonly stats: { readonly name: string; readonly text: string }
}

/** Shards in a local folder: renames, the stats last. */
export function localTarget(out: string, durability: Durability): ShardTarget {
  return {
    async commit(files, stats) {
      const renames = files.map((file) => ({ from: relative(out, file.path), to: file.name }))
      const swap: SwapRecord = { version: formats.shardStats, renames, stats }
      if (!existsSync(join(out, stats.name))) return apply(out, swap, durability)
      const record = join(out, swapFolder, `${stats.name}.swap`)
      mkdirSync(dirname(record), { recursive: true })
      writeWhole(record, JSON.stringify(swap), durability)
      apply(out, swap, durability)
      rmSync(record)
    },
  }
}

/**
 * Ends the replacements of shards that a crash broke off. To be called before the state of a folder is read.
 * Throws ERR_FORMAT_NEWER, ERR_IO where a record is damaged, and storage errors.
 */
export function finishSwaps(out: string, durability: Durability): void {
  const folder = join(out, swapFolder)
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder).filter(
    (entry) => entry.endsWith('.swap') && !entry.startsWith('.'),
  )) {
    const path = join(folder, name)
    apply(out, readSwap(path), durability)
    rmSync(path)
  }
}

function readSwap(path: string): SwapRecord {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new TrawlError('ERR_IO', `${path}: a damaged record`, { cause: error, context: { path } })
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own file, written whole
  const record = value as SwapRecord
  if (record.version > formats.shardStats) {
    throw new TrawlError('ERR_FORMAT_NEWER', `${path}: written by a newer trawl`, { context: { path } })
  }
  return record
}

/** Idempotent: a rename that was done already has no source any more. */
function apply(out: string, swap: SwapRecord, durability: Durability): void {
  for (const { from, to } of swap.renames) {
    const source = join(out, from)
    if (existsSync(source)) move(source, join(out, to), durability)
  }
  writeWhole(join(out, swap.stats.name), swap.stats.text, durability)
}

function move(source: string, target: string, durability: Durability): void {
  if (!lstatSync(source).isDirectory()) return publish(source, target, { replace: true, durability })
  const old = temporaryPath(`${target}.old`)
  try {
    rmSync(old, { recursive: true, force: true })
    if (existsSync(target)) renameSync(target, old)
    renameSync(source, target)
    rmSync(old, { recursive: true, force: true })
  } catch (error) {
    throw storageError(error, { path: target, doing: 'name' })
  }
}

import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { formats, isTrawlError, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { clearOutputs, entryInTheWay, firstFreeShard } from '../layout/outputs.ts'
import { findTables, fingerprintTable, type TableFile, type TableFingerprint } from '../tables/index.ts'
import {
  hashOf,
  planFolder,
  readManifest,
  writeManifest,
  type PlanManifest,
  type PlanPart,
} from './manifest.ts'
import { checkSameDataset, checkSaveColumns } from './plan-checks.ts'
import { choiceOf, type PlanOptions } from './plan-options.ts'
import { planRows, type PlannedRows } from './plan-rows.ts'

/**
 * Reads the tables, chooses rows and cuts them into shards: writes `.trawl/plan/manifest.json` and the rows as
 * Parquet files beside it. Equal tables and options give equal bytes. A folder that has the same plan already is
 * left as it is. Every row of the tables is planned unless filter, dedup or slice leave it out; those that cannot
 * be used carry the reason.
 *
 * Throws ERR_PLAN_MISMATCH where the folder holds a dataset of another plan, ERR_TABLE_COLUMN, ERR_TABLE_FORMAT,
 * ERR_INPUT_UNREADABLE, ERR_CONFIG_INVALID (`where`, `saveColumns`), ERR_FORMAT_NEWER, ERR_CANCELLED and storage
 * errors.
 */
export async function planDataset(options: PlanOptions): Promise<PlanManifest> {
  checkSaveColumns(options)
  const mode = options.incremental ?? 'incremental'
  const tables = await findTables(
    options.tables,
    options.inputFormat === undefined ? {} : { format: options.inputFormat },
  )
  const inputs = await fingerprints(tables)
  const hash = hashOf({ ...sharedOf(options), choice: choiceOf(options), inputs })
  const existing = mode === 'overwrite' ? undefined : readManifest(options.out)
  if (existing) {
    checkSameDataset(existing, sharedOf(options))
    if (existing.parts.some((part) => part.hash === hash)) return existing
    if (mode !== 'extend') throw otherRows(existing, options, inputs)
  }
  if (mode === 'incremental' && !existing) refuseShards(options)
  const planned = await inPlanFolder(options, existing?.parts.length ?? 0, async (folder) => {
    const rows = await planRows(tables, folder, options)
    // Not before: tables that cannot be planned must not cost a dataset that is there.
    if (mode === 'overwrite') {
      clearOutputs(options.out, usableManifest(options.out))
      refuseShards(options)
    }
    return rows
  })
  const firstShard = existing?.shardCount ?? firstFreeShard(options.out)
  const part: PlanPart = {
    hash,
    firstShard,
    shardCount: Math.ceil(planned.rowCount / options.shardSize),
    choice: choiceOf(options),
    inputs,
    ...planned,
  }
  const taken = entryInTheWay(options.out, options, { first: part.firstShard, count: part.shardCount })
  if (taken !== undefined) {
    throw new TrawlError('ERR_PLAN_MISMATCH', `${options.out} holds '${taken}', where a shard would go`, {
      context: { path: options.out },
      hint: 'Use another folder, or move it away.',
    })
  }
  const manifest = manifestOf(options, [...(existing?.parts ?? []), part])
  writeManifest(options.out, manifest, options.durability ?? 'batch')
  return manifest
}

/** Shards that no plan tells of are somebody else's. */
function refuseShards({ out, incremental }: PlanOptions): void {
  if (firstFreeShard(out) === 0) return
  const others = incremental === 'overwrite' ? 'or move them away' : 'or --incremental overwrite'
  throw new TrawlError('ERR_PLAN_MISMATCH', `${out} holds shards, but no plan for them`, {
    context: { path: out },
    hint: `Use another folder, --incremental extend to add shards, ${others}.`,
  })
}

/** The plan that is to be overwritten; undefined where there is none, or a damaged one. */
function usableManifest(out: string): PlanManifest | undefined {
  try {
    return readManifest(out)
  } catch (error) {
    if (isTrawlError(error) && error.code === 'ERR_INPUT_INVALID') return undefined
    throw error
  }
}

type SharedOptions = Pick<
  PlanManifest,
  'shardSize' | 'shardDigits' | 'urlCol' | 'captionCol' | 'saveColumns' | 'settings'
>

function sharedOf(options: PlanOptions): SharedOptions {
  return {
    shardSize: options.shardSize,
    shardDigits: options.shardDigits,
    urlCol: options.urlCol,
    captionCol: options.captionCol ?? null,
    saveColumns: options.saveColumns ?? [],
    settings: options.settings ?? {},
  }
}

function manifestOf(options: PlanOptions, parts: readonly PlanPart[]): PlanManifest {
  const last = parts.at(-1)
  const shared = sharedOf(options)
  return {
    format: 'trawl-shard-plan',
    version: formats.shardPlan,
    configHash: hashOf({ ...shared, parts: parts.map((part) => part.hash) }),
    ...shared,
    shardCount: last ? last.firstShard + last.shardCount : 0,
    rowCount: parts.reduce((sum, part) => sum + part.rowCount, 0),
    parts,
  }
}

async function fingerprints(tables: readonly TableFile[]): Promise<TableFingerprint[]> {
  const out: TableFingerprint[] = []
  for (const table of tables) out.push(await fingerprintTable(table))
  return out
}

/** Plans in a folder of its own, which gets its name when all is there; what an earlier try left goes. */
async function inPlanFolder(
  options: PlanOptions,
  part: number,
  plan: (folder: string) => Promise<PlannedRows>,
): Promise<PlannedRows> {
  const root = join(options.out, planFolder)
  const name = `part-${String(part).padStart(3, '0')}`
  const working = join(root, `.${name}.tmp`)
  try {
    mkdirSync(root, { recursive: true })
    for (const entry of readdirSync(root)) {
      if (entry.startsWith('.part-') && entry.endsWith('.tmp')) {
        rmSync(join(root, entry), { recursive: true, force: true })
      }
    }
    mkdirSync(working)
  } catch (error) {
    throw storageError(error, { path: root, doing: 'create the folder' })
  }
  try {
    const planned = await plan(working)
    rmSync(join(root, name), { recursive: true, force: true })
    renameSync(join(working, 'rows'), join(root, name))
    return { ...planned, files: planned.files.map((file) => ({ ...file, path: `${name}/${file.path}` })) }
  } finally {
    rmSync(working, { recursive: true, force: true })
  }
}

function otherRows(
  existing: PlanManifest,
  options: PlanOptions,
  inputs: readonly TableFingerprint[],
): TrawlError {
  const part = existing.parts[0]
  const sameInputs = part !== undefined && hashOf(part.inputs) === hashOf(inputs)
  const what = sameInputs ? 'where, dedup, shuffleSeed or slice' : 'the tables'
  return new TrawlError(
    'ERR_PLAN_MISMATCH',
    `${options.out} holds a dataset of another plan: ${what} changed`,
    {
      context: { path: options.out },
      hint: 'Use another folder, --incremental extend to add these rows as new shards, or --incremental overwrite.',
    },
  )
}

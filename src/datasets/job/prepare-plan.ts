import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { FolderLock, storageError } from '../../storage/index.ts'
import { planDataset, readManifest, type PlanManifest } from '../plan/index.ts'
import { finishSwaps } from '../shards/index.ts'
import { planOptionsOf } from './dataset-settings.ts'
import type { DatasetSpec } from './dataset-spec.ts'

/**
 * The plan to work by: made of tables for `run`, else the one that is there. Ends what a crash broke off. One process
 * at a time: throws ERR_LOCKED where another is at it, ERR_INPUT_UNREADABLE where there is no plan, and what
 * `planDataset` throws.
 */
export async function preparePlan(spec: DatasetSpec, signal: AbortSignal): Promise<PlanManifest> {
  const { command, tables, options } = spec
  const out = options.dir
  if (command === 'worker') return plannedIn(out)
  if (options.dryRun) return tryPlan(spec, signal)
  // Where there is nothing to fetch again, no folder is made for it.
  if (command === 'retry') plannedIn(out)
  const state = join(out, '.trawl')
  try {
    mkdirSync(state, { recursive: true })
  } catch (error) {
    throw storageError(error, { path: state, doing: 'create the folder' })
  }
  const lock = FolderLock.acquire(join(state, 'plan.lock'))
  try {
    finishSwaps(out, options.durability)
    if (command === 'retry') return plannedIn(out)
    return await planDataset({ ...planOptionsOf(options, tables, out), signal })
  } finally {
    lock.release()
  }
}

/** The plan of a folder. Throws ERR_INPUT_UNREADABLE where there is none. */
export function plannedIn(out: string): PlanManifest {
  const manifest = readManifest(out)
  if (manifest) return manifest
  throw new TrawlError('ERR_INPUT_UNREADABLE', `${out} holds no dataset plan`, {
    context: { path: out },
    hint: 'Plan first: trawl dataset plan TABLE -d DIR.',
  })
}

/** What would be planned; nothing of it stays. */
async function tryPlan({ options, tables }: DatasetSpec, signal: AbortSignal): Promise<PlanManifest> {
  const folder = mkdtempSync(join(tmpdir(), 'trawl-plan-'))
  try {
    return await planDataset({ ...planOptionsOf(options, tables, folder), signal })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, join, resolve } from 'node:path'
import {
  getGroups,
  parseOptions,
  type CompareCommandOptions,
  type GetOptions,
  type ResolvedConfig,
} from '../../config/index.ts'
import { formats, fromErrorData, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { createTrawl } from '../create-trawl.ts'
import type { Surroundings } from '../transport-options.ts'
import type { Comparison, Mode, ModeRun } from './comparison.ts'
import { thisMachine } from './machine.ts'

export interface CompareModesOptions {
  /** Path of the list; it is read once for each run. */
  readonly list: string
  /** What the list is called in reports; default is its file name. */
  readonly listName?: string
  readonly surroundings?: Surroundings
  /** Told of every run that has ended. */
  readonly onRun?: (run: ModeRun) => void
  /** Told what jobs say by the way. */
  readonly onNotice?: (message: string) => void
  readonly signal?: AbortSignal
}

/**
 * Downloads a list in several ways, one after the other, each into a fresh folder below `dir` that is removed again,
 * with fresh connections and nothing learned. Single failures are counted. Throws what ends a whole run, and
 * ERR_CANCELLED when the signal fires; nothing is left behind then.
 */
export async function compareModes(
  config: ResolvedConfig<CompareCommandOptions>,
  options: CompareModesOptions,
): Promise<Comparison> {
  const { modes, rounds, workers, dir } = config.values
  const parent = resolve(dir)
  await mkdir(parent, { recursive: true }).catch((error: unknown) => {
    throw storageError(error, { path: parent, doing: 'create the folder' })
  })
  const startedAt = new Date().toISOString()
  const runs: ModeRun[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const mode of modes) {
      const folder = await freshFolder(parent)
      try {
        const run = await runOnce(getConfig(config, { mode, folder, list: options.list }), round, options)
        runs.push(run)
        options.onRun?.(run)
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    }
  }
  return {
    version: formats.comparison,
    list: options.listName ?? basename(options.list),
    startedAt,
    machine: thisMachine(),
    workers: workers === 'auto' ? availableParallelism() : workers,
    runs,
  }
}

async function freshFolder(parent: string): Promise<string> {
  try {
    return await mkdtemp(join(parent, '.trawl-compare-'))
  } catch (error) {
    throw storageError(error, { path: parent, doing: 'create a folder in' })
  }
}

async function runOnce(
  config: ResolvedConfig<GetOptions>,
  round: number,
  { surroundings, onNotice, signal }: CompareModesOptions,
): Promise<ModeRun> {
  const trawl = await createTrawl(surroundings ? { surroundings } : {})
  try {
    const startedMs = performance.now()
    const job = trawl.getResolved([], config, signal ? { signal } : {})
    const stop = job.onEvent((event) => {
      if (event.type === 'job.notice') onNotice?.(event.message)
    })
    const { status, stats, error } = await job.result
    const durationMs = performance.now() - startedMs
    stop()
    if (error) throw fromErrorData(error)
    if (status === 'cancelled') throw new TrawlError('ERR_CANCELLED', 'the comparison was cancelled')
    const { ok, failed, sizeBytes } = stats
    return { mode: config.values.mode, round, durationMs: Math.round(durationMs), ok, failed, sizeBytes }
  } finally {
    await trawl.close()
  }
}

/** The options of a comparison as those of one `get` job of it. */
function getConfig(
  { values, blocks }: ResolvedConfig<CompareCommandOptions>,
  own: { readonly mode: Mode; readonly folder: string; readonly list: string },
): ResolvedConfig<GetOptions> {
  // A report of its own for each run would overwrite that of the last.
  const { modes: _m, rounds: _r, plot: _p, report: _report, ...shared } = values
  return {
    values: {
      ...parseOptions(getGroups, {}),
      ...shared,
      mode: own.mode,
      dir: own.folder,
      inputFile: [own.list],
    },
    origins: {},
    blocks,
    fixed: {},
  }
}

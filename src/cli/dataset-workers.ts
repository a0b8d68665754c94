import { availableParallelism } from 'node:os'
import type { DatasetCommandOptions, FlagData, GivenFlags } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import type { ChildProgram, CliContext } from './cli-context.ts'

/** How many processes are to work on a dataset. */
export function workerCount({ mode, workers }: DatasetCommandOptions): number {
  if (mode !== 'processes') return 1
  return workers === 'auto' ? availableParallelism() : workers
}

/** The options of one of so many processes: what is a limit over all is shared out. */
export function sharedOut(values: DatasetCommandOptions, count: number): DatasetCommandOptions {
  const part = (limit: number | 'auto'): number | 'auto' =>
    limit === 'auto' ? 'auto' : Math.max(1, Math.floor(limit / count))
  return {
    ...values,
    mode: 'async',
    concurrency: part(values.concurrency),
    maxPerHost: part(values.maxPerHost),
    maxPerHostCeiling: Math.max(1, Math.floor(values.maxPerHostCeiling / count)),
    limitRateBps: Math.ceil(values.limitRateBps / count),
    limitRatePerHostBps: Math.ceil(values.limitRatePerHostBps / count),
    requestSpacingMs: values.requestSpacingMs * count,
  }
}

/**
 * Starts further processes that work on the plan of a folder. Each takes shards that nobody has, and ends when there
 * are none. Throws ERR_USAGE where this program cannot start itself.
 */
export function startWorkers(
  values: DatasetCommandOptions,
  count: number,
  given: { readonly flags: GivenFlags; readonly known: readonly FlagData[]; readonly context: CliContext },
): readonly ChildProgram[] {
  const { context, flags, known } = given
  if (context.startSelf === undefined) {
    throw new TrawlError('ERR_USAGE', '--mode processes does not work here: the program cannot start itself')
  }
  const own = sharedOut(values, count)
  const limits = {
    concurrency: String(own.concurrency),
    maxPerHost: String(own.maxPerHost),
    maxPerHostCeiling: String(own.maxPerHostCeiling),
    limitRateBps: String(own.limitRateBps),
    limitRatePerHostBps: String(own.limitRatePerHostBps),
    requestSpacingMs: `${own.requestSpacingMs}ms`,
  }
  const { report: _, prometheusPort: _port, json: _json, verbose: _verbose, quiet: _quiet, ...rest } = flags
  const args = argumentsOf(known, { ...rest, ...limits, dir: values.dir, mode: 'async', quiet: true })
  const start = context.startSelf
  return Array.from({ length: count - 1 }, () => start(['dataset', 'worker', ...args]))
}

/** Flags as they are typed. */
function argumentsOf(known: readonly FlagData[], flags: GivenFlags): string[] {
  return known.flatMap((flag) => {
    const value = flags[flag.name]
    if (value === undefined) return []
    if (typeof value === 'boolean') {
      if (value !== flag.long.startsWith('--no-')) return [flag.long]
      return flag.opposite === undefined ? [] : [flag.opposite]
    }
    return (typeof value === 'string' ? [value] : value).flatMap((text) => [flag.long, text])
  })
}

import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Command } from 'commander'
import { commands, compareGroups, flagsOf, type CompareCommandOptions } from '../config/index.ts'
import { formatDuration, formatSize, type TrawlError } from '../core/index.ts'
import {
  compareModes,
  comparisonSvg,
  describeMachine,
  summarise,
  timesOf,
  type Comparison,
  type ModeRun,
} from '../session/index.ts'
import { requirePlace, storageError, withNumber } from '../storage/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { printableText } from './render/index.ts'

/** `trawl compare`: a list downloaded in several ways, side by side. */
export function createCompareCommand(context: CliContext): Command {
  const flags = flagsOf(commands.compare.groups, commands.compare.without)
  const command = new Command('compare')
    .description('Download a list in several ways, one after the other, and compare them')
    .argument('<LIST>', 'list of URLs as for `trawl get -i`; - is standard input')
  addFlags(command, flags)
  return command.action(async (list: string) => {
    const config = await loadConfig({
      groups: compareGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'compare',
    })
    const { plot } = config.values
    if (plot !== undefined) requirePlace(plot, '--plot')
    const kept = list === '-' ? await keepStdin(context) : undefined
    try {
      const comparison = await compared(config, { list, path: kept?.path ?? list }, context)
      const plotPath = await writePlot(comparison, plot)
      tellResult(comparison, { ...config.values, plotPath }, context)
      context.exit(comparison.runs.some((run) => run.failed > 0) ? 1 : 0)
    } finally {
      await kept?.remove()
    }
  })
}

async function compared(
  config: Parameters<typeof compareModes>[0],
  input: { readonly list: string; readonly path: string },
  context: CliContext,
): Promise<Comparison> {
  const stop = new AbortController()
  const stopListening = context.onInterrupt(() => stop.abort())
  const { quiet, verbose, rounds } = config.values
  const notices = new Set<string>()
  try {
    return await compareModes(config, {
      list: input.path,
      ...(input.list === '-' ? { listName: 'standard input' } : {}),
      surroundings: { proxies: context.proxies },
      onRun: (run) => {
        if (!quiet) context.stderr.write(`${runLine(run, rounds)}\n`)
      },
      onNotice: (message) => {
        // Every run says the same of the same list.
        if (quiet || (notices.has(message) && !verbose)) return
        notices.add(message)
        context.stderr.write(`${printableText(message)}\n`)
      },
      signal: stop.signal,
    })
  } finally {
    stopListening()
    context.closeStdin()
  }
}

function runLine({ mode, round, durationMs, ok, failed }: ModeRun, rounds: number): string {
  const which = rounds === 1 ? mode : `${mode}, round ${round} of ${rounds}`
  return `${which}: ${ok} ${ok === 1 ? 'file' : 'files'}${failed > 0 ? `, ${failed} failed,` : ''} in ${formatDuration(durationMs)}`
}

function tellResult(
  comparison: Comparison,
  options: Pick<CompareCommandOptions, 'json' | 'quiet'> & { readonly plotPath: string },
  context: CliContext,
): void {
  const { plotPath } = options
  if (options.json) {
    const whole = { ...comparison, modes: summarise(comparison), plot: plotPath }
    context.stdout.write(`${JSON.stringify(whole)}\n`)
    return
  }
  context.stdout.write(`${comparisonTable(comparison)}\n`)
  if (options.quiet) return
  context.stdout.write(`\n${describeMachine(comparison.machine)}\nplot: ${printableText(plotPath)}\n`)
}

/** The table that people read. */
function comparisonTable(comparison: Comparison): string {
  const modes = summarise(comparison)
  const first = modes[0]?.filesPerMinute ?? 0
  const rows = [
    ['mode', 'files/min', 'speed', 'time', 'ok', 'failed', `against ${modes[0]?.mode ?? ''}`],
    ...modes.map(({ mode, filesPerMinute, bytesPerSecond, durationMs, ok, failed }) => [
      mode,
      Math.round(filesPerMinute).toLocaleString('en-US'),
      `${formatSize(bytesPerSecond)}/s`,
      formatDuration(durationMs),
      String(ok),
      String(failed),
      first > 0 ? timesOf(filesPerMinute / first) : '-',
    ]),
  ]
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Writes the image; without a path into a file of this folder that is not there yet. Throws storage errors. */
async function writePlot(comparison: Comparison, path: string | undefined): Promise<string> {
  const svg = comparisonSvg(comparison)
  const failed = (error: unknown, at: string): TrawlError =>
    storageError(error, { path: at, doing: 'write the plot to' })
  if (path !== undefined) {
    await writeFile(path, svg).catch((error: unknown) => {
      throw failed(error, path)
    })
    return path
  }
  for (let number = 0; ; number++) {
    const name = number === 0 ? 'compare.svg' : withNumber('compare.svg', number)
    try {
      await writeFile(name, svg, { flag: 'wx' })
      return name
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw failed(error, resolve(name))
    }
  }
}

/** Standard input in a file, since the list is read once for each run. */
async function keepStdin(
  context: CliContext,
): Promise<{ readonly path: string; readonly remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'trawl-compare-'))
  const path = join(folder, 'list')
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await pipeline(context.stdin, createWriteStream(path))
  } catch (error) {
    await remove()
    throw storageError(error, { path, doing: 'keep the list in' })
  }
  return { path, remove }
}

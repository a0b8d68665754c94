import type { Command } from 'commander'
import { resolve } from 'node:path'
import type { DatasetCommandOptions } from '../config/index.ts'
import type { CliContext } from './cli-context.ts'
import { datasetConfig, datasetPart, interruptSignal } from './dataset-part.ts'
import { planLines, statusLines } from './dataset-views.ts'

/** `trawl dataset plan`: reads the tables and cuts their rows into shards. */
export function createPlanCommand(context: CliContext): Command {
  const command = datasetPart(
    'plan',
    'Read the tables and cut their rows into shards; fetch nothing',
  ).argument('<TABLE...>', 'tables, or folders of them')
  return command.action(async (tables: readonly string[]) => {
    const { values } = await datasetConfig(command, context)
    await planTables(values, tables, context)
  })
}

/** Plans (or, with `--dry-run`, tries to), and says what was planned. Throws what planning throws. */
export async function planTables(
  values: DatasetCommandOptions,
  tables: readonly string[],
  context: CliContext,
): Promise<void> {
  const options = { ...values, dir: resolve(values.dir) }
  const { preparePlan } = await import('../datasets/index.ts')
  const manifest = await preparePlan({ command: 'run', tables, options }, interruptSignal(context))
  tell(context, values, manifest, planLines(manifest, values))
}

/** `trawl dataset status`: how far a dataset is. */
export function createStatusCommand(context: CliContext): Command {
  const command = datasetPart('status', 'Say how far a dataset is')
  return command.action(async () => {
    const { values } = await datasetConfig(command, context)
    const { localFolder, plannedIn, readDatasetStatus, isRowCode, rowCodes } =
      await import('../datasets/index.ts')
    const out = resolve(values.dir)
    const status = await readDatasetStatus(localFolder(out), plannedIn(out))
    const meaning = (code: string): string => (isRowCode(code) ? rowCodes[code].meaning : '')
    tell(context, values, status, statusLines(status, values.dir, meaning))
  })
}

/** `trawl dataset finalize`: sums up a dataset whose shards are done. */
export function createFinalizeCommand(context: CliContext): Command {
  const command = datasetPart('finalize', 'Sum up a dataset: stats.json and a report page').option(
    '--allow-missing',
    'also where shards are missing',
    false,
  )
  return command.action(async () => {
    const { values } = await datasetConfig(command, context)
    const { finishDataset, openShardPlan, plannedIn } = await import('../datasets/index.ts')
    const out = resolve(values.dir)
    const plan = openShardPlan(out, plannedIn(out))
    try {
      const status = await finishDataset(out, plan, {
        allowMissing: command.opts<{ allowMissing: boolean }>().allowMissing,
        durability: values.durability,
        signal: interruptSignal(context),
      })
      tell(context, values, status, [
        ...statusLines(status, values.dir, () => '').slice(0, 3),
        `report: ${resolve(out, 'report.html')}`,
      ])
    } finally {
      await plan.close()
    }
  })
}

function tell(
  context: CliContext,
  { json, quiet }: Pick<DatasetCommandOptions, 'json' | 'quiet'>,
  value: unknown,
  lines: readonly string[],
): void {
  if (json) context.stdout.write(`${JSON.stringify(value)}\n`)
  else if (!quiet) context.stdout.write(`${lines.join('\n')}\n`)
}

import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { DatasetCommandOptions, GivenFlags, ResolvedConfig } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import { createTrawl, type DatasetWork } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import {
  createFinalizeCommand,
  createPlanCommand,
  createStatusCommand,
  planTables,
} from './dataset-look-commands.ts'
import { datasetConfig, datasetFlags, datasetPart, interruptSignal } from './dataset-part.ts'
import { sharedOut, startWorkers, workerCount } from './dataset-workers.ts'
import { readFlags } from './flags.ts'
import { runJob } from './run-job.ts'
import { trawlOptions } from './trawl-options.ts'

/** `trawl dataset` and its parts: images from tables. */
export function createDatasetCommand(context: CliContext): Command {
  const command = datasetPart(
    'dataset',
    'Make an image dataset: tables of image URLs to resized images in shards',
  )
    .argument(
      '[TABLE...]',
      'CSV, TSV, JSON, JSONL, Parquet or Arrow files, lists of URLs, or folders of them',
    )
    .enablePositionalOptions()
  command.action(async (tables: readonly string[]) => {
    const config = await datasetConfig(command, context)
    if (tables.length === 0) {
      throw new TrawlError('ERR_USAGE', 'nothing to download: no table was given', {
        hint: 'Give a table: trawl dataset TABLE -d DIR. See `trawl dataset --help`.',
      })
    }
    await runAll(config, context, { tables, flags: readFlags(command, datasetFlags) })
  })
  for (const part of [
    createPlanCommand(context),
    createWorkerCommand(context),
    createStatusCommand(context),
    createRetryCommand(context),
    createFinalizeCommand(context),
  ]) {
    command.addCommand(part)
  }
  return command
}

function createWorkerCommand(context: CliContext): Command {
  const command = datasetPart('worker', 'Make shards of a plan that is there, beside other workers')
  return command.action(async () => {
    await run(await datasetConfig(command, context), context, { command: 'worker', tables: [] })
  })
}

function createRetryCommand(context: CliContext): Command {
  const command = datasetPart('retry', 'Fetch rows of finished shards again that failed').option(
    '--status <WORDS>',
    'which rows, with commas between: timeout, http_5xx, http_503, failed_to_download and the like, or failed',
    'failed',
  )
  return command.action(async () => {
    const { status } = command.opts<{ status: string }>()
    const statuses = status.split(',').map((word) => word.trim())
    await run(await datasetConfig(command, context), context, { command: 'retry', tables: [], statuses })
  })
}

/** All of a dataset, in this process and in as many others as are asked for. */
async function runAll(
  config: ResolvedConfig<DatasetCommandOptions>,
  context: CliContext,
  given: { readonly tables: readonly string[]; readonly flags: GivenFlags },
): Promise<void> {
  const { values } = config
  const { tables, flags } = given
  if (values.dryRun) return planTables(values, tables, context)
  const work: DatasetWork = { command: 'run', tables }
  const count = workerCount(values)
  if (count === 1) return run(config, context, work)
  const { preparePlan } = await import('../datasets/index.ts')
  const options = { ...values, dir: resolve(values.dir) }
  await preparePlan({ ...work, options }, interruptSignal(context))
  const children = startWorkers(options, count, { flags, known: datasetFlags, context })
  try {
    // The plan is there now: whatever was asked for is not to be done twice.
    const own = { ...sharedOut(values, count), incremental: 'incremental' } as const
    await run({ ...config, values: own }, context, work)
  } finally {
    for (const child of children) child.interrupt()
    await Promise.all(children.map((child) => child.exitCode))
  }
}

async function run(
  config: ResolvedConfig<DatasetCommandOptions>,
  context: CliContext,
  work: DatasetWork,
): Promise<void> {
  const trawl = await createTrawl(trawlOptions(context, config.values))
  try {
    context.exit(await runJob(trawl.datasetResolved(config, work), config.values, context))
  } finally {
    await trawl.close()
  }
}

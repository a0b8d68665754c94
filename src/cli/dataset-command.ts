import { Command } from 'commander'
import {
  commands,
  datasetGroups,
  flagsOf,
  type DatasetCommandOptions,
  type ResolvedConfig,
} from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import { createTrawl } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { runJob } from './run-job.ts'

/** `trawl dataset` and its parts: images from tables. */
export function createDatasetCommand(context: CliContext): Command {
  const command = part('dataset', 'Make an image dataset: tables of image URLs to resized images in shards')
    .argument('[TABLE...]', 'CSV, TSV, JSONL, Parquet or Arrow files, lists of URLs, or folders of them')
    .enablePositionalOptions()
  command.action(async (tables: readonly string[]) => {
    const config = await configOf(command, context)
    needTables(tables, config)
    await run(config, context, { command: 'run', tables })
  })
  command.addCommand(planCommand(context))
  command.addCommand(workerCommand(context))
  command.addCommand(retryCommand(context))
  return command
}

function planCommand(context: CliContext): Command {
  const command = part('plan', 'Read the tables and cut their rows into shards; fetch nothing').argument(
    '<TABLE...>',
    'tables, or folders of them',
  )
  return command.action(async (tables: readonly string[]) => {
    const config = await configOf(command, context)
    await run({ ...config, values: { ...config.values, dryRun: true } }, context, { command: 'run', tables })
  })
}

function workerCommand(context: CliContext): Command {
  const command = part('worker', 'Make shards of a plan that is there, beside other workers')
  return command.action(async () => {
    await run(await configOf(command, context), context, { command: 'worker', tables: [] })
  })
}

function retryCommand(context: CliContext): Command {
  const command = part('retry', 'Fetch rows of finished shards again that failed').option(
    '--status <WORDS>',
    'which rows: row codes such as timeout or http_5xx, failed_to_download, failed; with commas between',
    'failed',
  )
  return command.action(async () => {
    const { status } = command.opts<{ status: string }>()
    const statuses = status.split(',').map((word) => word.trim())
    await run(await configOf(command, context), context, { command: 'retry', tables: [], statuses })
  })
}

const flags = flagsOf(commands.dataset.groups, commands.dataset.without)

function part(name: string, description: string): Command {
  return addFlags(new Command(name).description(description), flags)
}

function configOf(command: Command, context: CliContext): Promise<ResolvedConfig<DatasetCommandOptions>> {
  const given = readFlags(command, flags)
  refuseFormat(given['outputFormat'])
  return loadConfig({
    groups: datasetGroups,
    flags: given,
    surroundings: context.surroundings,
    command: 'dataset',
  })
}

function refuseFormat(format: unknown): void {
  if (format !== 'tfrecord') return
  throw new TrawlError('ERR_OUTPUT_FORMAT', 'TFRecord files are not written', {
    hint: 'Use --output-format webdataset (tar shards) or parquet; TensorFlow reads both through its data loaders.',
  })
}

function needTables(tables: readonly string[], { values }: ResolvedConfig<DatasetCommandOptions>): void {
  if (tables.length > 0) return
  throw new TrawlError('ERR_USAGE', 'nothing to download: no table was given', {
    hint: `Give a table: trawl dataset TABLE -d ${values.dir}. See \`trawl dataset --help\`.`,
  })
}

type Work = Parameters<Awaited<ReturnType<typeof createTrawl>>['datasetResolved']>[1]

async function run(
  config: ResolvedConfig<DatasetCommandOptions>,
  context: CliContext,
  work: Work,
): Promise<void> {
  const trawl = await createTrawl({ surroundings: { proxies: context.proxies } })
  try {
    context.exit(await runJob(trawl.datasetResolved(config, work), config.values, context))
  } finally {
    await trawl.close()
  }
}

import { Command } from 'commander'
import {
  commands,
  datasetGroups,
  flagsOf,
  type DatasetCommandOptions,
  type ResolvedConfig,
} from '../config/index.ts'
import { refuseFarPlaces, refuseOutputFormat } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'

/** The flags of datasets. */
export const datasetFlags = flagsOf(commands.dataset.groups, commands.dataset.without)

/** A command with the options of datasets. */
export function datasetPart(name: string, description: string): Command {
  return addFlags(new Command(name).description(description), datasetFlags)
}

/** The options of such a command. Throws ERR_CONFIG_* and ERR_OUTPUT_FORMAT. */
export async function datasetConfig(
  command: Command,
  context: CliContext,
): Promise<ResolvedConfig<DatasetCommandOptions>> {
  const given = readFlags(command, datasetFlags)
  refuseOutputFormat(given['outputFormat'])
  const config = await loadConfig({
    groups: datasetGroups,
    flags: given,
    surroundings: context.surroundings,
    command: 'dataset',
  })
  refuseFarPlaces(config.values)
  return config
}

/** Fires on the first interrupt. */
export function interruptSignal(context: CliContext): AbortSignal {
  const controller = new AbortController()
  context.onInterrupt(() => controller.abort())
  return controller.signal
}

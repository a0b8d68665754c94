import { Command } from 'commander'
import { commands, flagsOf, lookGroups } from '../config/index.ts'
import { cleanFolder } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { printableText } from './render/index.ts'
import { cleanLines } from './status-lines.ts'

/** `trawl clean`: takes away parts and staging of output folders, and writes their journals anew. */
export function createCleanCommand(context: CliContext): Command {
  const flags = flagsOf(commands.clean.groups, commands.clean.without)
  const command = new Command('clean')
    .description('Take away parts and staging of an output folder, and what its journal no longer needs')
    .argument('<DIR...>', 'output folders')
  addFlags(command, flags)
  return command.action(async (given: readonly string[]) => {
    const { values } = await loadConfig({
      groups: lookGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'clean',
    })
    for (const path of given) {
      const cleaned = cleanFolder(path, { dryRun: values.dryRun })
      if (values.json) context.stdout.write(`${JSON.stringify(cleaned)}\n`)
      if (values.json || values.quiet) continue
      for (const line of cleanLines(cleaned, path)) context.stdout.write(`${printableText(line)}\n`)
    }
  })
}

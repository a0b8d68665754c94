import { Command } from 'commander'
import { commands, flagsOf, verifyGroups } from '../config/index.ts'
import { catalog, TrawlError } from '../core/index.ts'
import { verifyPaths, type Verified } from '../session/index.ts'
import { ReportFile } from '../storage/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { printableText } from './render/index.ts'

/** `trawl verify`: checks files, books and shards against their records, and containers by reading them back. */
export function createVerifyCommand(context: CliContext): Command {
  const flags = flagsOf(commands.verify.groups, commands.verify.without)
  const command = new Command('verify')
    .description('Check files, books and shards of datasets against their records')
    .argument('<PATH...>', 'output folders, books')
  addFlags(command, flags)
  return command.action(async (paths: readonly string[]) => {
    const { values } = await loadConfig({
      groups: verifyGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'verify',
    })
    const counts = { checked: 0, faults: 0 }
    const report = values.report === undefined ? undefined : new ReportFile(values.report, paths)
    try {
      for await (const verified of verifyPaths(paths, values)) {
        counts.checked++
        counts.faults += verified.faults.length
        report?.addLine(verified)
        if (values.json) context.stdout.write(`${JSON.stringify(verified)}\n`)
        else tell(verified, { quiet: values.quiet, verbose: values.verbose }, context)
      }
    } finally {
      report?.close()
    }
    if (counts.checked === 0) {
      throw new TrawlError(
        'ERR_INPUT_UNREADABLE',
        `${paths.join(', ')}: trawl keeps no record of anything there`,
        { hint: 'Give an output folder, or a book or file in one.' },
      )
    }
    if (!values.quiet && !values.json) {
      const faults = counts.faults === 1 ? '1 fault' : `${counts.faults} faults`
      context.stdout.write(`${counts.checked} checked, ${faults}\n`)
    }
    context.exit(counts.faults === 0 ? 0 : catalog.ERR_VERIFY_FAILED.exitCode)
  })
}

function tell(
  verified: Verified,
  options: { readonly quiet: boolean; readonly verbose: boolean },
  context: CliContext,
): void {
  for (const fault of verified.faults) context.stderr.write(`failed: ${printableText(fault.message)}\n`)
  if (verified.faults.length === 0 && options.verbose && !options.quiet) {
    context.stdout.write(`ok: ${printableText(verified.path)}: ${verified.what}\n`)
  }
}

import { Command } from 'commander'
import { commands, flagsOf, getGroups } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import { createTrawl } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { runJob } from './run-job.ts'

/** `trawl get`: downloads files. */
export function createGetCommand(context: CliContext): Command {
  const flags = flagsOf(commands.get.groups, commands.get.without)
  const command = new Command('get')
    .description('Download files: URLs, patterns such as page-[001-200].jpg, or lists of them')
    .argument('[URL...]', 'addresses of files')
  addFlags(command, flags)
  return command.action(async (urls: readonly string[]) => {
    const config = await loadConfig({
      groups: getGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'get',
    })
    const { values } = config
    if (urls.length === 0 && values.inputFile.length === 0) {
      throw new TrawlError('ERR_USAGE', 'nothing to download: no URL and no list was given', {
        hint: 'Give URLs, or a list with -i FILE. See `trawl get --help`.',
      })
    }
    if (values.out !== undefined && (urls.length > 1 || values.inputFile.length > 0)) {
      throw new TrawlError('ERR_USAGE', '--out names one file, but several are to be downloaded', {
        hint: 'Use --name for a template, or --dir for a folder.',
      })
    }
    const trawl = await createTrawl({ surroundings: { proxies: context.proxies } })
    try {
      const job = trawl.getResolved(urls, config, {
        stdin: context.stdin,
        ...(values.out === '-' ? { output: context.writeStdout } : {}),
      })
      context.exit(await runJob(job, { ...values, toStdout: values.out === '-' }, context))
    } finally {
      await trawl.close()
    }
  })
}

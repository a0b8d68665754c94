import { Command } from 'commander'
import { commands, flagsOf, getGroups, type GetOptions } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import type { PlannedFile } from '../files/index.ts'
import { createTrawl, type Trawl } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { getExecHooks } from './exec/exec-hooks.ts'
import { addFlags, readFlags } from './flags.ts'
import { printableText } from './render/index.ts'
import { runJob } from './run-job.ts'
import { trawlOptions } from './trawl-options.ts'

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
    checkUsage(urls, values)
    const trawl = await createTrawl(trawlOptions(context, values))
    try {
      if (values.dryRun) {
        context.exit(
          await showPlan(trawl.planFiles(urls, config, planOptions(context)), values.json, context),
        )
        return
      }
      const toStdout = values.out === '-'
      const { cwd } = context.surroundings
      const hooks = getExecHooks({ options: values, run: context.runProgram, cwd })
      const job = trawl.getResolved(urls, config, {
        stdin: context.stdin,
        ...(toStdout ? { output: context.writeStdout } : {}),
        ...(hooks ? { hooks } : {}),
      })
      context.exit(await runJob(job, { ...values, toStdout }, context))
    } finally {
      await trawl.close()
    }
  })
}

/** Throws ERR_USAGE for what cannot be meant together. */
function checkUsage(urls: readonly string[], values: GetOptions): void {
  if (urls.length === 0 && values.inputFile.length === 0) {
    throw new TrawlError('ERR_USAGE', 'nothing to download: no URL and no list was given', {
      hint: 'Give URLs, or a list with -i FILE. See `trawl get --help`.',
    })
  }
  if (values.update && values.onExists !== 'resume') {
    throw new TrawlError(
      'ERR_USAGE',
      `--update and --on-exists ${values.onExists} cannot be meant together`,
      {
        hint: 'Leave --on-exists out: --update keeps finished files and replaces those that have changed.',
      },
    )
  }
  const several = urls.length > 1 || values.inputFile.length > 0
  if (values.checksum !== undefined && several) {
    throw new TrawlError('ERR_USAGE', '--checksum is that of one file, but several are to be downloaded', {
      hint: 'Put it into the list, in a line `  checksum=sha-256=...` below each URL.',
    })
  }
  if (values.out === undefined) return
  if (several) {
    throw new TrawlError('ERR_USAGE', '--out names one file, but several are to be downloaded', {
      hint: 'Use --name for a template, or --dir for a folder.',
    })
  }
  if (values.out === '-' && values.json) {
    throw new TrawlError('ERR_USAGE', '--json and --out - both want standard output', {
      hint: 'Give --out FILE, or --report FILE in place of --json.',
    })
  }
}

function planOptions(context: CliContext): NonNullable<Parameters<Trawl['planFiles']>[2]> {
  return {
    stdin: context.stdin,
    onNotice: (message) => void context.stderr.write(`${printableText(message)}\n`),
  }
}

/** Prints what would be done, one line for each item; 1 when something of it could not be. */
async function showPlan(
  plan: AsyncIterable<PlannedFile>,
  json: boolean,
  context: CliContext,
): Promise<number> {
  let faults = 0
  for await (const file of plan) {
    if (file.error) faults++
    if (json) await context.writeStdout(Buffer.from(`${JSON.stringify(file)}\n`))
    else if (file.error) context.stderr.write(`${printableText(`${file.input}: ${file.error.message}`)}\n`)
    else {
      const path = file.path ?? '(named when the server answers)'
      const line = `${file.input} -> ${path}${file.exists ? ' (exists)' : ''}`
      const how = file.transfer ? `\n    ${file.transfer.style}: ${file.transfer.why}` : ''
      await context.writeStdout(Buffer.from(`${printableText(line)}${how}\n`))
    }
  }
  return faults > 0 ? 1 : 0
}

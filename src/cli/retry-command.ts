import { resolve } from 'node:path'
import { Command } from 'commander'
import { commands, flagsOf, getGroups, type GetOptions } from '../config/index.ts'
import { describeLocator, isErrorCode, TrawlError } from '../core/index.ts'
import { openRetry, type RetryFilter, type RetrySource } from '../files/index.ts'
import { createTrawl } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { printableText } from './render/index.ts'
import { runJob } from './run-job.ts'
import { trawlOptions } from './trawl-options.ts'

/** `trawl retry`: failed and unfinished items again, from a report or from the folder. */
export function createRetryCommand(context: CliContext): Command {
  const flags = flagsOf(commands.retry.groups, commands.retry.without)
  const command = new Command('retry')
    .description('Try failed and unfinished items again, under the names they were to have')
    .argument('<REPORT|DIR>', 'a file that --report wrote, or an output folder')
  addFlags(command, flags)
  command
    .option('--status <LIST>', 'only these: failed, unfinished, or both', 'failed,unfinished')
    .option(
      '--code <LIST>',
      'only those that failed with these codes, such as ERR_HTTP_SERVER,ERR_NET_TIMEOUT',
    )
  return command.action(async (path: string) => {
    const given = readFlags(command, flags)
    const config = await loadConfig({
      groups: getGroups,
      flags: given,
      surroundings: context.surroundings,
      command: 'get',
    })
    const source = await openRetry(path, filterOf(command.opts<{ status: string; code?: string }>()))
    const values: GetOptions = {
      ...config.values,
      ...(given['dir'] === undefined && source.dir !== undefined ? { dir: source.dir } : {}),
    }
    checkUsage(path, source, { ...values, givenDir: given['dir'] !== undefined })
    if (source.count === 0) {
      if (!values.quiet) context.stderr.write('nothing is left to try again\n')
      return
    }
    if (values.dryRun) return showTasks(source, values, context)
    tellWithheld(source, values, context)
    const trawl = await createTrawl(trawlOptions(context, values))
    try {
      const job = trawl.getResolved([], { ...config, values }, { tasks: source.tasks(values) })
      context.exit(await runJob(job, values, context))
    } finally {
      await trawl.close()
    }
  })
}

/** Throws ERR_USAGE for words that are none of ours. */
function filterOf({ status, code }: { readonly status: string; readonly code?: string }): RetryFilter {
  const statuses = new Set<'failed' | 'unfinished'>()
  for (const word of listOf(status)) {
    if (word === 'failed' || word === 'unfinished') statuses.add(word)
    else {
      throw new TrawlError('ERR_USAGE', `--status: not a status of items that are left: ${word}`, {
        hint: 'Give failed, unfinished, or failed,unfinished.',
      })
    }
  }
  if (code === undefined) return { statuses }
  const codes = new Set(listOf(code).map((word) => word.toUpperCase()))
  for (const each of codes) {
    if (isErrorCode(each)) continue
    throw new TrawlError('ERR_USAGE', `--code: there is no such code: ${each}`, {
      hint: 'The codes are in docs/errors.md, and in the report.',
    })
  }
  return { statuses, codes }
}

function listOf(text: string): string[] {
  return text.split(',').flatMap((word) => (word.trim() === '' ? [] : [word.trim()]))
}

/** Throws ERR_USAGE for what cannot be meant together. */
function checkUsage(
  path: string,
  { dir }: RetrySource,
  { report, givenDir }: Pick<GetOptions, 'report'> & { readonly givenDir: boolean },
): void {
  if (report !== undefined && resolve(report) === resolve(path)) {
    throw new TrawlError('ERR_USAGE', '--report would write over the report that is read', {
      hint: 'Give the new report another name.',
    })
  }
  if (givenDir && dir !== undefined && dir === resolve(path)) {
    throw new TrawlError('ERR_USAGE', '--dir and a folder as the argument: which of them?', {
      hint: 'Leave --dir out: items of a folder go to that folder.',
    })
  }
}

/** Headers that are not stored, and that the new run does not bring either. */
function tellWithheld({ withheld }: RetrySource, { headers }: GetOptions, context: CliContext): void {
  const brought = new Set(Object.keys(headers).map((name) => name.toLowerCase()))
  for (const [name, count] of Object.entries(withheld)) {
    if (brought.has(name)) continue
    const items = count === 1 ? 'one item was' : `${count} items were`
    const text = `${items} sent with the header ${name}, which is not stored: give it again with --header`
    context.stderr.write(`${printableText(text)}\n`)
  }
}

async function showTasks(source: RetrySource, options: GetOptions, context: CliContext): Promise<void> {
  for await (const tasks of source.tasks(options)) {
    const lines = tasks.map((task) => {
      const input = 'locator' in task ? describeLocator(task.locator) : task.input
      return options.json ? JSON.stringify({ id: task.id, input }) : printableText(input)
    })
    await context.writeStdout(Buffer.from(lines.map((line) => `${line}\n`).join('')))
  }
}

import { Command } from 'commander'
import { commands, flagsOf, lookGroups, type LookOptions } from '../config/index.ts'
import { lookAtFolder, type LookedAtFolder } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { printableText } from './render/index.ts'
import { itemLine, statusLines } from './status-lines.ts'

/** Items shown without `--items`. */
const itemsShown = 10

/** `trawl status`: what is in an output folder, also while another trawl works in it. */
export function createStatusCommand(context: CliContext): Command {
  const flags = flagsOf(commands.status.groups, commands.status.without)
  const command = new Command('status')
    .description('Say what is in an output folder: finished, failed, unfinished; also while it is worked in')
    .argument('[DIR...]', 'output folders; default: --dir')
  addFlags(command, flags)
  command.option('--items', `list every failed and unfinished item, not only the first ${itemsShown}`, false)
  return command.action(async (given: readonly string[]) => {
    const { values } = await loadConfig({
      groups: lookGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'status',
    })
    const { items } = command.opts<{ items: boolean }>()
    const folders = given.length === 0 ? [values.dir] : given
    for (const path of folders) {
      const folder = await lookAtFolder(path)
      try {
        if (values.json) await writeJson(folder, items, context)
        else await writeLines(folder, path, { ...values, items }, context)
      } finally {
        folder.close()
      }
    }
  })
}

/** One JSON object on one line, written in pieces: a million items need no memory. */
async function writeJson(
  { status, items }: LookedAtFolder,
  withItems: boolean,
  context: CliContext,
): Promise<void> {
  const write = async (text: string): Promise<void> => context.writeStdout(Buffer.from(text))
  const text = JSON.stringify(status)
  if (!withItems) return write(`${text}\n`)
  await write(`${text.slice(0, -1)},"items":[`)
  let before = ''
  for (const batch of batches(items())) {
    await write(before + batch.map((item) => JSON.stringify(item)).join(','))
    before = ','
  }
  await write(']}\n')
}

async function writeLines(
  { status, items }: LookedAtFolder,
  path: string,
  options: Pick<LookOptions, 'quiet'> & { readonly items: boolean },
  context: CliContext,
): Promise<void> {
  if (options.quiet) return
  const write = async (lines: readonly string[]): Promise<void> =>
    context.writeStdout(Buffer.from(lines.map((line) => `${printableText(line)}\n`).join('')))
  await write(statusLines(status, path))
  const total = status.failed.count + status.unfinished.count
  let shown = 0
  for (const batch of batches(items())) {
    const wanted = options.items ? batch : batch.slice(0, itemsShown - shown)
    await write(wanted.map(itemLine))
    shown += wanted.length
    if (!options.items && shown >= itemsShown) break
  }
  if (shown < total) await write([`... and ${total - shown} more: trawl status --items ${path}`])
  if (total > 0) await write([`try them again: trawl retry ${path}`])
}

function* batches<T>(items: Iterable<T>): Generator<readonly T[], void, undefined> {
  let batch: T[] = []
  for (const item of items) {
    batch.push(item)
    if (batch.length < 256) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

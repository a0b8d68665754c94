import { Command } from 'commander'
import { commands, flagsOf, packGroups } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import { repackBook, type RepackedBook } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { withFormatOfOut } from './format-of-out.ts'
import { printableText } from './render/index.ts'

/** `trawl pack`: packs a folder or an archive of images again, without downloading. */
export function createPackCommand(context: CliContext): Command {
  const flags = flagsOf(commands.pack.groups, commands.pack.without)
  const command = new Command('pack')
    .description('Pack a folder or archive of images again, without downloading')
    .argument('<FOLDER|ARCHIVE>', 'a folder, ZIP, CBZ, EPUB, PDF or tar of images')
  addFlags(command, flags)
  return command.action(async (input: string) => {
    const { values: given, origins } = await loadConfig({
      groups: packGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'pack',
    })
    // The pages of an archive were checked when it was made; a second time only where it is asked for.
    const asked = origins['check'] !== undefined && origins['check'].layer !== 'default'
    const values = withFormatOfOut({
      values: asked ? given : { ...given, check: 'none' as const },
      origins,
    })
    if (values.out === '-') {
      throw new TrawlError('ERR_USAGE', 'a book cannot go to standard output', { hint: 'Give --out FILE.' })
    }
    const abort = new AbortController()
    const stopListening = context.onInterrupt(() =>
      abort.abort(new TrawlError('ERR_CANCELLED', 'packing was cancelled')),
    )
    try {
      const files = await repackBook(input, values, {
        signal: abort.signal,
      })
      tell(files, values, context)
      context.exit(0)
    } finally {
      stopListening()
    }
  })
}

function tell(
  files: readonly RepackedBook[],
  options: { readonly json: boolean; readonly quiet: boolean; readonly dryRun: boolean },
  context: CliContext,
): void {
  if (files.length === 0 && !options.quiet)
    context.stderr.write('nothing was made: what is there is skipped (--on-exists skip)\n')
  for (const file of files) {
    const { path, pages } = file
    const said = options.dryRun ? 'would make' : 'made'
    if (options.json) context.stdout.write(`${JSON.stringify(file)}\n`)
    else if (!options.quiet) {
      context.stderr.write(`${said} ${printableText(path)} (${pages === 1 ? '1 page' : `${pages} pages`})\n`)
    }
  }
}

import { Command } from 'commander'
import { bookGroups, commands, flagsOf } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import { createTrawl } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { addFlags, readFlags } from './flags.ts'
import { runJob } from './run-job.ts'

/** `trawl book`: makes books of albums, galleries, manifests and lists of page images. */
export function createBookCommand(context: CliContext): Command {
  const flags = flagsOf(commands.book.groups, commands.book.without)
  const command = new Command('book')
    .description('Make books: pages in order, checked, as PDF, CBZ, EPUB, ZIP, folder or one long image')
    .argument('<INPUT...>', 'a manifest, a gallery, a list or pattern of page images, a folder')
  addFlags(command, flags)
  return command.action(async (inputs: readonly string[]) => {
    const config = await loadConfig({
      groups: bookGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'book',
    })
    const { values } = config
    if (values.out === '-') {
      throw new TrawlError('ERR_USAGE', 'a book cannot go to standard output', { hint: 'Give --out FILE.' })
    }
    const trawl = await createTrawl({ surroundings: { proxies: context.proxies } })
    try {
      const job = trawl.bookResolved(inputs, config)
      context.exit(await runJob(job, values, context))
    } finally {
      await trawl.close()
    }
  })
}

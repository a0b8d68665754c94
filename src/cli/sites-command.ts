import { Command } from 'commander'
import { listSources } from '../session/index.ts'
import type { CliContext } from './cli-context.ts'

/** `trawl sites list`: the sources of books. */
export function createSitesCommand(context: CliContext): Command {
  const command = new Command('sites').description('Sources of books')
  command
    .command('list')
    .description('List the sources, with examples of what they take')
    .option('--json', 'as JSON')
    .action(async (flags: { readonly json?: boolean }) => {
      const sources = await listSources()
      if (flags.json === true) {
        context.stdout.write(`${JSON.stringify(sources, null, 2)}\n`)
        return
      }
      for (const { name, description, examples } of sources) {
        context.stdout.write(`${name}: ${description}\n`)
        for (const example of examples) context.stdout.write(`  ${example}\n`)
      }
    })
  return command
}

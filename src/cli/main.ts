import { Command, CommanderError } from 'commander'
import { isTrawlError, toTrawlError, version } from '../core/index.ts'
import { createBookCommand } from './book-command.ts'
import type { CliContext } from './cli-context.ts'
import { createCleanCommand } from './clean-command.ts'
import { createCompareCommand } from './compare-command.ts'
import { createConfigCommand } from './config-command.ts'
import { createDatasetCommand } from './dataset-command.ts'
import { createGetCommand } from './get-command.ts'
import { createPackCommand } from './pack-command.ts'
import { processContext } from './process-context.ts'
import { createRetryCommand } from './retry-command.ts'
import { createSitesCommand } from './sites-command.ts'
import { createStatusCommand } from './status-command.ts'
import { createVerifyCommand } from './verify-command.ts'

/** Runs a command line. Errors are told in one line with what to do; the exit code is that of the contract. */
export async function main(argv: readonly string[], context: CliContext = processContext()): Promise<void> {
  try {
    await createProgram(context, argv[0]).parseAsync(argv, { from: 'user' })
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      context.exit(thrown.exitCode === 0 ? 0 : 2)
      return
    }
    // Whoever read the output has seen enough, as `head` does.
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'EPIPE') return
    const error = toTrawlError(thrown)
    context.stderr.write(`trawl: ${error.message}\n`)
    if (error.hint !== '') context.stderr.write(`       ${error.hint}\n`)
    if (!isTrawlError(thrown) && thrown instanceof Error) context.stderr.write(`${thrown.stack ?? ''}\n`)
    context.exit(error.exitCode)
  }
}

const creators: Readonly<Record<string, (context: CliContext) => Command>> = {
  get: createGetCommand,
  book: createBookCommand,
  dataset: createDatasetCommand,
  pack: createPackCommand,
  verify: createVerifyCommand,
  compare: createCompareCommand,
  status: createStatusCommand,
  retry: createRetryCommand,
  clean: createCleanCommand,
  sites: createSitesCommand,
  config: createConfigCommand,
}

/** With the one command that is wanted, or all of them where the first word is none: making their flags takes time. */
function createProgram(context: CliContext, word = ''): Command {
  const program = new Command('trawl')
    .description('Downloads files, books and image datasets: fast, polite, and never a wrong byte.')
    .version(version)
    .enablePositionalOptions()
  const wanted = Object.hasOwn(creators, word) ? creators[word] : undefined
  for (const create of wanted ? [wanted] : Object.values(creators)) program.addCommand(create(context))
  inherit(program, context, 'trawl')
  return program
}

function inherit(command: Command, context: CliContext, words: string): void {
  command
    .showHelpAfterError(`(see \`${words} --help\`)`)
    .exitOverride()
    .configureHelp({ showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => void context.stdout.write(text),
      writeErr: (text) => void context.stderr.write(text),
    })
  for (const child of command.commands) inherit(child, context, `${words} ${child.name()}`)
}

import { text } from 'node:stream/consumers'
import { Command } from 'commander'
import { bookGroups, commands, flagsOf } from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import type { BookPlan } from '../books/index.ts'
import { createTrawl } from '../session/index.ts'
import type { SourceInput } from '../sources/index.ts'
import type { CliContext } from './cli-context.ts'
import { loadConfig } from './config-files.ts'
import { bookExecHooks } from './exec/exec-hooks.ts'
import { addFlags, readFlags } from './flags.ts'
import { withFormatOfOut } from './format-of-out.ts'
import { printableText } from './render/index.ts'
import { runJob } from './run-job.ts'
import { trawlOptions } from './trawl-options.ts'

/** `trawl book`: makes books of albums, galleries, manifests and lists of page images. */
export function createBookCommand(context: CliContext): Command {
  const flags = flagsOf(commands.book.groups, commands.book.without)
  const command = new Command('book')
    .description('Make books: pages in order, checked, as PDF, CBZ, EPUB, ZIP, folder or one long image')
    .argument(
      '<INPUT...>',
      'a manifest, a gallery, a list or pattern of page images, a folder; - is a list from standard input',
    )
  addFlags(command, flags)
  return command.action(async (args: readonly string[]) => {
    const config = await loadConfig({
      groups: bookGroups,
      flags: readFlags(command, flags),
      surroundings: context.surroundings,
      command: 'book',
    })
    const values = withFormatOfOut(config)
    if (values.out === '-') {
      throw new TrawlError('ERR_USAGE', 'a book cannot go to standard output', { hint: 'Give --out FILE.' })
    }
    const inputs = await withStandardInput(args, context)
    const trawl = await createTrawl(trawlOptions(context, values))
    try {
      if (values.dryRun || values.printFields) {
        const plans = trawl.planBooks(
          inputs,
          { ...config, values },
          {
            onNotice: (message) => void context.stderr.write(`${printableText(message)}\n`),
          },
        )
        for await (const plan of plans) context.stdout.write(planText(plan, values))
        return
      }
      const { cwd } = context.surroundings
      const hooks = bookExecHooks({ options: values, run: context.runProgram, cwd })
      const job = trawl.bookResolved(inputs, { ...config, values }, hooks ? { hooks } : {})
      context.exit(await runJob(job, values, context))
    } finally {
      await trawl.close()
    }
  })
}

/** `-` is a list of page images from standard input. Throws ERR_USAGE where it stands twice. */
async function withStandardInput(
  args: readonly string[],
  { stdin }: CliContext,
): Promise<readonly (string | SourceInput)[]> {
  const count = args.filter((arg) => arg === '-').length
  if (count === 0) return args
  if (count > 1) throw new TrawlError('ERR_USAGE', 'standard input can be read once: give - once')
  const lines: SourceInput = { text: `${await text(stdin)}\n`, source: 'image-list' }
  return args.map((arg) => (arg === '-' ? lines : arg))
}

/** What would be made: files, fields of name templates, with `verbose` every page. */
function planText(
  plan: BookPlan,
  options: { readonly json: boolean; readonly verbose: boolean; readonly printFields: boolean },
): string {
  if (options.json) return `${JSON.stringify(plan)}\n`
  const { length: count } = plan.pages
  const pages = count === 1 ? '1 page' : `${count} pages`
  const lines = plan.files.map((file) => `${file} (${pages}, ${plan.source})`)
  if (options.printFields) {
    for (const [name, value] of Object.entries(plan.fields)) {
      if (value !== undefined) lines.push(`  {${name}}: ${String(value)}`)
    }
  }
  if (options.verbose)
    lines.push(...plan.pages.map((url, i) => `  ${i + 1}: ${url === '' ? '(no image)' : url}`))
  return lines.map((line) => `${printableText(line)}\n`).join('')
}

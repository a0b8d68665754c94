import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import {
  allGroups,
  commands,
  configTemplate,
  fileSchemaOf,
  hostOptions,
  hostOrigins,
  originText,
  shownText,
  shownValue,
  unknownVariables,
  type CommandName,
  type Option,
  type Origin,
  type ResolvedConfig,
} from '../config/index.ts'
import { TrawlError } from '../core/index.ts'
import { loadConfig, projectFileName, type ConfigSurroundings } from './config-files.ts'

/** What the command is given instead of looking at the process itself. */
export interface ConfigCommandContext {
  readonly surroundings: ConfigSurroundings
  readonly stdout: { write(text: string): unknown }
}

interface ShowFlags {
  readonly origin?: boolean
  readonly json?: boolean
  readonly for?: string
  readonly host?: string
  readonly config?: boolean
}

/**
 * `trawl config show|schema|init`. Throws ERR_CONFIG_* for files that are wrong, ERR_USAGE for an unknown command
 * name and when `init` would overwrite.
 */
export function createConfigCommand({ surroundings, stdout }: ConfigCommandContext): Command {
  const command = new Command('config').description(
    'Options: where they come from, their schema, a file to start with',
  )
  command
    .command('show')
    .description('Show the options that hold here')
    .option('--origin', 'say where each value comes from')
    .option('--json', 'as JSON')
    .option('--for <COMMAND>', 'as that command sees them, with its block of the files')
    .option('--host <HOST>', 'as they hold for that host')
    .option('--no-config', 'without the files of user and project')
    .action(async (flags: ShowFlags) => void stdout.write(await show(flags, surroundings)))
  command
    .command('schema')
    .description('Print the JSON Schema of configuration files')
    .action(() => void stdout.write(`${JSON.stringify(fileSchemaOf(allGroups), null, 2)}\n`))
  command
    .command('init')
    .description(`Write ${projectFileName} with every option and its default, commented out`)
    .option('--force', 'overwrite the file')
    .action(
      async (flags: { readonly force?: boolean }) =>
        void stdout.write(await init(flags.force === true, surroundings.cwd)),
    )
  return command
}

interface Shown {
  readonly option: Option
  readonly value: unknown
  readonly origin: Origin
}

async function show(flags: ShowFlags, surroundings: ConfigSurroundings): Promise<string> {
  const { for: name, host } = flags
  if (name !== undefined && !isCommandName(name)) {
    throw new TrawlError(
      'ERR_USAGE',
      `--for: no such command: ${name}: give ${Object.keys(commands).join(', ')}`,
    )
  }
  const groups = name === undefined ? allGroups : commands[name].groups
  const config: ResolvedConfig = await loadConfig({
    groups,
    flags: flags.config === false ? { config: false } : {},
    surroundings,
    ...(name === undefined ? {} : { command: name }),
  })
  const values = host === undefined ? config.values : hostOptions(config, host)
  const origins = host === undefined ? config.origins : hostOrigins(config, host)
  const shown: readonly Shown[] = groups
    .flatMap((group) => group.options)
    .map((option) => ({
      option,
      value: values[option.name],
      origin: origins[option.name] ?? { layer: 'default' },
    }))
  const notes = unknownVariables(surroundings.env).map(
    ({ variable, meant }) =>
      `# ${variable} is not an option of trawl${meant === undefined ? '' : `; did you mean ${meant}?`}`,
  )
  return flags.json === true
    ? showJson(shown, flags.origin === true)
    : [...showLines(shown, flags.origin === true), ...notes].map((line) => `${line}\n`).join('')
}

function isCommandName(name: string): name is CommandName {
  return Object.hasOwn(commands, name)
}

function showJson(shown: readonly Shown[], withOrigin: boolean): string {
  const entries = shown.map(({ option, value, origin }) => {
    const visible = shownValue(option, value) ?? null
    return [option.name, withOrigin ? { value: visible, origin } : visible] as const
  })
  return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`
}

function showLines(shown: readonly Shown[], withOrigin: boolean): string[] {
  const lines = shown.map(({ option, value }) => `${option.key}: ${shownText(option, value)}`.trimEnd())
  if (!withOrigin) return lines
  const width = Math.min(48, Math.max(...lines.map((line) => line.length)))
  return lines.map((line, at) => `${line.padEnd(width)}  # ${whereFrom(shown[at])}`)
}

function whereFrom(shown: Shown | undefined): string {
  if (shown === undefined) return ''
  const { origin } = shown
  return 'block' in origin ? `${originText(origin)} (${origin.block})` : originText(origin)
}

/** Gives the line that is told. Throws ERR_USAGE where it exists, ERR_PERMISSION and ERR_IO. */
async function init(force: boolean, cwd: string): Promise<string> {
  const path = join(cwd, projectFileName)
  try {
    await writeFile(path, configTemplate(allGroups), { flag: force ? 'w' : 'wx' })
  } catch (error) {
    throw notWritten(path, error)
  }
  return `Wrote ${path}\n`
}

function notWritten(path: string, error: unknown): TrawlError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const context = { path }
  if (code === 'EEXIST') {
    return new TrawlError('ERR_USAGE', `${path} exists`, {
      context,
      hint: 'Give --force to overwrite it.',
      cause: error,
    })
  }
  const known =
    code === 'EACCES' || code === 'EPERM' ? 'ERR_PERMISSION' : code === 'EROFS' ? 'ERR_READ_ONLY' : 'ERR_IO'
  return new TrawlError(known, `${path}: ${error instanceof Error ? error.message : 'cannot be written'}`, {
    context,
    cause: error,
  })
}

import { Option, type Command } from 'commander'
import type { FlagData, GivenFlags } from '../config/index.ts'

/**
 * Adds flags to a command, under the headings of their groups. Values stay text: `resolveConfig` reads them, so that
 * all mistakes are told in one way, with the flag's name.
 */
export function addFlags(command: Command, flags: readonly FlagData[]): Command {
  for (const flag of flags) {
    const [option, opposite] = optionsOf(flag)
    command.addOption(option)
    if (opposite !== undefined) command.addOption(opposite)
  }
  return command
}

/** The flags that were given on this command line, by resolved name; nothing for those that were not. */
export function readFlags(command: Command, flags: readonly FlagData[]): GivenFlags {
  const given: Record<string, boolean | string | readonly string[]> = {}
  for (const flag of flags) {
    const [option] = optionsOf(flag)
    const attribute = option.attributeName()
    if (command.getOptionValueSource(attribute) !== 'cli') continue
    const value: unknown = command.getOptionValue(attribute)
    if (typeof value === 'boolean' || typeof value === 'string') given[flag.name] = value
    else if (Array.isArray(value)) given[flag.name] = value.map(String)
  }
  return given
}

function optionsOf(flag: FlagData): readonly [Option, Option | undefined] {
  const names = flag.short === undefined ? flag.long : `${flag.short}, ${flag.long}`
  const option = new Option(
    flag.placeholder === undefined ? names : `${names} <${flag.placeholder}>`,
    describe(flag),
  ).helpGroup(`${flag.title}:`)
  if (flag.repeats) option.argParser(appended)
  const opposite = flag.opposite === undefined ? undefined : new Option(flag.opposite).hideHelp()
  return [option, opposite]
}

function appended(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

function describe(flag: FlagData): string {
  if (flag.defaultText === undefined) return flag.description
  const text = flag.defaultText.replaceAll('\n', ', ')
  return `${flag.description} (default: ${text})`
}

import type { Group, Option } from './group.ts'

/** One flag as plain data, for command lines and shell completion. */
export interface FlagData {
  /** Resolved name of the option. */
  readonly name: string
  /** `--remote-time`; for a switch that is on by default `--no-config`. */
  readonly long: string
  readonly short?: string
  /** Absent for switches. */
  readonly placeholder?: string
  /** The opposite of `long`, for switches; understood, but not shown in help. */
  readonly opposite?: string
  readonly repeats: boolean
  readonly choices?: readonly string[]
  readonly description: string
  /** Default as people write it, or what happens when it is not given; absent for switches. */
  readonly defaultText?: string
  readonly group: string
  /** Heading in help texts. */
  readonly title: string
}

/** The flags of some groups, in their order; those of `without` (resolved names) are left out. */
export function flagsOf(groups: readonly Group[], without: readonly string[] = []): readonly FlagData[] {
  return groups.flatMap((group) =>
    group.options
      .filter((option) => option.flag !== undefined && !without.includes(option.name))
      .map((option) => flagOf(group, option)),
  )
}

function flagOf(group: Group, option: Option): FlagData {
  const { field, name, flag = '' } = option
  const { kind } = field
  const common = {
    name,
    repeats: kind.repeats,
    description: field.description,
    group: group.name,
    title: group.title,
  }
  const short = field.short === undefined ? {} : { short: field.short }
  if (kind.placeholder === undefined) {
    const negated = `--no-${flag.slice(2)}`
    const [long, opposite] = field.default === true ? [negated, flag] : [flag, negated]
    const description = field.default === true ? (field.off ?? field.description) : field.description
    return { ...common, description, ...short, long, ...(field.opposite === false ? {} : { opposite }) }
  }
  const defaultText = defaultTextOf(option)
  return {
    ...common,
    ...short,
    long: flag,
    placeholder: field.placeholder ?? kind.placeholder,
    ...(kind.choices === undefined ? {} : { choices: kind.choices }),
    ...(defaultText === undefined ? {} : { defaultText }),
  }
}

/** The default as people write it, or the phrase for "unset"; undefined when there is nothing to say. */
export function defaultTextOf({ field }: Option): string | undefined {
  if (!field.filled) return field.unset
  const text = field.kind.toText(field.default)
  return text === '' ? undefined : text
}

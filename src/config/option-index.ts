import { allGroups } from './commands.ts'
import type { Group, Option } from './group.ts'

/** The options of some groups, by each of their names. */
export interface OptionIndex {
  readonly byName: ReadonlyMap<string, Option>
  readonly byKey: ReadonlyMap<string, Option>
}

const indexes = new WeakMap<readonly Group[], OptionIndex>()

/** Built once for each list of groups. */
export function indexOf(groups: readonly Group[]): OptionIndex {
  const known = indexes.get(groups)
  if (known !== undefined) return known
  const options = groups.flatMap((group) => group.options)
  const index: OptionIndex = {
    byName: new Map(options.map((option) => [option.name, option])),
    byKey: new Map(options.map((option) => [option.key, option])),
  }
  indexes.set(groups, index)
  return index
}

/** The options of all commands; built only when a key is not one of the command at hand. */
export function allOptions(): OptionIndex {
  return indexOf(allGroups)
}

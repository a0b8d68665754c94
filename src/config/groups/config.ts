import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { list, path, toggle } from '../kinds.ts'

/** Where options come from. */
export const configGroup = defineGroup({
  name: 'config',
  title: 'Configuration files',
  about: 'Where options come from.',
  fields: () => ({
    optionFile: field(list(path('FILE')), {
      description:
        'YAML file with options for this run; above the environment, below flags. May be repeated.',
      default: [],
      flag: '--option',
      file: false,
      env: false,
    }),
    config: field(toggle, {
      description: 'Read the configuration files of user and project.',
      off: 'Leave the configuration files of user and project alone.',
      default: true,
      opposite: false,
      file: false,
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type ConfigOptions = OptionsOf<typeof configGroup>

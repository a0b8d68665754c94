import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { text } from '../kinds.ts'

/** Programs that are called. */
export const hooksGroup = defineGroup({
  name: 'hooks',
  title: 'Hooks',
  about: 'Programs that are called along the way.',
  fields: () => ({
    exec: field(text('COMMAND'), {
      description: 'Command to run for each finished file; {} is its path. Not read from project files.',
      file: 'not-project',
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type HooksOptions = OptionsOf<typeof hooksGroup>

import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { choice, integer, list, path } from '../kinds.ts'

/** `trawl compare`. */
export const compareGroup = defineGroup({
  name: 'compare',
  title: 'Compare',
  about: 'Ways of downloading side by side.',
  fields: () => ({
    modes: field(list(choice(['loop', 'threads', 'processes', 'async']), { separator: ',' }), {
      description: 'Ways to compare, in this order.',
      default: ['loop', 'threads', 'processes', 'async'],
      file: false,
      env: false,
    }),
    rounds: field(integer({ min: 1, max: 100 }), {
      description: 'Runs of each way, in turn; medians are told.',
      default: 1,
      file: false,
      env: false,
    }),
    plot: field(path('FILE'), {
      description: 'Write the plot, an SVG image, to this file.',
      unset: 'compare.svg, with a number where it is there already',
      file: false,
      env: false,
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type CompareOptions = OptionsOf<typeof compareGroup>

import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { list, text, toggle } from '../kinds.ts'

/** Lists of URLs for `get`. */
export const inputGroup = defineGroup({
  name: 'input',
  title: 'Input',
  about: 'Lists of what is wanted.',
  fields: () => ({
    inputFile: field(list(text('FILE', 'a path, or - for standard input')), {
      description:
        'List of URLs, one a line; # begins a comment, TAB separates mirrors, indented lines are options; or a Metalink; - is standard input.',
      default: [],
      short: '-i',
      file: false,
      env: false,
    }),
    followMetalink: field(toggle, {
      description: 'Fetch the files that a Metalink (.meta4) lists, in place of the Metalink itself.',
      off: 'Download a Metalink (.meta4) itself, not the files that it lists.',
      default: true,
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type InputOptions = OptionsOf<typeof inputGroup>

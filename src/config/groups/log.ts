import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { choice, toggle } from '../kinds.ts'

/** What is told while it runs. */
export const logGroup = defineGroup({
  name: 'log',
  title: 'Messages',
  about: 'What is told while it runs.',
  fields: () => ({
    json: field(toggle, { description: 'Events as JSON lines on standard output.', default: false }),
    quiet: field(toggle, { description: 'Only errors.', default: false, short: '-q' }),
    verbose: field(toggle, {
      description: 'Also retries, pauses and decisions.',
      default: false,
      short: '-v',
    }),
    progress: field(choice(['auto', 'live', 'plain', 'none']), {
      description: 'Progress: live lines, plain lines every few seconds, or none; auto looks for a terminal.',
      default: 'auto',
    }),
  }),
  check: (values) =>
    values.quiet && values.verbose
      ? { name: 'quiet', message: 'cannot stand together with verbose' }
      : undefined,
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type LogOptions = OptionsOf<typeof logGroup>

import { field } from '../field.ts'
import { parseCommand } from '../grammars.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, integer, list } from '../kinds.ts'

const command = checked(
  'COMMAND',
  (given) => parseCommand(given) !== undefined,
  'a program and its arguments, with every quote closed',
)

/** Programs that are called. */
export const hooksGroup = defineGroup({
  name: 'hooks',
  title: 'Hooks',
  about: 'Programs that the command line calls along the way, without a shell: see docs/control.md.',
  fields: () => ({
    exec: field(command, {
      description:
        'Command to run for each finished item; {} is its path, TRAWL_* variables say more. Not read from project files.',
      file: 'not-project',
    }),
    execOn: field(list(choice(['ok', 'skipped', 'failed', 'unfinished']), { separator: ',' }), {
      description: 'How an item must have ended for --exec.',
      default: ['ok'],
    }),
    execJobs: field(integer({ min: 1, max: 256 }), {
      description: 'Commands of --exec at once; downloads wait when more would have to.',
      default: 4,
    }),
    execEnd: field(command, {
      description: 'Command to run once, when all is over. Not read from project files.',
      file: 'not-project',
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type HooksOptions = OptionsOf<typeof hooksGroup>

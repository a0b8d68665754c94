import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { choice, list, path, size, text, toggle } from '../kinds.ts'

/** Where files go and what happens to those that are there. */
export const outputGroup = defineGroup({
  name: 'output',
  title: 'Output',
  about: 'Where files go, what happens to those that are there, and what is told afterwards.',
  fields: () => ({
    dir: field(path('DIR'), { description: 'Output folder.', default: '.', short: '-d' }),
    out: field(text('NAME', 'a file name, or - for standard output'), {
      description: 'Name of the one file that is made; for get, - is standard output.',
      unset: 'the server or the URL names it',
      short: '-o',
      file: false,
      env: false,
    }),
    onExists: field(choice(['resume', 'skip', 'overwrite', 'rename', 'error']), {
      description: 'What happens to a file that exists. resume keeps finished files and goes on with parts.',
      default: 'resume',
    }),
    durability: field(choice(['none', 'batch', 'strict']), {
      description: 'When data is forced to disk: never, in groups, or for each file before it gets its name.',
      default: 'batch',
    }),
    maxSizeBytes: field(size, {
      description: 'Do not take files larger than this: get skips them, pages of books are missing.',
      unset: 'any size',
      scope: 'host',
    }),
    minSizeBytes: field(size, {
      description: 'Skip files smaller than this.',
      unset: 'any size',
      scope: 'host',
    }),
    remoteTime: field(toggle, {
      description: 'Give files the time that the server tells (Last-Modified).',
      default: false,
    }),
    report: field(path('FILE'), { description: 'Write one JSON line for each item to this file.' }),
    acceptHtml: field(toggle, {
      description: 'Take an HTML page for good where the URL promised another kind of file.',
      default: false,
      scope: 'host',
    }),
    reuse: field(list(path('DIR')), {
      description:
        'Look in this folder for files that need not be fetched again, and copy those; it is not changed. May be repeated.',
      default: [],
    }),
    dryRun: field(toggle, {
      description: 'Say what would be done, and do nothing.',
      default: false,
      file: false,
      env: false,
    }),
    stateDir: field(path('DIR'), {
      description: 'Folder of the state database: what was learned of hosts.',
      unset: "the user's state folder",
    }),
    state: field(toggle, {
      description: 'Use and keep what was learned of hosts, in the state database.',
      off: 'Neither use nor keep what was learned of hosts.',
      default: true,
    }),
  }),
  check({ minSizeBytes, maxSizeBytes, report }) {
    if (minSizeBytes !== undefined && maxSizeBytes !== undefined && minSizeBytes > maxSizeBytes) {
      return { name: 'minSizeBytes', message: 'must not be more than maxSize' }
    }
    return report === '-'
      ? { name: 'report', message: 'is a file; standard output is /dev/stdout' }
      : undefined
  },
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type OutputOptions = OptionsOf<typeof outputGroup>

import { field } from '../field.ts'
import { parseHours, parseStartAt } from '../grammars.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, duration, integer, integerOrAuto, rate, toggle } from '../kinds.ts'

function amountFields() {
  return {
    concurrency: field(integerOrAuto({ min: 1, max: 10_000 }), {
      description: 'Transfers at once, over all hosts.',
      default: 'auto',
      short: '-j',
    }),
    split: field(integerOrAuto({ min: 1, max: 256 }), {
      description: 'Segments of one file that are fetched at once.',
      default: 'auto',
      short: '-x',
      scope: 'host',
    }),
    maxPerHost: field(integerOrAuto({ min: 1, max: 10_000 }), {
      description: 'Requests at once to one host.',
      default: 'auto',
      scope: 'host',
    }),
    maxPerHostCeiling: field(integer({ min: 1, max: 10_000 }), {
      description: 'The most that auto may choose for --max-per-host.',
      default: 256,
      scope: 'host',
    }),
    limitRateBps: field(rate, {
      description: 'Bytes a second over everything; 0 is no limit.',
      default: 0,
    }),
    limitRatePerHostBps: field(rate, {
      description: 'Bytes a second for each host; 0 is no limit.',
      default: 0,
      scope: 'host',
    }),
    limitRatePerItemBps: field(rate, {
      description: 'Bytes a second for each file; 0 is no limit.',
      default: 0,
      scope: 'host',
    }),
    requestSpacingMs: field(duration, {
      description: 'Least time between the starts of two requests to one host.',
      default: 0,
      scope: 'host',
    }),
    smallFirst: field(toggle, {
      description: 'Of the files whose length is known, fetch small ones first.',
      default: false,
    }),
  }
}

function wayFields() {
  return {
    mode: field(choice(['async', 'threads', 'processes', 'loop']), {
      description:
        'Way of working: one event loop, threads, processes, or one transfer after the other (to compare).',
      default: 'async',
    }),
    workers: field(integerOrAuto({ min: 1, max: 256 }), {
      description: 'Threads or processes; auto is the number of processors.',
      default: 'auto',
    }),
    startAt: field(
      checked(
        'TIME',
        (given) => parseStartAt(given, 0) !== undefined,
        'a time such as 02:00 or 2027-01-31T02:00',
      ),
      {
        description: 'Wait until this time, such as 02:00 or 2027-01-31T02:00.',
        unset: 'start now',
        file: false,
      },
    ),
    between: field(
      checked('HOURS', (given) => parseHours(given) !== undefined, 'hours such as 22:00-06:00'),
      {
        description: 'Transfer only between these hours of the local clock, such as 22:00-06:00.',
        unset: 'always',
      },
    ),
  }
}

/** How much is done at once, how fast, and when. */
export const concurrencyGroup = defineGroup({
  name: 'concurrency',
  title: 'Concurrency and limits',
  about: 'How much is done at once, how fast, and when. `auto` adapts to the hosts while it runs.',
  fields: () => ({ ...amountFields(), ...wayFields() }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type ConcurrencyOptions = OptionsOf<typeof concurrencyGroup>

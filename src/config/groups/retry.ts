import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { duration, integer } from '../kinds.ts'

/** What happens when something fails. */
export const retryGroup = defineGroup({
  name: 'retry',
  title: 'Retries',
  about: 'What happens when something fails that may work later.',
  fields: () => ({
    retries: field(integer({ min: 0, max: 1000 }), {
      description:
        'Further tries for one file after a failure that may pass. Progress starts the count anew.',
      default: 5,
      scope: 'host',
    }),
    retryDelayMs: field(duration, {
      description: 'Wait before the first further try; doubles with each one, with some chance in it.',
      default: 500,
      scope: 'host',
    }),
    retryMaxDelayMs: field(duration, {
      description: 'Longest wait between two tries.',
      default: 60_000,
      scope: 'host',
    }),
    retryAfterMaxMs: field(duration, {
      description: 'Longest wait that a server may ask for (Retry-After); longer ones fail the file.',
      default: 3_600_000,
      scope: 'host',
    }),
    spaceWaitMs: field(duration, {
      description: 'How long to wait for space when the disk is full; 0 gives up at once.',
      default: 600_000,
    }),
  }),
  check: (values) =>
    values.retryMaxDelayMs < values.retryDelayMs
      ? { name: 'retryMaxDelayMs', message: 'must not be less than retryDelay' }
      : undefined,
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type RetryOptions = OptionsOf<typeof retryGroup>

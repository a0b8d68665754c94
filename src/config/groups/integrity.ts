import { digestAlgorithms } from '../../core/index.ts'
import { field } from '../field.ts'
import { parseChecksum } from '../grammars.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, toggle } from '../kinds.ts'

/** What is checked before a file counts as done. */
export const integrityGroup = defineGroup({
  name: 'integrity',
  title: 'Integrity',
  about:
    'What is checked before a file counts as done. Lengths are always checked where the server tells them.',
  fields: () => ({
    checksum: field(
      checked(
        'ALGORITHM=HEX',
        (given) => parseChecksum(given) !== undefined,
        'an algorithm and a value, such as sha-256=9f86d081...',
      ),
      {
        description: 'Digest that the one file must have, such as sha-256=9f86d081....',
        file: false,
        env: false,
      },
    ),
    digest: field(choice(digestAlgorithms), {
      description: 'Compute this digest of every file, for the report and for later checks.',
      unset: 'only where a digest is known beforehand',
    }),
    verifyExisting: field(toggle, {
      description:
        'Read files that are there already, and compare them with their records, before skipping them.',
      default: false,
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type IntegrityOptions = OptionsOf<typeof integrityGroup>

import { field } from '../field.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { text } from '../kinds.ts'

/** How files are called. */
export const namingGroup = defineGroup({
  name: 'naming',
  title: 'Names',
  about: 'How files are called.',
  fields: () => ({
    name: field(text('TEMPLATE'), {
      description:
        'Name template with fields of the URL, the headers, the row and the position in the list; / makes folders.',
      unset: 'the name from Content-Disposition, else from the URL',
      scope: 'source',
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type NamingOptions = OptionsOf<typeof namingGroup>

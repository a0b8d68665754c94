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
        'Name template with fields, such as {host}/{name} for files and {series}/{title} for books; / makes folders.',
      unset: 'the name that the server or the URL gives; of books, the title',
      scope: 'source',
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type NamingOptions = OptionsOf<typeof namingGroup>

import { field } from '../field.ts'
import { parseMoment } from '../grammars.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, toggle } from '../kinds.ts'

function moment() {
  return checked(
    'TIME',
    (given) => parseMoment(given, 0) !== undefined,
    'a date such as 2027-01-31 or 2027-01-31T02:00, or an age such as 7d or 12h',
  )
}

/** What is fetched again, and what is not. */
export const rerunGroup = defineGroup({
  name: 'rerun',
  title: 'Running again',
  about: 'What is fetched again when files are there already, and which files are not wanted.',
  fields: () => ({
    update: field(toggle, {
      description:
        'Ask servers whether finished files have changed since, and replace those that have once the new version is whole.',
      default: false,
    }),
    newerThan: field(moment(), {
      description: 'Skip files that were last modified before this time: a date, or an age such as 7d.',
      unset: 'any time',
    }),
    olderThan: field(moment(), {
      description: 'Skip files that were last modified at this time or later: a date, or an age such as 7d.',
      unset: 'any time',
    }),
    reuseBy: field(choice(['validator', 'sample']), {
      description:
        'Proof that a file of a --reuse folder is the wanted one: a digest or a strong ETag, or also length and Last-Modified with the first and last 64 KiB compared.',
      default: 'validator',
    }),
    reuseLink: field(toggle, {
      description:
        'Link files of --reuse folders under a second name in place of copying them: no room is taken, and both names are the same file.',
      default: false,
    }),
  }),
})

/** Resolved options of the group. */
export type RerunOptions = OptionsOf<typeof rerunGroup>

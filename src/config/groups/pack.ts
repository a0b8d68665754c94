import { field } from '../field.ts'
import { parsePageSize } from '../grammars.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, integer, list, path, text, toggle } from '../kinds.ts'

/** The container that pages go into. */
export const packGroup = defineGroup({
  name: 'pack',
  title: 'Containers',
  about: 'The container that pages go into.',
  fields: () => ({
    formats: field(list(choice(['pdf', 'cbz', 'epub', 'zip', 'folder', 'long']), { separator: ',' }), {
      description: 'Format of the book; several are made from one download.',
      default: ['pdf'],
      flag: '--format',
      short: '-f',
      scope: 'source',
    }),
    pdfA: field(choice(['2b']), { description: 'Make the PDF an archival one (PDF/A).', scope: 'source' }),
    dpi: field(integer({ min: 36, max: 2400 }), {
      description: 'Dots an inch of the pages in a PDF.',
      unset: 'as the source or the image says',
      scope: 'source',
    }),
    pageSize: field(
      checked(
        'RULE',
        (given) => parsePageSize(given) !== undefined,
        'image, fit-width, a sheet such as a4 or letter, or a size such as 210x297mm',
      ),
      {
        description:
          'Size of PDF pages: each as its image, all as wide as A4 (fit-width), or one sheet, turned where the page lies.',
        default: 'image',
        scope: 'source',
      },
    ),
    sidecar: field(toggle, {
      description: 'Write what is known of the work to NAME.json beside it.',
      default: false,
      scope: 'source',
    }),
    password: field(text('TEXT'), {
      description: 'Password for the container. There is no flag: others could see it.',
      flag: false,
      file: false,
      secret: true,
    }),
    passwordFile: field(path('FILE'), {
      description: 'File whose first line is the password for the container.',
    }),
    openPasswordFile: field(path('FILE'), {
      description: 'File whose first line is the password of the container that is read.',
      unset: 'the password for the one that is made',
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type PackOptions = OptionsOf<typeof packGroup>

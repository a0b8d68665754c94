import { field } from '../field.ts'
import { isSelection } from '../grammars.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, list, path, text, toggle } from '../kinds.ts'
import { bookJobs, settingMap } from '../special-kinds.ts'

const selection = checked('SPANS', isSelection, 'positions such as 1-3,7 or 10-, or slices such as -3:')
const isSha256 = (given: string): boolean => /^[0-9a-f]{64}$/i.test(given)

function choiceFields() {
  return {
    chapters: field(selection, {
      description: 'Chapters to take, by number, such as 1-3,7 or 10-; -3: are the last three.',
      unset: 'all',
      file: false,
      env: false,
    }),
    pages: field(selection, {
      description:
        'Pages to take, counted from 1 in each book, such as 1-10,15; -3: are the last three, 1::2 every other.',
      unset: 'all',
      file: false,
      env: false,
    }),
    by: field(choice(['book', 'chapter', 'volume']), {
      description: 'What becomes one file.',
      default: 'book',
      scope: 'source',
    }),
    filter: field(text('EXPR'), {
      description: 'CEL expression over the fields of chapters and pages; what it denies is left out.',
      scope: 'source',
    }),
    partial: field(choice(['strict', 'placeholder', 'skip']), {
      description:
        'When pages are missing: make no book, put a page in their place that says so, or leave them out.',
      default: 'strict',
      scope: 'source',
    }),
    check: field(choice(['none', 'structure', 'decode']), {
      description: 'What is checked of each image: nothing, its structure, or a full decode.',
      default: 'decode',
      scope: 'source',
    }),
    refuseImage: field(list(checked('SHA-256', isSha256, 'a SHA-256 of 64 hexadecimal digits')), {
      description:
        'An image that is no page, such as a picture that says "not found": pages that are this image count as missing; may be repeated.',
      scope: 'source',
    }),
  }
}

function sourceFields() {
  return {
    imageList: field(toggle, {
      description: 'The input is a list of URLs of page images, in order.',
      default: false,
      file: false,
      env: false,
    }),
    source: field(text('NAME'), {
      description: 'Source to use; see `trawl sites list`.',
      unset: 'the one that knows the input best',
      file: false,
    }),
    sourceOptions: field(settingMap, {
      description: 'Setting of a source, such as quality=high; may be repeated.',
      default: {},
      flag: '--source-option',
      scope: 'source',
    }),
    jobs: field(bookJobs, {
      description: 'Pages fetched at once, and chapters worked on at once.',
      default: { pages: 'auto', chapters: 'auto' },
      scope: 'source',
    }),
    printFields: field(toggle, {
      description: 'Show the fields of name templates with the values of each book, and do nothing.',
      default: false,
      file: false,
      env: false,
    }),
    archive: field(path('FILE'), {
      description: 'List of finished works; what stands in it is skipped, what is finished is added.',
    }),
    metadata: field(path('FILE'), {
      description:
        'File with what is known of the work, instead of what the source says: YAML, JSON as --sidecar writes it, or ComicInfo.xml.',
      file: false,
      env: false,
    }),
    title: field(text('TEXT'), {
      description: 'Title, instead of the one of the source.',
      file: false,
      env: false,
    }),
    author: field(list(text('TEXT')), {
      description: 'Author, instead of those of the source; may be repeated.',
      file: false,
      env: false,
    }),
    direction: field(choice(['ltr', 'rtl', 'ttb']), {
      description: 'Reading direction, instead of the one of the source.',
      scope: 'source',
    }),
    language: field(list(text('TAG', 'a language tag such as en or pt-BR'), { separator: ',' }), {
      description: 'Languages wanted, best first, where the source has several.',
      unset: 'as the source prefers',
      scope: 'source',
    }),
  }
}

/** What goes into a book. */
export const bookGroup = defineGroup({
  name: 'book',
  title: 'Books',
  about: 'Which pages go into a book, how it is divided, and what happens when pages are missing.',
  fields: () => ({ ...choiceFields(), ...sourceFields() }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type BookOptions = OptionsOf<typeof bookGroup>

import { field } from '../field.ts'
import { parseDescramble, parseResize } from '../grammars.ts'
import { defineGroup, type OptionsOf } from '../group.ts'
import { checked, choice, integer, toggle } from '../kinds.ts'

/** What is done to page images. */
export const imagesGroup = defineGroup({
  name: 'images',
  title: 'Page images',
  about: 'What is done to page images before they are packed. The originals stay as they came.',
  fields: () => ({
    descramble: field(
      checked('strips:N', (given) => parseDescramble(given) !== undefined, 'strips:N with N from 2 to 1000'),
      { description: 'Put the strips of cut-up images back in order.', scope: 'source' },
    ),
    convert: field(choice(['jpg', 'png', 'webp']), {
      description: 'Encode all pages in this format.',
      unset: 'only pages that the container cannot hold',
      scope: 'source',
    }),
    quality: field(integer({ min: 1, max: 100 }), {
      description: 'Quality of pages that are encoded anew.',
      default: 90,
      scope: 'source',
    }),
    resize: field(
      checked(
        'RULE',
        (given) => parseResize(given) !== undefined,
        'a size such as 1600x2400, 1600x, x2400 or 50%',
      ),
      { description: 'Make pages fit into 1600x2400, 1600x, x2400 or 50%; never larger.', scope: 'source' },
    ),
    grey: field(toggle, { description: 'Grey instead of colours.', default: false, scope: 'source' }),
    trim: field(toggle, {
      description: 'Cut off edges of one colour.',
      default: false,
      scope: 'source',
    }),
    splitSpreads: field(toggle, {
      description: 'Cut double pages in two, in reading direction.',
      default: false,
      scope: 'source',
    }),
    sliceHeightPx: field(integer({ min: 64, max: 65_535 }), {
      description: 'Cut long images into pages of about this height, at quiet places.',
      flag: '--slice',
      placeholder: 'PX',
      scope: 'source',
    }),
  }),
})

/** Resolved options of the group: durations in milliseconds, sizes in bytes. */
export type ImagesOptions = OptionsOf<typeof imagesGroup>

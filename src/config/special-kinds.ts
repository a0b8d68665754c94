import * as z from 'zod'
import { headerFault, parseDuration } from '../core/index.ts'
import { exactDuration } from './exact-units.ts'
import { parseJobs, type BookJobs, type DelayRange } from './grammars.ts'
import { map, scalar } from './kinds.ts'
import type { Kind } from './kind.ts'

/** HTTP field names are tokens: RFC 9110, section 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** Request headers: `--header 'K: V'`, a mapping in files. Names are lower case; an empty value takes one away. */
export const headerMap = map({
  assign: ':',
  placeholder: "'K: V'",
  allowed: "a header such as 'Accept-Language: en'",
  names: token,
  lowerCase: true,
  allowedValue: 'an object of header names and texts, without range and what belongs to connections',
  fault: headerFault,
})

/** Free `K=V` pairs. */
export const settingMap = map({
  assign: '=',
  placeholder: 'K=V',
  allowed: 'a pair such as quality=high',
  names: /^[A-Za-z][\w.-]*$/,
})

/** `1-4`, `500ms-2s` or `2`: a random pause between two durations; a bare number is seconds. */
export const delayRange: Kind<DelayRange> = scalar({
  name: 'delay',
  schema: z
    .strictObject({ minMs: z.int().nonnegative(), maxMs: z.int().nonnegative() })
    .refine(({ minMs, maxMs }) => minMs <= maxMs),
  placeholder: 'MIN-MAX',
  allowed: 'a delay such as 2, 1-4 or 500ms-2s',
  allowedValue: 'an object with minMs and maxMs, the smaller first',
  fileSchema: {
    anyOf: [
      { type: 'number', minimum: 0 },
      { type: 'string', pattern: '^[0-9]' },
    ],
  },
  parse(text) {
    const ends = text.split('-')
    const [minMs, maxMs] = [parseDuration(ends[0] ?? ''), parseDuration(ends[1] ?? ends[0] ?? '')]
    return ends.length > 2 || minMs === undefined || maxMs === undefined ? undefined : { minMs, maxMs }
  },
  toText: ({ minMs, maxMs }) => `${exactDuration(minMs)}-${exactDuration(maxMs)}`,
})

const count = z.union([z.int().min(1).max(9999), z.literal('auto')])

/** `16` or `16/2`: pages at once, then chapters at once. */
export const bookJobs: Kind<BookJobs> = scalar({
  name: 'jobs',
  schema: z.strictObject({ pages: count, chapters: count }),
  placeholder: 'PAGES[/CHAPTERS]',
  allowed: 'auto, a number such as 16, or 16/2 for pages and chapters',
  allowedValue: 'an object with pages and chapters, each a number or auto',
  fileSchema: { type: ['integer', 'string'] },
  parse: parseJobs,
  toText: ({ pages, chapters }) => (chapters === 'auto' ? String(pages) : `${pages}/${chapters}`),
})

import { digestAlgorithms, digestHexLength, type Digest, parseDuration } from '../core/index.ts'

/** A position from 1, or from the end where it is negative; numbers of chapters may have a fraction (10.5). */
const position = String.raw`\d{1,12}(?:\.\d{1,6})?`
const spanForms = [
  new RegExp(`^-?${position}$`),
  new RegExp(`^${position}\\s*-\\s*(?:${position})?$`),
  new RegExp(`^(?:-?${position})?\\s*:\\s*(?:-?${position})?(?:\\s*:\\s*\\d{1,12})?$`),
]

/** True for the form of a selection: `1-3,7,10-`, slices such as `-3:` and `1:99:2`. What it means is not looked at. */
export function isSelection(text: string): boolean {
  const parts = text.split(',').map((part) => part.trim())
  return parts.every((part) => part !== ':' && spanForms.some((form) => form.test(part)))
}

/** Minutes after local midnight; `to` before `from` goes over midnight. */
export interface HourSpan {
  readonly fromMinute: number
  readonly toMinute: number
}

/** `22:00-06:30` as minutes after local midnight; undefined when it is not. Equal ends are refused. */
export function parseHours(text: string): HourSpan | undefined {
  const match = /^(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})$/.exec(text.trim())
  if (!match) return undefined
  const [fromMinute, toMinute] = [minutes(match[1], match[2]), minutes(match[3], match[4])]
  if (fromMinute === undefined || toMinute === undefined || fromMinute === toMinute) return undefined
  return { fromMinute, toMinute }
}

function minutes(hour = '', minute = ''): number | undefined {
  const total = Number(hour) * 60 + Number(minute)
  return Number(minute) < 60 && total <= 24 * 60 ? total : undefined
}

/**
 * A point in time: `2027-01-31T02:00`, with a zone if wanted, or `02:00`, which is the next time the local clock
 * says so. Undefined when it is neither. Gives milliseconds since 1970.
 */
export function parseStartAt(text: string, nowWallMs: number): number | undefined {
  const clock = /^(\d{1,2}):(\d{2})$/.exec(text.trim())
  if (clock) {
    const minute = minutes(clock[1], clock[2])
    if (minute === undefined || minute >= 24 * 60) return undefined
    const at = new Date(nowWallMs)
    at.setHours(Math.floor(minute / 60), minute % 60, 0, 0)
    if (at.getTime() <= nowWallMs) at.setDate(at.getDate() + 1)
    return at.getTime()
  }
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text.trim()))
    return undefined
  const at = Date.parse(text.trim().replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}

/**
 * A point in the past: a date as `parseStartAt` takes it (a day begins at midnight UTC), or an age such as `7d`.
 * Undefined when it is neither. Gives milliseconds since 1970.
 */
export function parseMoment(text: string, nowWallMs: number): number | undefined {
  if (/^\s*\d{4}-/.test(text)) return parseStartAt(text, nowWallMs)
  const ageMs = parseDuration(text)
  return ageMs === undefined ? undefined : nowWallMs - ageMs
}

/** `sha-256=HEX` (also `sha256=` and `sha256:`) as a digest; undefined when algorithm or length is wrong. */
export function parseChecksum(text: string): Digest | undefined {
  const match = /^([a-z0-9-]+)\s*[=:]\s*([0-9a-f]+)$/i.exec(text.trim())
  const given = (match?.[1] ?? '').toLowerCase().replaceAll('-', '')
  const algorithm = digestAlgorithms.find((name) => name.replaceAll('-', '') === given)
  const value = (match?.[2] ?? '').toLowerCase()
  return algorithm !== undefined && value.length === digestHexLength[algorithm]
    ? { algorithm, value }
    : undefined
}

/** How large an image becomes; a missing side follows the ratio. */
export interface ResizeRule {
  readonly widthPx?: number
  readonly heightPx?: number
  readonly percent?: number
}

/** `1600x2400` (fit inside), `1600x`, `x2400` or `50%`; undefined when it is not. */
export function parseResize(text: string): ResizeRule | undefined {
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text.trim())
  if (percent) return Number(percent[1]) > 0 ? { percent: Number(percent[1]) } : undefined
  const match = /^(\d{1,5})?x(\d{1,5})?$/i.exec(text.trim())
  if (!match || (match[1] === undefined && match[2] === undefined)) return undefined
  if (Number(match[1] ?? 1) === 0 || Number(match[2] ?? 1) === 0) return undefined
  return {
    ...(match[1] === undefined ? {} : { widthPx: Number(match[1]) }),
    ...(match[2] === undefined ? {} : { heightPx: Number(match[2]) }),
  }
}

/** How pages get their size: each its own, all as wide as the widest, or a sheet in millimetres. */
export type PageSizeRule =
  | { readonly rule: 'image' }
  | { readonly rule: 'fit-width' }
  | { readonly rule: 'sheet'; readonly widthMm: number; readonly heightMm: number }

/** ISO 216 and ANSI sheets, in millimetres. */
const sheets: Readonly<Record<string, readonly [number, number]>> = {
  a3: [297, 420],
  a4: [210, 297],
  a5: [148, 210],
  a6: [105, 148],
  b5: [176, 250],
  letter: [215.9, 279.4],
  legal: [215.9, 355.6],
}

/** `image`, `fit-width`, a sheet such as `a4`, or `210x297mm`; undefined when it is not. */
export function parsePageSize(text: string): PageSizeRule | undefined {
  const word = text.trim().toLowerCase()
  if (word === 'image' || word === 'fit-width') return { rule: word }
  const sheet = Object.hasOwn(sheets, word) ? sheets[word] : undefined
  if (sheet) return { rule: 'sheet', widthMm: sheet[0], heightMm: sheet[1] }
  const match = /^(\d{1,4}(?:\.\d+)?)x(\d{1,4}(?:\.\d+)?)mm$/.exec(word)
  const [widthMm, heightMm] = [Number(match?.[1]), Number(match?.[2])]
  return widthMm > 0 && heightMm > 0 ? { rule: 'sheet', widthMm, heightMm } : undefined
}

/** `strips:N` as the number of strips, from 2 to 1000; undefined when it is not. */
export function parseDescramble(text: string): { readonly strips: number } | undefined {
  const strips = Number(/^strips:(\d{1,4})$/i.exec(text.trim())?.[1])
  return strips >= 2 && strips <= 1000 ? { strips } : undefined
}

/** A random pause between `minMs` and `maxMs`. */
export interface DelayRange {
  readonly minMs: number
  readonly maxMs: number
}

/** How many pages at once, and of how many chapters. */
export interface BookJobs {
  readonly pages: number | 'auto'
  readonly chapters: number | 'auto'
}

/** `16`, `16/2` or `auto/2`: pages at once, then chapters at once; undefined when it is not. */
export function parseJobs(text: string): BookJobs | undefined {
  const match = /^(auto|\d{1,4})(?:\/(auto|\d{1,4}))?$/i.exec(text.trim())
  const pages = count(match?.[1])
  const chapters = count(match?.[2] ?? 'auto')
  return match === null || pages === undefined || chapters === undefined ? undefined : { pages, chapters }
}

function count(word = ''): number | 'auto' | undefined {
  if (word.toLowerCase() === 'auto') return 'auto'
  return Number(word) > 0 ? Number(word) : undefined
}

/**
 * A command line as its words: spaces separate them; quotes and backslashes work as in a shell (inside double quotes a
 * backslash keeps its meaning unless a quote or backslash follows). Nothing else has a meaning. Undefined where a quote
 * is not closed or there are no words.
 */
export function parseCommand(text: string): readonly string[] | undefined {
  const words: string[] = []
  const piece = /\s+|'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([^\s'"\\]+)/y
  let word: string | undefined
  while (piece.lastIndex < text.length) {
    const match = piece.exec(text)
    if (!match) return undefined
    const [whole, single, double, escaped, plain] = match
    if (/^\s/.test(whole)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + (single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain ?? '')
    }
  }
  if (word !== undefined) words.push(word)
  return words.length > 0 && words[0] !== '' ? words : undefined
}

import { cutToBytes, graphemesOf } from '../utf8-cut.ts'
import { readDate } from './read-date.ts'

/** What a template may put into a name. Numbers are never dates; dates are read and written in UTC. */
export type TemplateValue = string | number | Date

/** How a value becomes text. Several are applied from left to right. */
export type ValueFormat =
  | { readonly kind: 'pad'; readonly width: number }
  | { readonly kind: 'bytes'; readonly count: number }
  | { readonly kind: 'characters'; readonly count: number }
  | { readonly kind: 'case'; readonly to: 'lower' | 'upper' | 'title' }
  | { readonly kind: 'date'; readonly pattern: string }
  /** The value's `/` make folders. */
  | { readonly kind: 'folders' }

const dateParts: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()).padStart(4, '0'),
  y: (date) => String(date.getUTCFullYear() % 100).padStart(2, '0'),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  H: (date) => two(date.getUTCHours()),
  M: (date) => two(date.getUTCMinutes()),
  S: (date) => two(date.getUTCSeconds()),
  j: (date) =>
    String(Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1).padStart(
      3,
      '0',
    ),
  '%': () => '%',
}

/** The format that a text such as `05`, `.80b`, `.20`, `lower` or `%Y-%m` names; undefined where it is none. */
export function parseValueFormat(text: string): ValueFormat | undefined {
  if (text === 'lower' || text === 'upper' || text === 'title') return { kind: 'case', to: text }
  if (text === 'folders') return { kind: 'folders' }
  const pad = /^0(\d{1,2})$/.exec(text)
  if (pad) return { kind: 'pad', width: Number(pad[1]) }
  const cut = /^\.([1-9]\d{0,3})(b?)$/.exec(text)
  if (cut) return { kind: cut[2] === 'b' ? 'bytes' : 'characters', count: Number(cut[1]) }
  const parts = [...text.matchAll(/%(.?)/gs)]
  if (parts.length === 0 || parts.some((part) => !Object.hasOwn(dateParts, part[1] ?? ''))) return undefined
  return { kind: 'date', pattern: text }
}

/** The text of a value. A date without a format is `2024-05-07`; formats that do not fit a value leave it alone. */
export function formatValue(value: TemplateValue, formats: readonly ValueFormat[]): string {
  let current = value
  for (const format of formats) current = applyFormat(current, format)
  return plainText(current)
}

function plainText(value: TemplateValue): string {
  if (!(value instanceof Date)) return String(value)
  return Number.isNaN(value.getTime()) ? '' : value.toISOString().slice(0, 10)
}

function applyFormat(value: TemplateValue, format: ValueFormat): string {
  if (format.kind === 'date') return formatDate(value, format.pattern)
  const text = plainText(value)
  if (format.kind === 'pad') return text.replace(/\d+/, (digits) => digits.padStart(format.width, '0'))
  if (format.kind === 'bytes') return cutToBytes(text, format.count).trimEnd()
  if (format.kind === 'characters') return firstGraphemes(text, format.count).trimEnd()
  return format.kind === 'case' ? changeCase(text, format.to) : text
}

function firstGraphemes(text: string, count: number): string {
  if (text.length <= count) return text
  let out = ''
  let left = count
  for (const { segment } of graphemesOf(text)) {
    if (left-- === 0) break
    out += segment
  }
  return out
}

function changeCase(text: string, to: 'lower' | 'upper' | 'title'): string {
  if (to === 'lower') return text.toLowerCase()
  if (to === 'upper') return text.toUpperCase()
  return text.replace(
    /(\p{L})([\p{L}\p{M}'\u2019]*)/gu,
    (_, first: string, rest: string) => first.toUpperCase() + rest.toLowerCase(),
  )
}

/** A year or month alone is left as it is, since a day would be invented. */
function formatDate(value: TemplateValue, pattern: string): string {
  if (typeof value === 'number') return String(value)
  if (typeof value === 'string' && lacksParts(value.trim(), pattern)) return value
  const date = typeof value === 'string' ? readDate(value) : value
  if (date === undefined || Number.isNaN(date.getTime())) return plainText(value)
  return pattern.replace(/%(.)/gs, (whole, part: string) => dateParts[part]?.(date) ?? whole)
}

function lacksParts(value: string, pattern: string): boolean {
  if (/^\d{4}$/.test(value)) return /%[^Yy%]/.test(pattern)
  return /^\d{4}-\d\d$/.test(value) && /%[^Yym%]/.test(pattern)
}

function two(number: number): string {
  return String(number).padStart(2, '0')
}

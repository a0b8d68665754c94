import { isJsonObject } from '../json.ts'
import { looksLikeImage } from '../image-url.ts'

/** A list of image addresses found in the data of a page, in its order. */
export interface EmbeddedList {
  /** Where in the data, such as `props.pages[]`. */
  readonly path: string
  readonly urls: readonly string[]
}

const maxScriptChars = 4_000_000
const maxStarts = 60
/** Scripts that are no data may hold many brackets that never close. */
const maxScannedChars = 8_000_000
const minUrls = 2

/** Fields that hold an image, the fullest version first. */
const fieldRanks = [
  /^(?:original|full|hires|highres|raw)/i,
  /(?:original|full|large|hires|big)/i,
  /^(?:image|img|page|picture|photo)s?(?:_?(?:url|src|path|file))?$/i,
  /^(?:url|src|href|path|file|link|source)$/i,
]
const smallField = /thumb|preview|small|mini|icon|avatar|blur|placeholder/i

/**
 * Lists of images in the data that a script of a page carries: JSON blocks such as `__NEXT_DATA__` and literals that
 * are assigned to variables. Nothing is run.
 */
export function listsInScript(text: string, isJson: boolean): readonly EmbeddedList[] {
  if (text.length > maxScriptChars) return []
  const lists: EmbeddedList[] = []
  for (const value of isJson ? [tryParse(text)] : literalsIn(text)) collect(value, '', lists)
  return lists
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text.trim().replace(/^<!--|-->$/g, ''))
  } catch {
    return undefined
  }
}

/** Object and array literals after `=`, `:` or `(` that are JSON, or arrays of single-quoted texts. */
function literalsIn(text: string): unknown[] {
  const found: unknown[] = []
  const starts = /[=(]\s*(?=[[{])/g
  let scanned = 0
  for (let count = 0; count < maxStarts && scanned < maxScannedChars; count++) {
    const match = starts.exec(text)
    if (match === null) break
    const start = match.index + match[0].length
    const end = literalEnd(text, start)
    scanned += (end ?? text.length) - start
    if (end === undefined) continue
    const literal = text.slice(start, end)
    const value = tryParse(literal) ?? tryParse(doubleQuoted(literal))
    if (value === undefined) continue
    found.push(value)
    starts.lastIndex = end
  }
  return found
}

/** The position after the bracket that closes the one at `start`; brackets in texts do not count. */
function literalEnd(text: string, start: number): number | undefined {
  let depth = 0
  let quote = ''
  for (let at = start; at < text.length; at++) {
    const char = text.charAt(at)
    if (quote !== '') {
      if (char === '\\') at++
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'" || char === '`') quote = char
    else if (char === '[' || char === '{') depth++
    else if ((char === ']' || char === '}') && --depth === 0) return at + 1
  }
  return undefined
}

/** `['a', 'b',]` as JSON; only for simple texts. */
function doubleQuoted(literal: string): string {
  if (!/^\[\s*(?:'[^'"\\]*'\s*,?\s*)+\]$/.test(literal)) return literal
  return literal.replaceAll("'", '"').replace(/,\s*\]$/, ']')
}

function collect(value: unknown, path: string, lists: EmbeddedList[]): void {
  const stack: { readonly value: unknown; readonly path: string }[] = [{ value, path }]
  for (let steps = 0; steps < 200_000; steps++) {
    const top = stack.pop()
    if (top === undefined) return
    if (Array.isArray(top.value)) {
      const urls = urlsOf(top.value)
      if (urls.length >= minUrls) lists.push({ path: `${top.path}[]`, urls })
      for (const item of top.value.toReversed()) stack.push({ value: item, path: `${top.path}[]` })
    } else if (isJsonObject(top.value)) {
      for (const [key, inner] of Object.entries(top.value).reverse()) {
        // JSON inside of JSON, as some frameworks write it.
        const nested =
          typeof inner === 'string' && /^\s*[[{]/.test(inner) ? (tryParse(inner) ?? inner) : inner
        if (typeof nested === 'object' && nested !== null) {
          stack.push({ value: nested, path: top.path === '' ? key : `${top.path}.${key}` })
        }
      }
    }
  }
}

/** The images of an array: nearly all of its items must be or hold one. */
function urlsOf(items: readonly unknown[]): readonly string[] {
  const found = items.map((item) => (typeof item === 'string' ? plainUrl(item) : imageField(item)))
  const urls = found.filter((url) => url !== undefined)
  return urls.length >= items.length * 0.8 ? urls : []
}

function plainUrl(text: string): string | undefined {
  const address = text.trim()
  const like = /^(?:https?:)?\/\//i.test(address) || address.startsWith('/') || /^[\w%./~-]+$/.test(address)
  return like && looksLikeImage(address) ? address : undefined
}

function imageField(item: unknown): string | undefined {
  if (!isJsonObject(item)) return undefined
  const texts = Object.entries(item).flatMap(([key, value]) =>
    typeof value === 'string' && !smallField.test(key) ? [{ key, value }] : [],
  )
  for (const rank of fieldRanks) {
    for (const { key, value } of texts) if (rank.test(key) && plainUrl(value) !== undefined) return value
  }
  const [only, second] = texts.filter(({ value }) => plainUrl(value) !== undefined)
  return second === undefined ? only?.value : undefined
}

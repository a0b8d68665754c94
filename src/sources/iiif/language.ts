import { isJsonObject, listOf, textOf } from '../json.ts'

/**
 * Reads a label or value of either version in the best language: texts, `{"@value", "@language"}` objects, arrays
 * of them, and language maps. Several values of one language are joined by "; ". HTML is taken out.
 */
export type ReadText = (value: unknown) => string | undefined

/** A reader for languages in order of preference (BCP 47); without a match `none`, else the first language given. */
export function textReader(languages: readonly string[]): ReadText {
  const wanted = languages.map((language) => language.toLowerCase())
  return (value) => {
    const values = valuesByLanguage(value)
    const language = pickLanguage([...values.keys()], wanted)
    const texts = language === undefined ? [] : (values.get(language) ?? [])
    return textOf([...new Set(texts.map(plainText))].filter((text) => text !== '').join('; '))
  }
}

function valuesByLanguage(value: unknown): Map<string, string[]> {
  const found = new Map<string, string[]>()
  const add = (language: string, item: unknown): void => {
    const text = textOf(item)
    if (text !== undefined) found.set(language, [...(found.get(language) ?? []), text])
  }
  for (const item of listOf(value)) {
    if (!isJsonObject(item)) add('none', item)
    else if ('@value' in item) {
      for (const one of listOf(item['@value'])) add(textOf(item['@language'])?.toLowerCase() ?? 'none', one)
    } else {
      for (const [language, texts] of Object.entries(item)) {
        const key = language === '@none' ? 'none' : language.toLowerCase()
        for (const one of listOf(texts)) add(key, one)
      }
    }
  }
  return found
}

function pickLanguage(given: readonly string[], wanted: readonly string[]): string | undefined {
  for (const language of wanted) {
    const [primary] = language.split('-')
    const match =
      given.find((one) => one === language) ??
      given.find((one) => one.startsWith(`${language}-`)) ??
      given.find((one) => one === primary)
    if (match !== undefined) return match
  }
  return given.find((one) => one === 'none') ?? given[0]
}

const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '\u2013',
  mdash: '\u2014',
  copy: '\u00A9',
}

/** A text without the simple HTML that IIIF allows in values. */
function plainText(text: string): string {
  return text
    .replace(/<br\s*\/?>|<\/p>|<\/li>/gi, ' ')
    .replace(/<\/?[a-z][^<>]*>/gi, '')
    .replace(/&(?:#(\d{1,6})|#x([0-9a-f]{1,5})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
      if (decimal !== undefined) return String.fromCodePoint(Number(decimal))
      if (hex !== undefined) return String.fromCodePoint(parseInt(String(hex), 16))
      return entities[String(name).toLowerCase()] ?? whole
    })
    .replace(/\s+/g, ' ')
    .trim()
}

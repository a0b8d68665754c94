import type { BookMetadata } from '../../core/index.ts'
import { firstText, isJsonObject, listOf, objectsOf, textOf, type JsonObject } from '../json.ts'
import type { ReadText } from './language.ts'
import { idOf } from './painting.ts'

/** Words that libraries write before a value, by the field they mean. */
const fieldWords: readonly (readonly [
  RegExp,
  'authors' | 'artists' | 'publisher' | 'date' | 'language' | 'tags',
])[] = [
  [
    /^(?:authors?|creators?|contributors?|writers?|by|auteurs?|autore?s?|autor(?:en|in)?|verfasser(?:in)?)$/i,
    'authors',
  ],
  [/^(?:artists?|illustrators?|painters?|artistes?|künstler(?:in)?)$/i, 'artists'],
  [/^(?:publishers?|éditeur|editore?|verlag)$/i, 'publisher'],
  [/^(?:date|date statement|dates?|published|issued|date of publication|datum|jahr|année)$/i, 'date'],
  [/^(?:languages?|langues?|sprachen?|lingua)$/i, 'language'],
  [/^(?:subjects?|keywords?|tags?|genres?|topics?)$/i, 'tags'],
]

/** The title, people and rights of a manifest of either version; fields of both are looked for in either. */
export function metadataOf(json: JsonObject, read: ReadText): BookMetadata {
  const pairs = objectsOf(json['metadata']).flatMap((pair) => {
    const label = read(pair['label'])
    const value = read(pair['value'])
    return value === undefined ? [] : [{ label: label ?? '', value }]
  })
  const fields: Partial<Record<string, string>> = {}
  for (const { label, value } of pairs) {
    const field = fieldWords.find(([words]) => words.test(label.replace(/:$/, '').trim()))?.[1]
    if (field !== undefined) fields[field] ??= value
  }
  const required = objectsOf(json['requiredStatement'])[0]
  const provider = objectsOf(json['provider'])
    .map((one) => read(one['label']))
    .find((label) => label !== undefined)
  return compact({
    title: read(json['label']) ?? 'Untitled',
    authors: people(fields['authors']),
    artists: people(fields['artists']),
    publisher: fields['publisher'],
    language: languageCode(fields['language']),
    direction: directionOf(json),
    date: isoDate(fields['date']) ?? isoDate(textOf(json['navDate'])),
    summary: read(json['summary']) ?? read(json['description']),
    tags: people(fields['tags']),
    rights: firstText(...listOf(json['rights'])) ?? read(json['license']),
    attribution:
      (required === undefined ? undefined : read(required['value'])) ?? read(json['attribution']) ?? provider,
    source: referencePage(json['homepage']) ?? referencePage(json['related']) ?? idOf(json),
    identifier: idOf(json),
    extra: pairs.length === 0 ? undefined : pairs,
  })
}

type Loose = { readonly [K in keyof BookMetadata]: BookMetadata[K] | undefined } & { readonly title: string }

function compact(metadata: Loose): BookMetadata {
  const { title, ...rest } = metadata
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  return { title, ...given }
}

/** Values that `read` joined are several people or subjects. */
function people(value: string | undefined): readonly string[] | undefined {
  const names = (value ?? '')
    .split(';')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return names.length === 0 ? undefined : [...new Set(names)]
}

function directionOf(json: JsonObject): BookMetadata['direction'] {
  const sequence = objectsOf(json['sequences'])[0]
  const direction = firstText(json['viewingDirection'], sequence?.['viewingDirection'])
  if (direction === 'right-to-left') return 'rtl'
  if (direction === 'left-to-right') return 'ltr'
  return direction === 'top-to-bottom' ? 'ttb' : undefined
}

function referencePage(value: unknown): string | undefined {
  for (const one of listOf(value)) {
    const id = isJsonObject(one) ? idOf(one) : textOf(one)
    const format = isJsonObject(one) ? (textOf(one['format']) ?? 'text/html') : 'text/html'
    if (id !== undefined && format === 'text/html') return id
  }
  return undefined
}

/** Only what is a date for sure: 1899, 1899-05 or 1899-05-07, also the beginning of a time stamp. */
function isoDate(text: string | undefined): string | undefined {
  const match =
    /^\s*\[?(\d{4}(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?)\]?\s*(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?\s*$/
  return match.exec(text ?? '')?.[1]
}

let namesToCodes: ReadonlyMap<string, string> | undefined

/** A BCP 47 code for a code or an English name of a language; undefined for anything else. */
function languageCode(text: string | undefined): string | undefined {
  const first = (text ?? '').split(';')[0]?.trim() ?? ''
  if (first === '') return undefined
  namesToCodes ??= languageNames()
  const named = namesToCodes.get(first.toLowerCase())
  if (named !== undefined) return named
  if (!/^[a-z]{2,3}(?:-[a-z0-9]{2,8})*$/i.test(first)) return undefined
  try {
    return Intl.getCanonicalLocales(first)[0]
  } catch {
    return undefined
  }
}

function languageNames(): ReadonlyMap<string, string> {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' })
  const letters = Array.from({ length: 26 }, (_, i) => String.fromCharCode(97 + i))
  const codes = letters.flatMap((a) => letters.map((b) => a + b))
  const found = new Map<string, string>()
  // Old codes such as "iw" come after the current ones of the same name only by chance, so canonical ones win.
  for (const code of [...codes, 'grc', 'gez', 'syr', 'cop']) {
    const name = names.of(code)?.toLowerCase()
    const canonical = Intl.getCanonicalLocales(code)[0]
    if (name !== undefined && canonical === code && !found.has(name)) found.set(name, code)
  }
  return found
}

import { readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { TrawlError, type BookMetadata } from '../core/index.ts'
import { readComicInfo } from '../pack/index.ts'
import { storageReason } from '../storage/index.ts'

/**
 * What a file says of a work: YAML or JSON with the fields of `BookMetadata`, such as a book's sidecar, or a
 * `ComicInfo.xml`. Throws ERR_CONFIG_UNREADABLE where the file cannot be read or parsed, and ERR_CONFIG_INVALID naming
 * the field.
 */
export async function readMetadataFile(path: string): Promise<Partial<BookMetadata>> {
  const unreadable = (why: string, cause?: unknown): TrawlError =>
    new TrawlError('ERR_CONFIG_UNREADABLE', `--metadata: ${path}: ${why}`, { cause, context: { file: path } })
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw unreadable(`cannot be read: ${storageReason(error)}`, error)
  }
  if (extname(path).toLowerCase() === '.xml') {
    const { metadata } = readComicInfo(text)
    if (Object.keys(metadata).length === 0) throw unreadable('is no ComicInfo.xml that says anything')
    return metadata
  }
  const { parse } = await import('yaml')
  let found: unknown
  try {
    found = parse(text, { maxAliasCount: 0 })
  } catch (error) {
    throw unreadable(error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : 'is no YAML', error)
  }
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw unreadable('is no mapping of fields to values')
  }
  return checkedFields(found as Record<string, unknown>, path)
}

/** What a field takes; gives the value, or undefined where it is not of the kind. */
type Reader = (value: unknown) => unknown

/** YAML takes a bare 1899 or 10.5 for a number, where a text is meant. */
const text: Reader = (value) =>
  typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined

const texts: Reader = (value) => {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value]
  const read = given.map(text)
  return read.length > 0 && read.every((one) => one !== undefined) ? read : undefined
}

const pairs: Reader = (value) =>
  Array.isArray(value) && value.every((one) => isPair(one)) ? value : undefined

function isPair(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return (
    'label' in value && 'value' in value && typeof value.label === 'string' && typeof value.value === 'string'
  )
}

const readers: Readonly<Record<keyof BookMetadata, Reader>> = {
  title: text,
  series: text,
  number: text,
  volume: (value) => (typeof value === 'number' && value >= 0 ? value : undefined),
  authors: texts,
  artists: texts,
  translators: texts,
  publisher: text,
  language: text,
  direction: (value) => (value === 'ltr' || value === 'rtl' || value === 'ttb' ? value : undefined),
  date: (value) => {
    const given = text(value)
    return typeof given === 'string' && /^\d{4}(-\d{2}(-\d{2})?)?$/.test(given) ? given : undefined
  },
  summary: text,
  tags: texts,
  rights: text,
  attribution: text,
  source: text,
  identifier: text,
  extra: pairs,
}

/** What a sidecar has beside the fields. */
const ignored: ReadonlySet<string> = new Set(['pages', 'missing'])

function checkedFields(found: Record<string, unknown>, path: string): Partial<BookMetadata> {
  const wrong = (field: string, why: string): TrawlError =>
    new TrawlError('ERR_CONFIG_INVALID', `--metadata: ${path}: ${field} ${why}`, {
      context: { file: path, field },
      hint: `Fields are ${Object.keys(readers).join(', ')}.`,
    })
  const entries = Object.entries(found).filter(([name, value]) => value !== null && !ignored.has(name))
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (!Object.hasOwn(readers, name)) throw wrong(name, 'is no field of a book')
      const read = readers[name as keyof BookMetadata](value)
      if (read === undefined) throw wrong(name, 'has a value that it cannot have')
      return [name, read]
    }),
  )
}

import { SaxesParser, type SaxesAttributePlain } from 'saxes'
import type { BookMetadata } from '../../../core/index.ts'

/** A file that the manifest names. */
export interface ManifestItem {
  readonly href: string
  readonly mediaType: string
  readonly properties: readonly string[]
}

/** What a package document says that reading pages needs. */
export interface EpubPackage {
  readonly manifest: ReadonlyMap<string, ManifestItem>
  /** Ids of the manifest in reading order. */
  readonly spine: readonly string[]
  readonly metadata: Partial<BookMetadata>
}

/** One element that opened. */
interface Opened {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
}

/**
 * Walks XML and calls back with local names, without prefixes. Throws where it is not well-formed.
 */
export function walkXml(
  xml: string,
  on: { open(element: Opened): void; text(text: string): void; close(name: string): void },
): void {
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', (tag) => {
    const attributes: Record<string, string> = {}
    for (const [name, value] of Object.entries(
      tag.attributes as Record<string, string | SaxesAttributePlain>,
    )) {
      attributes[localName(name)] = typeof value === 'string' ? value : value.value
    }
    on.open({ name: localName(tag.name), attributes })
  })
  parser.on('text', (text) => on.text(text))
  parser.on('cdata', (text) => on.text(text))
  parser.on('closetag', (tag) => on.close(localName(tag.name)))
  parser.write(xml).close()
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

/** Path of the package document by `META-INF/container.xml`; undefined where it names none. */
export function packagePath(containerXml: string): string | undefined {
  let path: string | undefined
  walkXml(containerXml, {
    open({ name, attributes }) {
      if (name === 'rootfile') path ??= attributes['full-path']
    },
    text: () => undefined,
    close: () => undefined,
  })
  return path
}

/** Reads a package document. Throws where it is not well-formed. */
export function readPackage(xml: string): EpubPackage {
  const manifest = new Map<string, ManifestItem>()
  const spine: string[] = []
  const found = new Map<string, string[]>()
  let direction: string | undefined
  let text = ''
  walkXml(xml, {
    open({ name, attributes }) {
      text = ''
      const id = attributes['id']
      if (name === 'item' && id !== undefined) {
        const properties = (attributes['properties'] ?? '').split(/\s+/)
        manifest.set(id, {
          href: attributes['href'] ?? '',
          mediaType: attributes['media-type'] ?? '',
          properties,
        })
      }
      if (name === 'itemref') spine.push(attributes['idref'] ?? '')
      if (name === 'spine') direction = attributes['page-progression-direction']
      if (attributes['property'] === 'belongs-to-collection') found.set('series', [])
      if (attributes['property'] === 'group-position') found.set('number', [])
    },
    text(piece) {
      text += piece
    },
    close(name) {
      const value = text.trim()
      text = ''
      if (value === '') return
      if (name !== 'meta') found.set(name, [...(found.get(name) ?? []), value])
      else for (const key of ['series', 'number']) if (found.get(key)?.length === 0) found.set(key, [value])
    },
  })
  return { manifest, spine, metadata: metadataOf(found, direction) }
}

function metadataOf(
  found: ReadonlyMap<string, readonly string[]>,
  direction: string | undefined,
): Partial<BookMetadata> {
  const language = found.get('language')?.[0]
  const known: Record<string, unknown> = {
    title: found.get('title')?.[0],
    series: found.get('series')?.[0],
    number: found.get('number')?.[0],
    authors: found.get('creator'),
    translators: found.get('contributor'),
    publisher: found.get('publisher')?.[0],
    language: language === 'und' ? undefined : language,
    direction: direction === 'rtl' || direction === 'ltr' ? direction : undefined,
    date: found.get('date')?.[0],
    summary: found.get('description')?.[0],
    tags: found.get('subject'),
    rights: found.get('rights')?.[0],
    source: found.get('source')?.[0],
    identifier: found.get('identifier')?.[0],
  }
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined))
}

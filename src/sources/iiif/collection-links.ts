import { TrawlError } from '../../core/index.ts'
import { parseJson, readDocument, webReference } from '../document.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { SourceContext, SourceInput, SourceItem } from '../source.ts'
import type { ReadText } from './language.ts'
import type { IiifCollection } from './model.ts'
import { collectionFrom2 } from './presentation-2.ts'
import { collectionFrom3 } from './presentation-3.ts'

export interface CollectionReading {
  readonly url: string
  readonly version: 2 | 3
  readonly read: ReadText
  readonly context: SourceContext
  /** The options go on to the members. */
  readonly input: SourceInput
}

/** No collection of the world is longer; a server that invents pages is stopped. */
const maxPages = 10_000

/**
 * The members of a collection as links, page by page: a page is fetched when the one before it has been read.
 * Volumes of a multi-part work are told the name of the series and their number. Throws ERR_SOURCE_EMPTY.
 */
export async function* collectionLinks(
  json: JsonObject,
  reading: CollectionReading,
): AsyncGenerator<SourceItem, void, undefined> {
  const seenPages = new Set<string>([reading.url])
  const given = new Set<string>()
  let page: IiifCollection | undefined = parse(json, reading, reading.url)
  for (let count = 0; page !== undefined && count < maxPages; count++) {
    yield* linksOf(page, reading, given)
    page = await nextPage(page, reading, seenPages)
  }
  if (given.size === 0) {
    throw new TrawlError('ERR_SOURCE_EMPTY', `${reading.url} is a collection without members`, {
      context: { url: reading.url },
    })
  }
}

function* linksOf(
  collection: IiifCollection,
  reading: CollectionReading,
  given: Set<string>,
): Generator<SourceItem, void, undefined> {
  let number = 0
  for (const member of collection.members) {
    number++
    if (member.embedded !== undefined) {
      yield* linksOf(member.embedded, reading, given)
      continue
    }
    const text = webReference(member.id, reading.url)
    if (text === undefined || given.has(text)) continue
    given.add(text)
    const volume = collection.multiPart ? { series: collection.title, number: String(number) } : {}
    yield {
      type: 'link',
      input: {
        ...reading.input,
        text,
        source: 'iiif',
        options: { ...reading.input.options, ...volume },
      },
      ...(member.label === undefined ? {} : { title: member.label }),
      ...(collection.multiPart ? { number: String(number) } : {}),
    }
  }
}

async function nextPage(
  page: IiifCollection,
  reading: CollectionReading,
  seen: Set<string>,
): Promise<IiifCollection | undefined> {
  const { next } = page
  if (next === undefined || seen.has(next)) return undefined
  seen.add(next)
  const found = await readDocument(next, reading.context, {
    headers: { accept: 'application/ld+json, application/json;q=0.9' },
  })
  const json = parseJson(found)
  if (!isJsonObject(json)) {
    throw new TrawlError('ERR_SOURCE_PARSE', `${found.url} is no page of a collection`, {
      context: { url: found.url },
    })
  }
  return parse(json, reading, found.url)
}

function parse(json: JsonObject, reading: CollectionReading, url: string): IiifCollection {
  return reading.version === 3
    ? collectionFrom3(json, reading.read, url)
    : collectionFrom2(json, reading.read, url)
}

import { TrawlError, type Book, type Page } from '../../core/index.ts'
import { isHttpUrl, parseJson, readDocument } from '../document.ts'
import { lastSegment } from '../image-url.ts'
import { isJsonObject, listOf, type JsonObject } from '../json.ts'
import { mapOrdered } from '../ordered.ts'
import type {
  FetchedDocument,
  Source,
  SourceContext,
  SourceInput,
  SourceItem,
  SourceMatch,
} from '../source.ts'
import { createImageAccess, type PageTurn } from './access.ts'
import { chapterStarts } from './chapters.ts'
import { collectionLinks } from './collection-links.ts'
import { createImageInfos } from './image-infos.ts'
import type { ImagePlanning } from './image-planner.ts'
import { textReader, type ReadText } from './language.ts'
import type { IiifCanvas, IiifManifest, IiifPainting } from './model.ts'
import { planPage } from './page-planner.ts'
import { idOf, typeOf } from './painting.ts'
import { canvasFrom2, manifestFrom2, sequenceReference } from './presentation-2.ts'
import { canvasFrom3, manifestFrom3, paintingsFrom3 } from './presentation-3.ts'
import { imageApiVersion } from './services.ts'
import { iiifSettings, pickNamed, type IiifSettings } from './settings.ts'
import { manifestInUrl, manifestOfState } from './viewer-url.ts'

const name = 'iiif'

/** Pages planned ahead of the one that is asked for; each may ask an image server for its info. */
const pagesAhead = 4

const accept3 = 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
const accept = `${accept3}, application/ld+json;q=0.9, application/json;q=0.8`

/**
 * IIIF manifests and collections (Presentation API 2 and 3), single images (Image API 1 to 3), and viewers' URLs
 * that carry one. Pages come as they are planned; the image requests of a page are its `alternatives`, best first.
 */
export const iiifSource: Source = {
  name,
  description: 'IIIF manifests, collections and images of libraries and museums',
  examples: [
    'https://iiif.wellcomecollection.org/presentation/b18035723',
    'https://example.org/viewer?manifest=https://example.org/iiif/book1/manifest.json',
  ],
  match,
  extract,
}

function match(input: SourceInput): SourceMatch | undefined {
  const text = input.text.trim()
  if (/\s/.test(text)) return undefined
  const path = text.replace(/[?#].*$/s, '')
  if (!isHttpUrl(text)) {
    return /\.json$/i.test(path) ? { confidence: 0.6, kind: 'unknown' } : undefined
  }
  if (manifestInUrl(text) !== undefined) return { confidence: 0.95, kind: 'unknown' }
  if (/\/manifest(?:\.json)?$/i.test(path)) return { confidence: 0.9, kind: 'book' }
  if (/\/(?:full|square|\d+,\d+,\d+,\d+|pct:[\d.,]+)\/[^/]+\/!?[\d.]+\/\w+\.\w+$/.test(path)) return undefined
  if (path.endsWith('/info.json')) return { confidence: 0.8, kind: 'book' }
  if (/\/collection(?:\.json|\/[^/]+\.json)?$/i.test(path) && /iiif/i.test(text))
    return { confidence: 0.8, kind: 'series' }
  if (/manifest/i.test(path) && /\.json$/i.test(path)) return { confidence: 0.8, kind: 'unknown' }
  if (/\/(?:iiif|presentation)\//i.test(path) && !/\.(?:html?|jpe?g|png|pdf)$/i.test(path)) {
    return { confidence: 0.6, kind: 'unknown' }
  }
  return /\.json$/i.test(path) ? { confidence: 0.4, kind: 'unknown' } : undefined
}

async function* extract(
  input: SourceInput,
  context: SourceContext,
): AsyncGenerator<SourceItem, void, undefined> {
  const settings = iiifSettings(input)
  const read = textReader(settings.languages)
  const url = manifestInUrl(input.text.trim()) ?? input.text.trim()
  const found = await fetchJson(url, context)
  const { json } = found
  const work: Work = { url: found.url, settings, read, context, input }
  const type = typeOf(json)
  if (type === 'collection') yield* collectionLinks(json, { ...work, version: presentationVersion(json) })
  else if (type === 'manifest') yield* manifestItems(await manifestOf(json, work), work)
  else if (type === 'canvas') yield* manifestItems(singleCanvas(json, work), work)
  else if (imageApiVersion(json) !== undefined && json['width'] !== undefined) {
    yield* manifestItems(singleImage(json, work), work)
  } else {
    const inner = manifestOfState(json)
    if (inner === undefined) throw notIiif(found.url, json)
    yield { type: 'link', input: { ...input, text: inner, source: name } }
  }
}

/** What is at work for one input. */
interface Work {
  readonly url: string
  readonly settings: IiifSettings
  readonly read: ReadText
  readonly context: SourceContext
  readonly input: SourceInput
}

/** Fetches a document and, where that is a page about the manifest, the manifest that it links to. */
async function fetchJson(url: string, context: SourceContext): Promise<{ url: string; json: JsonObject }> {
  let found = await negotiate(url, context)
  if (found.text.trimStart().startsWith('<')) {
    const linked = alternateLink(found)
    if (linked !== undefined) found = await negotiate(linked, context)
  }
  const json = parseJson(found)
  const object = Array.isArray(json) ? (json.find(isJsonObject) ?? json) : json
  if (!isJsonObject(object)) throw notIiif(found.url, {})
  return { url: found.url, json: object }
}

async function negotiate(url: string, context: SourceContext): Promise<FetchedDocument> {
  try {
    return await readDocument(url, context, { headers: { accept } })
  } catch (error) {
    const refused = error instanceof TrawlError && error.context.status === 406
    if (!refused) throw error
    return readDocument(url, context, { headers: { accept: 'application/json' } })
  }
}

/** `<link rel="alternate" type="application/ld+json...">` of a page about a work. */
function alternateLink(found: FetchedDocument): string | undefined {
  for (const [tag] of found.text.matchAll(/<link\b[^>]*>/gi)) {
    const attribute = (key: string): string =>
      new RegExp(`\\b${key}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`, 'i')
        .exec(tag)
        ?.slice(1)
        .find((one) => one !== undefined) ?? ''
    const fits = /\balternate\b/i.test(attribute('rel')) && /ld\+json|iiif/i.test(attribute('type'))
    const href = attribute('href').replaceAll('&amp;', '&')
    if (fits && href !== '' && URL.canParse(href, found.url)) return new URL(href, found.url).href
  }
  return undefined
}

function notIiif(url: string, json: JsonObject): TrawlError {
  const type = typeOf(json)
  const what = type === '' ? 'no IIIF document' : `a IIIF ${type}, not a manifest or a collection`
  return new TrawlError('ERR_SOURCE_PARSE', `${url} is ${what}`, { context: { url, field: 'type' } })
}

/** By the context where there is one, else by the way types are written. */
function presentationVersion(json: JsonObject): 2 | 3 {
  const contexts = listOf(json['@context']).filter((context) => typeof context === 'string')
  if (contexts.some((context) => context.includes('/presentation/3/'))) return 3
  if (contexts.some((context) => /\/presentation\/[12]\//.test(context))) return 2
  return typeof json['type'] === 'string' ? 3 : 2
}

async function manifestOf(json: JsonObject, work: Work): Promise<IiifManifest> {
  if (presentationVersion(json) === 3) return manifestFrom3(json, work.read, work.url)
  const reference = sequenceReference(json)
  if (reference === undefined) return manifestFrom2(json, work.read, work.url)
  const { json: sequence } = await fetchJson(reference, work.context)
  const others = listOf(json['sequences']).slice(1)
  return manifestFrom2({ ...json, sequences: [sequence, ...others] }, work.read, work.url)
}

function singleCanvas(json: JsonObject, work: Work): IiifManifest {
  const canvas = presentationVersion(json) === 3 ? canvasFrom3(json, work.read) : canvasFrom2(json, work.read)
  return onePage(canvas, work)
}

function singleImage(json: JsonObject, work: Work): IiifManifest {
  const id = work.url.replace(/\/info\.json(?:[?#].*)?$/, '')
  const service = { id, version: imageApiVersion(json) ?? 2, embedded: json }
  return onePage({ id, content: [{ images: [{ service }] }] }, work)
}

function onePage(canvas: IiifCanvas, work: Work): IiifManifest {
  const title = canvas.label ?? lastSegment(canvas.id) ?? 'Untitled'
  const metadata = { title, source: work.url, identifier: canvas.id }
  return { id: canvas.id, metadata, canvases: [canvas], ranges: [], orders: [], auth: [] }
}

async function* manifestItems(
  manifest: IiifManifest,
  work: Work,
): AsyncGenerator<SourceItem, void, undefined> {
  const { settings, context } = work
  const canvases = orderedCanvases(manifest, settings)
  if (canvases.length === 0) {
    throw emptyError(work.url, 'no canvases')
  }
  yield { type: 'book', book: bookOf(manifest, canvases, settings) }
  const pageOf = new Map<string, number>()
  for (const [i, canvas] of canvases.entries()) if (!pageOf.has(canvas.id)) pageOf.set(canvas.id, i)
  const starts = [...chapterStarts(manifest.ranges, pageOf)]
  const planning: ImagePlanning = {
    settings,
    context,
    infos: createImageInfos(context),
    access: createImageAccess({
      context,
      read: work.read,
      auth: manifest.auth,
      substitute: settings.substitute,
    }),
  }
  const plan = async (
    [i, canvas]: readonly [number, IiifCanvas],
    signal: AbortSignal,
  ): Promise<Page | undefined> => {
    const turn: PageTurn = { first: i === 0, signal }
    const paintings = await contentOf(canvas, work, signal)
    return planPage(canvas, paintings, { planning, page: turn })
  }
  let at = 0
  let pages = 0
  for await (const page of mapOrdered(canvases.entries(), plan, {
    ahead: pagesAhead,
    signal: context.signal,
  })) {
    // Chapters that begin at a canvas that is no page begin at the next one.
    if (page !== undefined) {
      while (starts[0] !== undefined && starts[0].page <= at) {
        const start = starts.shift()
        if (start !== undefined) yield { type: 'chapter', chapter: start.chapter }
      }
      pages++
      yield { type: 'page', page }
    }
    at++
  }
  if (pages === 0) throw emptyError(work.url, 'no images')
}

function emptyError(url: string, what: string): TrawlError {
  return new TrawlError('ERR_SOURCE_EMPTY', `${url} has ${what}`, { context: { url } })
}

function orderedCanvases(manifest: IiifManifest, settings: IiifSettings): readonly IiifCanvas[] {
  const { sequence } = settings
  if (sequence === undefined) return manifest.canvases
  const order = pickNamed(manifest.orders, sequence)
  if (order === undefined) {
    const offered =
      manifest.orders.map((one, i) => `${i + 1} (${one.label ?? 'no name'})`).join(', ') || 'none'
    throw new TrawlError(
      'ERR_CONFIG_INVALID',
      `The manifest has no page order "${sequence}"; it offers: ${offered}`,
      {
        context: { field: 'sequence' },
      },
    )
  }
  const byId = new Map(manifest.canvases.map((canvas) => [canvas.id, canvas]))
  return order.canvases.map((id) => byId.get(id)).filter((canvas) => canvas !== undefined)
}

function bookOf(manifest: IiifManifest, canvases: readonly IiifCanvas[], settings: IiifSettings): Book {
  const { series, number } = settings
  const pages = canvases.filter(
    ({ content }) => content.length === 0 || content.some((one) => 'ref' in one || one.images.length > 0),
  )
  return {
    id: manifest.id,
    metadata: {
      ...manifest.metadata,
      ...(series === undefined ? {} : { series }),
      ...(number === undefined ? {} : { number }),
    },
    pageCount: pages.length,
  }
}

/** What is painted on a canvas, with annotation pages that stand elsewhere fetched. */
async function contentOf(
  canvas: IiifCanvas,
  work: Work,
  signal: AbortSignal,
): Promise<readonly IiifPainting[]> {
  const paintings: IiifPainting[] = []
  for (const one of canvas.content) {
    if (!('ref' in one)) {
      paintings.push(one)
      continue
    }
    try {
      const found = await readDocument(one.ref, work.context, { headers: { accept }, signal })
      const json = parseJson(found)
      if (isJsonObject(json)) paintings.push(...paintingsFrom3(json, work.read))
    } catch (error) {
      if (signal.aborted) throw error
      const reason = error instanceof Error ? error.message : String(error)
      work.context.notice(
        `The images of "${canvas.label ?? idOf({ id: canvas.id })}" cannot be read: ${reason}`,
      )
    }
  }
  return paintings
}

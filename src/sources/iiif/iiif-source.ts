import { TrawlError } from '../../core/index.ts'
import { isHttpUrl, parseJson, readDocument, readInput, webReference } from '../document.ts'
import { lastSegment } from '../image-url.ts'
import { isJsonObject, listOf, type JsonObject } from '../json.ts'
import type {
  FetchedDocument,
  Source,
  SourceContext,
  SourceInput,
  SourceItem,
  SourceMatch,
} from '../source.ts'
import { collectionLinks } from './collection-links.ts'
import { textReader } from './language.ts'
import { iiifAccept, manifestItems, type ManifestWork } from './manifest-items.ts'
import type { IiifCanvas, IiifManifest } from './model.ts'
import { typeOf } from './painting.ts'
import { canvasFrom2, manifestFrom2, sequenceReference } from './presentation-2.ts'
import { canvasFrom3, manifestFrom3 } from './presentation-3.ts'
import { imageApiVersion } from './services.ts'
import { iiifSettings } from './settings.ts'
import { manifestInUrl, manifestOfState } from './viewer-url.ts'

const name = 'iiif'

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
  const path = text.replace(/[?#].*$/s, '')
  if (!isHttpUrl(text)) {
    const scheme = /^(?!file:)[a-z][a-z0-9+.-]+:/i.test(text)
    return /\.json$/i.test(path) && !scheme && !text.includes('\n')
      ? { confidence: 0.6, kind: 'unknown' }
      : undefined
  }
  if (/\s/.test(text)) return undefined
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
  const work: ManifestWork = { url: found.url, settings, read, context, input }
  const type = typeOf(json)
  if (type === 'collection') yield* collectionLinks(json, { ...work, version: presentationVersion(json) })
  else if (type === 'manifest') yield* manifestItems(await manifestOf(json, work), work)
  else if (type === 'canvas') yield* manifestItems(singleCanvas(json, work), work)
  else if (imageApiVersion(json) !== undefined && json['width'] !== undefined) {
    yield* manifestItems(singleImage(json, work), work)
  } else {
    const state = manifestOfState(json)
    const inner = state === undefined ? undefined : webReference(state, found.url)
    if (inner === undefined) throw notIiif(found.url, json)
    yield { type: 'link', input: { ...input, text: inner, source: name } }
  }
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
    return await readInput(url, context, { headers: { accept: iiifAccept } })
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

async function manifestOf(json: JsonObject, work: ManifestWork): Promise<IiifManifest> {
  if (presentationVersion(json) === 3) return manifestFrom3(json, work.read, work.url)
  const reference = sequenceReference(json)
  if (reference === undefined) return manifestFrom2(json, work.read, work.url)
  const sequence = parseJson(await readDocument(reference, work.context, { headers: { accept: iiifAccept } }))
  const others = listOf(json['sequences']).slice(1)
  return manifestFrom2({ ...json, sequences: [sequence, ...others] }, work.read, work.url)
}

function singleCanvas(json: JsonObject, work: ManifestWork): IiifManifest {
  const canvas = presentationVersion(json) === 3 ? canvasFrom3(json, work.read) : canvasFrom2(json, work.read)
  return onePage(canvas, work)
}

function singleImage(json: JsonObject, work: ManifestWork): IiifManifest {
  const id = work.url.replace(/\/info\.json(?:[?#].*)?$/, '')
  const service = { id, version: imageApiVersion(json) ?? 2, embedded: json }
  return onePage({ id, content: [{ images: [{ service }] }] }, work)
}

function onePage(canvas: IiifCanvas, work: ManifestWork): IiifManifest {
  const title = canvas.label ?? lastSegment(canvas.id) ?? 'Untitled'
  const metadata = { title, source: work.url, identifier: canvas.id }
  return { id: canvas.id, metadata, canvases: [canvas], ranges: [], orders: [], auth: [] }
}

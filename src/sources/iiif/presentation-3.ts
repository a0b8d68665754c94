import { isJsonObject, listOf, objectsOf, textOf, type JsonObject } from '../json.ts'
import { canvasFacts } from './canvas-facts.ts'
import type { ReadText } from './language.ts'
import { metadataOf } from './metadata.ts'
import type {
  IiifCanvas,
  IiifCollection,
  IiifManifest,
  IiifMember,
  IiifOrder,
  IiifPainting,
  IiifRange,
} from './model.ts'
import { idOf, paintingsOf, referenceOf, typeOf } from './painting.ts'
import { authOf, dpiOf } from './services.ts'

/** A manifest of the Presentation API 3.0. */
export function manifestFrom3(json: JsonObject, read: ReadText, url: string): IiifManifest {
  const dpi = dpiOf(json['service']) ?? dpiOf(json['services'])
  const auth = authOf(json['service'], read) ?? authOf(json['services'], read)
  const structures = objectsOf(json['structures'])
  const byId = new Map<string, JsonObject>()
  collectRanges(structures, byId)
  const reading: RangeReading = { read, byId, placed: new Set() }
  const ranges = structures.filter((range) => !hides(range) && !behaves(range, 'sequence'))
  return {
    id: idOf(json) ?? url,
    metadata: metadataOf(json, read),
    canvases: objectsOf(json['items']).map((canvas) => canvasFrom3(canvas, read, dpi)),
    ranges: unwrap(ranges.map((range) => rangeFrom3(range, reading))),
    orders: [...byId.values()]
      .filter((range) => behaves(range, 'sequence'))
      .map((range) => orderFrom3(range, read)),
    auth: auth === undefined ? [] : [auth],
  }
}

/** A canvas of version 3, alone or in a manifest. */
export function canvasFrom3(canvas: JsonObject, read: ReadText, manifestDpi?: number): IiifCanvas {
  return {
    ...canvasFacts(canvas, read, manifestDpi),
    content: listOf(canvas['items']).flatMap((page): IiifCanvas['content'] => {
      const ref = isJsonObject(page) ? (page['items'] === undefined ? idOf(page) : undefined) : textOf(page)
      if (ref !== undefined) return [{ ref }]
      return isJsonObject(page) ? paintingsFrom3(page, read) : []
    }),
  }
}

/** The painting annotations of an annotation page. */
export function paintingsFrom3(page: JsonObject, read: ReadText): readonly IiifPainting[] {
  // An annotation that stands where its page should is painted all the same.
  const annotations = typeOf(page) === 'annotation' ? [page] : objectsOf(page['items'])
  return annotations
    .filter((annotation) => listOf(annotation['motivation']).some((one) => textOf(one)?.includes('painting')))
    .flatMap((annotation) => paintingsOf(annotation, read))
}

function behaves(resource: JsonObject, behavior: string): boolean {
  return listOf(resource['behavior']).includes(behavior)
}

/** Ranges that are not for a table of contents. */
function hides(range: JsonObject): boolean {
  return behaves(range, 'no-nav') || behaves(range, 'thumbnail-nav')
}

function collectRanges(ranges: readonly JsonObject[], byId: Map<string, JsonObject>): void {
  for (const range of ranges) {
    const id = idOf(range)
    if (typeOf(range) !== 'range' || id === undefined || range['items'] === undefined || byId.has(id))
      continue
    byId.set(id, range)
    collectRanges(objectsOf(range['items']), byId)
  }
}

interface RangeReading {
  readonly read: ReadText
  readonly byId: ReadonlyMap<string, JsonObject>
  /** Each range has one place, so that broken manifests cannot make circles. */
  readonly placed: Set<JsonObject>
}

function rangeFrom3(range: JsonObject, reading: RangeReading): IiifRange {
  reading.placed.add(range)
  const title = reading.read(range['label'])
  const items = objectsOf(range['items']).flatMap((item): IiifRange['items'] => {
    if (typeOf(item) !== 'range') {
      const canvas = referenceOf(item['source'] ?? item)
      return canvas === undefined ? [] : [{ canvas }]
    }
    // A range may only be named here and stand in full elsewhere.
    const full = item['items'] === undefined ? (reading.byId.get(idOf(item) ?? '') ?? item) : item
    if (hides(full) || behaves(full, 'sequence') || reading.placed.has(full)) return []
    return [rangeFrom3(full, reading)]
  })
  return { id: idOf(range) ?? '', ...(title === undefined ? {} : { title }), items }
}

/** One range that holds nothing but others is the table of contents itself, not a chapter. */
function unwrap(ranges: readonly IiifRange[]): readonly IiifRange[] {
  const [only, second] = ranges
  if (only === undefined || second !== undefined || only.items.length === 0) return ranges
  const inner = only.items.filter((item) => 'items' in item)
  return inner.length === only.items.length ? inner : ranges
}

function orderFrom3(range: JsonObject, read: ReadText): IiifOrder {
  const label = read(range['label'])
  const canvases = objectsOf(range['items']).flatMap((item): readonly string[] => {
    if (typeOf(item) === 'range') return orderFrom3(item, read).canvases
    const id = referenceOf(item['source'] ?? item)
    return id === undefined ? [] : [id]
  })
  return { ...(label === undefined ? {} : { label }), canvases }
}

/** A collection of version 3. */
export function collectionFrom3(json: JsonObject, read: ReadText, url: string): IiifCollection {
  const members = new Map<string, IiifMember>()
  for (const item of objectsOf(json['items'])) {
    const id = idOf(item)
    const type = typeOf(item)
    if (id === undefined || members.has(id) || (type !== 'manifest' && type !== 'collection')) continue
    const label = read(item['label'])
    const embeds = type === 'collection' && listOf(item['items']).length > 0
    members.set(id, {
      id,
      type,
      ...(label === undefined ? {} : { label }),
      ...(embeds ? { embedded: collectionFrom3(item, read, id) } : {}),
    })
  }
  const next = referenceOf(json['next']) ?? (members.size === 0 ? referenceOf(json['first']) : undefined)
  return {
    id: idOf(json) ?? url,
    title: read(json['label']) ?? 'Untitled',
    multiPart: behaves(json, 'multi-part'),
    members: [...members.values()],
    ...(next === undefined ? {} : { next }),
  }
}

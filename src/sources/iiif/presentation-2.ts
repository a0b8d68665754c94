import { firstText, isJsonObject, listOf, objectsOf, textOf, type JsonObject } from '../json.ts'
import { canvasFacts } from './canvas-facts.ts'
import type { ReadText } from './language.ts'
import { metadataOf } from './metadata.ts'
import type { IiifCanvas, IiifCollection, IiifManifest, IiifMember, IiifOrder, IiifRange } from './model.ts'
import { idOf, paintingsOf, referenceOf, typeOf } from './painting.ts'
import { authOf, dpiOf } from './services.ts'

/** A manifest of the Presentation API 2.0 or 2.1 (and of 1.0, which has the same shape). */
export function manifestFrom2(json: JsonObject, read: ReadText, url: string): IiifManifest {
  const [sequence, ...others] = objectsOf(json['sequences'])
  const dpi = dpiOf(json['service'])
  const auth = authOf(json['service'], read)
  return {
    id: idOf(json) ?? url,
    metadata: metadataOf(json, read),
    canvases: objectsOf(sequence?.['canvases']).map((canvas) => canvasFrom2(canvas, read, dpi)),
    ranges: rangesFrom2(objectsOf(json['structures']), read),
    orders: others.flatMap((other) => orderFrom2(other, read)),
    auth: auth === undefined ? [] : [auth],
  }
}

/** The address of the first sequence when the manifest only refers to it. */
export function sequenceReference(json: JsonObject): string | undefined {
  const first = listOf(json['sequences'])[0]
  if (!isJsonObject(first)) return textOf(first)
  return first['canvases'] === undefined ? idOf(first) : undefined
}

/** A canvas of version 2, alone or in a manifest. */
export function canvasFrom2(canvas: JsonObject, read: ReadText, manifestDpi?: number): IiifCanvas {
  const images = objectsOf(canvas['images'])
  return {
    ...canvasFacts(canvas, read, manifestDpi),
    content: images.filter(isPainting).flatMap((image) => paintingsOf(image, read)),
  }
}

function isPainting(annotation: JsonObject): boolean {
  const motivations = listOf(annotation['motivation']).filter((one) => typeof one === 'string')
  return motivations.length === 0 || motivations.some((one) => one.includes('painting'))
}

function orderFrom2(sequence: JsonObject, read: ReadText): IiifOrder[] {
  const canvases = listOf(sequence['canvases'])
    .map(referenceOf)
    .filter((id) => id !== undefined)
  const label = read(sequence['label'])
  return canvases.length === 0 ? [] : [{ ...(label === undefined ? {} : { label }), canvases }]
}

/**
 * Version 2 lists all ranges flat: they refer to each other by `ranges` or `members`, in old manifests upwards by
 * `within`. The one marked `top` only holds the others together.
 */
function rangesFrom2(structures: readonly JsonObject[], read: ReadText): readonly IiifRange[] {
  const byId = new Map(structures.map((range) => [idOf(range) ?? '', range]))
  const children = new Map<JsonObject, readonly unknown[]>()
  const below = new Set<string>()
  for (const range of structures) {
    const own = listOf(range['members'] ?? [...listOf(range['canvases']), ...listOf(range['ranges'])])
    children.set(range, own)
    for (const id of own.map(referenceOf)) if (id !== undefined && byId.has(id)) below.add(id)
  }
  for (const range of structures) {
    const parent = byId.get(referenceOf(range['within']) ?? '')
    const id = idOf(range)
    if (parent === undefined || parent === range || id === undefined || below.has(id)) continue
    children.set(parent, [...(children.get(parent) ?? []), id])
    below.add(id)
  }
  // Each range has one place, so that broken manifests cannot make circles or explode.
  const placed = new Set<JsonObject>()
  const build = (range: JsonObject): IiifRange => {
    placed.add(range)
    const title = read(range['label'])
    const items = (children.get(range) ?? []).flatMap((item): IiifRange['items'] => {
      const id = referenceOf(item)
      const child = id === undefined ? undefined : byId.get(id)
      if (child !== undefined) return placed.has(child) ? [] : [build(child)]
      return id === undefined ? [] : [{ canvas: id }]
    })
    return { id: idOf(range) ?? '', ...(title === undefined ? {} : { title }), items }
  }
  const top = structures.find((range) => textOf(range['viewingHint']) === 'top')
  const roots = top === undefined ? structures.filter((range) => !below.has(idOf(range) ?? '')) : [top]
  const built = roots.map(build)
  if (top === undefined) return built
  return (built[0]?.items ?? []).filter((item) => 'items' in item)
}

/** A collection of version 2, or one page of it. */
export function collectionFrom2(json: JsonObject, read: ReadText, url: string): IiifCollection {
  const listed: readonly (readonly [unknown, IiifMember['type'] | undefined])[] = [
    [json['members'], undefined],
    [json['collections'], 'collection'],
    [json['manifests'], 'manifest'],
  ]
  const members = new Map<string, IiifMember>()
  for (const [list, type] of listed) {
    for (const member of listOf(list)) {
      const found = memberFrom2(member, type, read)
      if (found !== undefined && !members.has(found.id)) members.set(found.id, found)
    }
  }
  const next = referenceOf(json['next']) ?? (members.size === 0 ? referenceOf(json['first']) : undefined)
  return {
    id: idOf(json) ?? url,
    title: read(json['label']) ?? 'Untitled',
    multiPart: firstText(...listOf(json['viewingHint'])) === 'multi-part',
    members: [...members.values()],
    ...(next === undefined ? {} : { next }),
  }
}

function memberFrom2(
  value: unknown,
  type: IiifMember['type'] | undefined,
  read: ReadText,
): IiifMember | undefined {
  const id = isJsonObject(value) ? idOf(value) : textOf(value)
  if (id === undefined) return undefined
  if (!isJsonObject(value)) return { id, type: type ?? 'manifest' }
  const label = read(value['label'])
  const kind = type ?? (typeOf(value) === 'collection' ? 'collection' : 'manifest')
  const embeds = ['members', 'collections', 'manifests'].some((name) => listOf(value[name]).length > 0)
  return {
    id,
    type: kind,
    ...(label === undefined ? {} : { label }),
    ...(embeds ? { embedded: collectionFrom2(value, read, id) } : {}),
  }
}

import { firstText, isJsonObject, listOf, objectsOf, positiveOf, textOf, type JsonObject } from '../json.ts'
import type { ReadText } from './language.ts'
import type { IiifBox, IiifImage, IiifPainting } from './model.ts'
import { authOf, imageServiceOf } from './services.ts'

/** The local name of a type of either version: `dctypes:Image` and `Image` are both `image`. */
export function typeOf(resource: JsonObject): string {
  const type = [resource['type'] ?? resource['@type']].flat().find((one) => typeof one === 'string') ?? ''
  return type.replace(/^.*[:/#]/, '').toLowerCase()
}

export function idOf(resource: JsonObject): string | undefined {
  return firstText(resource['id'], resource['@id'])
}

/** The id of something that is given as a text or an object, without its fragment. */
export function referenceOf(value: unknown): string | undefined {
  const id = isJsonObject(value)
    ? (idOf(value) ?? textOf(value['full']) ?? referenceOf(value['source']))
    : textOf(value)
  return id?.replace(/#.*$/s, '')
}

/**
 * What an annotation of either version paints: one painting for each body. Bodies may be images, choices of
 * images, or parts of images (specific resources).
 */
export function paintingsOf(annotation: JsonObject, read: ReadText): readonly IiifPainting[] {
  const target = boxOf(annotation['target'] ?? annotation['on'])
  const sheet = sheetOf(annotation['stylesheet'])
  return listOf(annotation['body'] ?? annotation['resource']).map((body) => {
    const found = imagesOf(body, read, sheet)
    return { ...found, ...(target === undefined ? {} : { target }) }
  })
}

function imagesOf(body: unknown, read: ReadText, sheet: string): Pick<IiifPainting, 'images' | 'other'> {
  if (!isJsonObject(body)) {
    const url = textOf(body)
    return { images: url === undefined ? [] : [{ url }] }
  }
  if (typeOf(body) === 'choice') {
    const options = [...listOf(body['default']), ...listOf(body['item']), ...listOf(body['items'])]
    const found = options.filter(isJsonObject).map((option) => imagesOf(option, read, sheet))
    const images = found.flatMap((one) => one.images)
    const other = found.find((one) => one.other !== undefined)?.other
    return { images, ...(images.length === 0 && other !== undefined ? { other } : {}) }
  }
  const inner = objectsOf(body['full'] ?? body['source'])[0]
  if (inner !== undefined || typeOf(body) === 'specificresource') return partsOf(body, read, sheet)
  if (!isImage(body)) {
    const other = typeOf(body) || 'something unknown'
    return { images: [], other: typeof body['type'] === 'string' ? body['type'] : other }
  }
  return { images: [imageOf(body, read)] }
}

/** A specific resource: an image of which a part is wanted, or which is turned. */
function partsOf(body: JsonObject, read: ReadText, sheet: string): Pick<IiifPainting, 'images' | 'other'> {
  const source = body['full'] ?? body['source']
  const found = imagesOf(source, read, sheet)
  const wish: Partial<Pick<IiifImage, 'region' | 'rotation' | 'quality'>> = {
    ...styleWish(body, sheet),
    ...selectorWish(body['selector']),
  }
  const auth = authOf(body['service'], read)
  const label = read(body['label'])
  const images = found.images.map((image) => ({
    ...image,
    ...(label === undefined ? {} : { label }),
    ...(auth === undefined ? {} : { auth }),
    ...wish,
  }))
  return { images, ...(found.other === undefined ? {} : { other: found.other }) }
}

function isImage(resource: JsonObject): boolean {
  const type = typeOf(resource)
  if (type === 'image') return true
  const format = textOf(resource['format']) ?? ''
  if (format.startsWith('image/')) return true
  if (['video', 'sound', 'audio', 'movingimage', 'textualbody', 'text', 'dataset', 'model'].includes(type))
    return false
  // Types are sometimes missing or misspelt.
  const path = (idOf(resource) ?? '').replace(/[?#].*$/s, '')
  return (
    imageServiceOf(resource['service']) !== undefined ||
    /\.(?:jpe?g|png|webp|gif|tiff?|jp2|avif)$/i.test(path)
  )
}

function imageOf(resource: JsonObject, read: ReadText): IiifImage {
  const url = idOf(resource)
  const label = read(resource['label'])
  const format = textOf(resource['format'])
  const widthPx = positiveOf(resource['width'])
  const heightPx = positiveOf(resource['height'])
  const service = imageServiceOf(resource['service'])
  const auth = authOf(resource['service'], read)
  return {
    ...(url === undefined ? {} : { url }),
    ...(label === undefined ? {} : { label }),
    ...(format === undefined ? {} : { format }),
    ...(widthPx === undefined ? {} : { widthPx }),
    ...(heightPx === undefined ? {} : { heightPx }),
    ...(service === undefined ? {} : { service }),
    ...(auth === undefined ? {} : { auth }),
  }
}

function selectorWish(selector: unknown): Partial<Pick<IiifImage, 'region' | 'rotation' | 'quality'>> {
  const first = objectsOf(selector)[0]
  if (first === undefined) return {}
  if (typeOf(first) === 'fragmentselector') {
    const region = parseBox(textOf(first['value']) ?? '')
    return region === undefined ? {} : { region }
  }
  if (typeOf(first) !== 'imageapiselector') return {}
  const region = regionOf(textOf(first['region']))
  // A "!" asks for a mirror image, which no packer can undo; the turn still counts.
  const rotation = Number((textOf(first['rotation']) ?? '0').replace('!', ''))
  const quality = textOf(first['quality'])
  return {
    ...(region === undefined ? {} : { region }),
    ...(Number.isFinite(rotation) && rotation % 360 !== 0
      ? { rotation: ((rotation % 360) + 360) % 360 }
      : {}),
    ...(quality === undefined || quality === 'default' || quality === 'native' ? {} : { quality }),
  }
}

function regionOf(text: string | undefined): IiifBox | undefined {
  if (text === undefined || text === 'full') return undefined
  return parseBox(`xywh=${text.replace(/^pct:/, 'percent:')}`)
}

function sheetOf(stylesheet: unknown): string {
  return isJsonObject(stylesheet)
    ? (firstText(stylesheet['value'], stylesheet['chars']) ?? '')
    : (textOf(stylesheet) ?? '')
}

/** The turn that a style class gives, such as `.rotated { transform: rotate(90deg) }`. */
function styleWish(body: JsonObject, sheet: string): Pick<IiifImage, 'rotation'> {
  const name = firstText(body['styleClass'], body['style'])
  if (name === undefined || !/^[\w-]+$/.test(name)) return {}
  const rule = new RegExp(`\\.${name}\\s*\\{([^}]*)\\}`).exec(sheet)?.[1] ?? ''
  const degrees = Number(/\brotate\(\s*(-?\d+(?:\.\d+)?)deg\s*\)/.exec(rule)?.[1] ?? 0)
  const rotation = ((degrees % 360) + 360) % 360
  return rotation === 0 ? {} : { rotation }
}

/** The part that a target or source names: `#xywh=`, or a fragment selector. */
function boxOf(target: unknown): IiifBox | undefined {
  for (const one of listOf(target)) {
    if (typeof one === 'string') {
      const box = parseBox(one)
      if (box !== undefined) return box
    } else if (isJsonObject(one)) {
      const selector = objectsOf(one['selector'])[0]
      const box = parseBox(
        firstText(selector?.['value'], objectsOf(selector?.['default'])[0]?.['value']) ?? '',
      )
      const found = box ?? boxOf(idOf(one)) ?? boxOf(one['full']) ?? boxOf(one['source'])
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** `xywh=` of a media fragment (W3C Media Fragments, 4.2.2). */
function parseBox(text: string): IiifBox | undefined {
  const number = '(\\d+(?:\\.\\d+)?)'
  const match = new RegExp(`\\bxywh=(pixel:|percent:)?${number},${number},${number},${number}`).exec(text)
  if (match === null) return undefined
  const [x = 0, y = 0, width = 0, height = 0] = match.slice(2).map(Number)
  if (width <= 0 || height <= 0) return undefined
  return { unit: match[1] === 'percent:' ? 'percent' : 'pixel', x, y, width, height }
}

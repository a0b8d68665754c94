import { TrawlError } from '../../core/index.ts'
import { firstText, isJsonObject, listOf, objectsOf, positiveOf, textOf, type JsonObject } from '../json.ts'
import type { ImageApiVersion } from './model.ts'
import { imageApiVersion } from './services.ts'

/** What an image server says about one image: info.json of the Image API 1.0 to 3.0. */
export interface ImageInfo {
  readonly version: ImageApiVersion
  /** The address that image requests begin with, without a slash at the end. */
  readonly base: string
  /** What the document gives as its own id, where that is another usable address. */
  readonly otherBase?: string
  readonly widthPx: number
  readonly heightPx: number
  /** 0, 1 or 2; an unknown higher one counts as 2. */
  readonly level: 0 | 1 | 2
  /** Sizes that the server has ready, smallest first. */
  readonly sizes: readonly ImageSize[]
  readonly tiles: readonly TileSet[]
  readonly maxWidthPx?: number
  readonly maxHeightPx?: number
  readonly maxAreaPx?: number
  readonly preferredFormats: readonly string[]
}

export interface ImageSize {
  readonly widthPx: number
  readonly heightPx: number
}

export interface TileSet {
  readonly widthPx: number
  readonly heightPx: number
  readonly scaleFactors: readonly number[]
}

/**
 * Parses an info.json, or a service that embeds one. `asked` is the address that it was asked for: it, not the id in
 * the document, begins the requests, since ids are often wrong behind proxies. Throws ERR_SOURCE_PARSE.
 */
export function parseImageInfo(json: unknown, asked: string): ImageInfo {
  if (!isJsonObject(json)) throw fault(asked, 'is not an object')
  const widthPx = positiveOf(json['width'])
  const heightPx = positiveOf(json['height'])
  if (widthPx === undefined || heightPx === undefined) throw fault(asked, 'has no width and height')
  const version = imageApiVersion(json) ?? (json['@id'] === undefined && json['id'] !== undefined ? 3 : 2)
  const limits = limitsOf(json)
  const otherBase = usableId(firstText(json['id'], json['@id']), asked)
  return {
    version,
    base: asked,
    ...(otherBase === undefined ? {} : { otherBase }),
    widthPx,
    heightPx,
    level: levelOf(json),
    sizes: sizesOf(json),
    tiles: tilesOf(json),
    ...limits,
    preferredFormats: listOf(json['preferredFormats']).filter((format) => typeof format === 'string'),
  }
}

function fault(asked: string, what: string): TrawlError {
  return new TrawlError('ERR_SOURCE_PARSE', `The info.json of ${asked} ${what}`, { context: { url: asked } })
}

function levelOf(json: JsonObject): 0 | 1 | 2 {
  const texts = listOf(json['profile']).filter((profile) => typeof profile === 'string')
  const level = /level(\d)/.exec(texts.join(' '))?.[1]
  if (level === '0') return 0
  // A server that says nothing is tried as the middle one.
  return level === '1' || level === undefined ? 1 : 2
}

/** Version 2.1 puts limits into the objects of `profile`, version 3 at the top. A missing height limit is the width's. */
function limitsOf(json: JsonObject): Pick<ImageInfo, 'maxWidthPx' | 'maxHeightPx' | 'maxAreaPx'> {
  const holders = [json, ...objectsOf(json['profile'])]
  const least = (name: string): number | undefined => {
    const values = holders.map((holder) => positiveOf(holder[name])).filter((value) => value !== undefined)
    return values.length === 0 ? undefined : Math.min(...values)
  }
  const maxWidthPx = least('maxWidth')
  const maxHeightPx = least('maxHeight') ?? maxWidthPx
  const maxAreaPx = least('maxArea')
  return {
    ...(maxWidthPx === undefined ? {} : { maxWidthPx }),
    ...(maxHeightPx === undefined ? {} : { maxHeightPx }),
    ...(maxAreaPx === undefined ? {} : { maxAreaPx }),
  }
}

function sizesOf(json: JsonObject): ImageSize[] {
  const sizes: ImageSize[] = []
  for (const size of objectsOf(json['sizes'])) {
    const widthPx = positiveOf(size['width'])
    const heightPx = positiveOf(size['height'])
    if (widthPx !== undefined && heightPx !== undefined) sizes.push({ widthPx, heightPx })
  }
  return sizes.sort((a, b) => a.widthPx - b.widthPx || a.heightPx - b.heightPx)
}

function tilesOf(json: JsonObject): TileSet[] {
  const tiles: TileSet[] = []
  for (const tile of objectsOf(json['tiles'])) {
    const widthPx = positiveOf(tile['width'])
    if (widthPx === undefined) continue
    const heightPx = positiveOf(tile['height']) ?? widthPx
    tiles.push({ widthPx, heightPx, scaleFactors: factorsOf(tile['scaleFactors']) })
  }
  // Version 1.1.
  const oldWidth = positiveOf(json['tile_width'])
  if (tiles.length === 0 && oldWidth !== undefined) {
    const heightPx = positiveOf(json['tile_height']) ?? oldWidth
    tiles.push({ widthPx: oldWidth, heightPx, scaleFactors: factorsOf(json['scale_factors']) })
  }
  return tiles
}

function factorsOf(value: unknown): number[] {
  const factors = listOf(value)
    .map(positiveOf)
    .filter((factor) => factor !== undefined && Number.isInteger(factor))
  return [...new Set(factors)].filter((factor) => factor !== undefined).sort((a, b) => a - b)
}

/** Ids that are relative, of a test machine, or the one asked for in another spelling are of no use. */
function usableId(id: string | undefined, asked: string): string | undefined {
  const clean = textOf(id)?.replace(/\/+$/, '')
  if (clean === undefined || !/^https?:\/\//i.test(clean) || !URL.canParse(clean)) return undefined
  const { host, hostname, pathname, search } = new URL(clean)
  if (/^(?:localhost|127\..*|\[::1\]|0\.0\.0\.0|(?:.*\.)?example(?:\.(?:com|org|net))?)$/i.test(hostname))
    return undefined
  if (!URL.canParse(asked)) return clean
  const own = new URL(asked)
  return own.host === host && own.pathname === pathname && own.search === search ? undefined : clean
}

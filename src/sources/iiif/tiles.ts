import type { ImageInfo, ImageSize } from './image-info.ts'
import { defaultQuality, formatOf, requestUrl, type ImageWish } from './image-requests.ts'

/** One request of an image that is fetched in parts. */
export interface Tile {
  readonly column: number
  readonly row: number
  /** The part of the full image that the tile shows, in its pixels. */
  readonly region: {
    readonly x: number
    readonly y: number
    readonly widthPx: number
    readonly heightPx: number
  }
  /** Where the tile lies in the image put together. */
  readonly x: number
  readonly y: number
  /** The size that is asked for. */
  readonly widthPx: number
  readonly heightPx: number
  /** The request in the forms that servers know, best first. */
  readonly urls: readonly string[]
}

export interface TilePlan extends ImageSize {
  readonly scale: number
  readonly tiles: readonly Tile[]
}

/**
 * The tiles that make up the whole image at a scale factor, row by row, by the arithmetic of the specification's
 * implementation notes: a tile covers `tile width * scale` pixels, less at the far edges, and is
 * asked for at that divided by the scale, rounded up. Without `tiles` in the info, any region may be asked for
 * (level 1 and up) and squares of 1,024 pixels are. Tiles are cut to the limits of the server.
 */
export function tilesFor(
  info: ImageInfo,
  scale: number,
  wish: Pick<ImageWish, 'format' | 'quality'> = {},
): TilePlan {
  const { widthPx: tileWidth, heightPx: tileHeight } = tileSize(info, scale)
  const stepX = tileWidth * scale
  const stepY = tileHeight * scale
  const tiles: Tile[] = []
  for (let row = 0; row * stepY < info.heightPx; row++) {
    for (let column = 0; column * stepX < info.widthPx; column++) {
      const x = column * stepX
      const y = row * stepY
      const region = {
        x,
        y,
        widthPx: Math.min(stepX, info.widthPx - x),
        heightPx: Math.min(stepY, info.heightPx - y),
      }
      const size = {
        widthPx: Math.ceil(region.widthPx / scale),
        heightPx: Math.ceil(region.heightPx / scale),
      }
      const urls = tileUrls(info, region, size, wish)
      tiles.push({ column, row, region, x: column * tileWidth, y: row * tileHeight, ...size, urls })
    }
  }
  return {
    scale,
    widthPx: Math.ceil(info.widthPx / scale),
    heightPx: Math.ceil(info.heightPx / scale),
    tiles,
  }
}

/**
 * The smallest scale factor at which the image can be had in tiles: 1 where any region may be asked for, else the
 * smallest that is listed; undefined when the server has no tiles.
 */
export function finestScale(info: ImageInfo): number | undefined {
  if (info.level > 0) return 1
  const factors = info.tiles.flatMap((tile) => tile.scaleFactors)
  return factors.length === 0 ? undefined : Math.min(...factors)
}

function tileSize(info: ImageInfo, scale: number): ImageSize {
  const set = info.tiles.find((tile) => tile.scaleFactors.includes(scale)) ?? info.tiles[0]
  let widthPx = Math.floor(set?.widthPx ?? 1024)
  let heightPx = Math.floor(set?.heightPx ?? 1024)
  // A server of ready-made tiles has only these, whatever it says about limits.
  if (info.level === 0) return { widthPx, heightPx }
  widthPx = Math.min(widthPx, Math.floor(info.maxWidthPx ?? widthPx))
  heightPx = Math.min(heightPx, Math.floor(info.maxHeightPx ?? heightPx))
  const maxArea = info.maxAreaPx ?? Infinity
  if (widthPx * heightPx > maxArea) {
    const side = Math.max(1, Math.floor(Math.sqrt(maxArea)))
    widthPx = Math.min(widthPx, side)
    heightPx = Math.min(heightPx, side)
  }
  return { widthPx: Math.max(1, widthPx), heightPx: Math.max(1, heightPx) }
}

function tileUrls(
  info: ImageInfo,
  region: Tile['region'],
  size: ImageSize,
  wish: Pick<ImageWish, 'format' | 'quality'>,
): string[] {
  const whole = region.widthPx === info.widthPx && region.heightPx === info.heightPx
  const cut = `${region.x},${region.y},${region.widthPx},${region.heightPx}`
  const natural = region.widthPx === size.widthPx && region.heightPx === size.heightPx
  const words =
    info.version === 3
      ? [`${size.widthPx},${size.heightPx}`, ...(natural ? ['max'] : [])]
      : [`${size.widthPx},`, `${size.widthPx},${size.heightPx}`, ...(natural ? ['full'] : [])]
  const rest = {
    rotation: 0,
    quality: wish.quality ?? defaultQuality(info.version),
    format: formatOf(info, wish),
  }
  return (whole ? ['full', cut] : [cut]).flatMap((part) =>
    words.map((word) => requestUrl(info.base, { ...rest, region: part, size: word })),
  )
}

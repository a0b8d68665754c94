import type { ImageInfo, ImageSize } from './image-info.ts'
import type { ImageApiVersion } from './model.ts'

/** What is wanted of an image besides "as large as can be had". */
export interface ImageWish {
  /** In pixels of the image. */
  readonly region?: {
    readonly x: number
    readonly y: number
    readonly widthPx: number
    readonly heightPx: number
  }
  /** Degrees clockwise. */
  readonly rotation?: number
  readonly quality?: string
  /** `jpg` unless the user or the server prefers another. */
  readonly format?: string
}

/** Requests for one image, best first, and what the first is expected to give. */
export interface ImageRequests {
  readonly urls: readonly string[]
  readonly widthPx: number
  readonly heightPx: number
  /** The server's limits allow less than the image has. */
  readonly limited: boolean
}

/**
 * The ladder of requests for the most pixels that one request may have, best first (Image API 1.0 to 3.0). Servers
 * answer 400, 404 or 501 to forms they do not support, so the next one is tried.
 */
export function imageRequests(info: ImageInfo, wish: ImageWish = {}): ImageRequests {
  const whole = { x: 0, y: 0, widthPx: info.widthPx, heightPx: info.heightPx }
  const area = wish.region ?? whole
  const size = largestSize(area, info)
  const limited = size.widthPx < area.widthPx || size.heightPx < area.heightPx
  const region =
    wish.region === undefined
      ? 'full'
      : [area.x, area.y, area.widthPx, area.heightPx].map(Math.round).join(',')
  const sizes = sizeWords(info, size, { limited, whole: wish.region === undefined })
  const rest = { region, rotation: wish.rotation ?? 0, quality: wish.quality ?? defaultQuality(info.version) }
  const formats = [...new Set([formatOf(info, wish), 'jpg'])]
  const bases = info.otherBase === undefined ? [info.base] : [info.base, info.otherBase]
  const [first = 'full'] = sizes
  const urls = [
    ...formats.flatMap((format) =>
      sizes.map((word) => requestUrl(info.base, { ...rest, size: word, format })),
    ),
    ...bases.slice(1).map((base) => requestUrl(base, { ...rest, size: first, format: formats[0] ?? 'jpg' })),
  ]
  const turned = (wish.rotation ?? 0) % 180 === 90
  return {
    urls: [...new Set(urls)],
    widthPx: turned ? size.heightPx : size.widthPx,
    heightPx: turned ? size.widthPx : size.heightPx,
    limited,
  }
}

/** The size words for an image of which only the address of the service is known, best first. */
export function blindRequests(base: string, version: ImageApiVersion, wish: ImageWish): readonly string[] {
  const area = wish.region
  const region =
    area === undefined ? 'full' : [area.x, area.y, area.widthPx, area.heightPx].map(Math.round).join(',')
  const rest = { region, rotation: wish.rotation ?? 0, quality: wish.quality ?? defaultQuality(version) }
  const sizes = version === 3 ? ['max', 'full'] : ['full', 'max']
  return sizes.map((size) => requestUrl(base, { ...rest, size, format: wish.format ?? 'jpg' }))
}

export interface RequestParts {
  readonly region: string
  readonly size: string
  readonly rotation: number
  readonly quality: string
  readonly format: string
}

/** `{base}/{region}/{size}/{rotation}/{quality}.{format}`; the base is not encoded again. */
export function requestUrl(base: string, parts: RequestParts): string {
  return `${base}/${parts.region}/${parts.size}/${parts.rotation}/${parts.quality}.${parts.format}`
}

/** `native` until version 1.1, `default` since. */
export function defaultQuality(version: ImageApiVersion): string {
  return version === 1 ? 'native' : 'default'
}

/** The format to ask for: the user's, else the first that the server prefers if it is jpg or png, else jpg. */
export function formatOf(info: ImageInfo, wish: ImageWish): string {
  return wish.format ?? info.preferredFormats.find((format) => format === 'jpg' || format === 'png') ?? 'jpg'
}

/**
 * The largest size within the limits at which an area may be had, never above its own: the scale is the smallest of
 * 1, maxWidth/w, maxHeight/h and sqrt(maxArea/(w*h)), rounded down.
 */
export function largestSize(area: ImageSize, limits: LimitsOf): ImageSize {
  const { widthPx, heightPx } = area
  const maxWidth = limits.maxWidthPx ?? Infinity
  const maxHeight = limits.maxHeightPx ?? Infinity
  const maxArea = limits.maxAreaPx ?? Infinity
  const scale = Math.min(
    1,
    maxWidth / widthPx,
    maxHeight / heightPx,
    Math.sqrt(maxArea / (widthPx * heightPx)),
  )
  if (scale >= 1) return { widthPx, heightPx }
  let width = Math.max(1, Math.floor(widthPx * scale + 1e-9))
  const heightFor = (wide: number): number => Math.max(1, Math.round((heightPx * wide) / widthPx))
  // The server derives the height from the width and may round it up, past the limit of area.
  if (width * heightFor(width) > maxArea) width = Math.max(1, Math.floor(maxArea / heightFor(width)))
  return { widthPx: width, heightPx: heightFor(width) }
}

type LimitsOf = Pick<ImageInfo, 'maxWidthPx' | 'maxHeightPx' | 'maxAreaPx'>

function sizeWords(
  info: ImageInfo,
  size: ImageSize,
  want: { readonly limited: boolean; readonly whole: boolean },
): string[] {
  const { widthPx: w, heightPx: h } = size
  const listed = want.whole ? listedWords(info, size) : []
  switch (info.version) {
    case 3:
      return want.limited && info.level === 0
        ? ['max', ...listed]
        : [...new Set(['max', `${w},${h}`, ...listed, 'full'])]
    case 2: {
      if (!want.limited) return [...new Set(['full', 'max', `${w},`, ...listed])]
      return info.level === 0 ? [...listed, 'max', 'full'] : ['max', `${w},`, `!${w},${h}`, ...listed]
    }
    default:
      return want.limited ? [`${w},`] : ['full', `${w},`]
  }
}

/** The largest listed size that the limits allow, in the forms of the version. */
function listedWords(info: ImageInfo, most: ImageSize): string[] {
  const fitting = info.sizes.filter(
    (size) => size.widthPx <= most.widthPx && size.heightPx <= most.heightPx + 1,
  )
  const largest = fitting.at(-1)
  // Any other level makes every size, so a listed one below the largest is no gain.
  if (largest === undefined || (info.level !== 0 && largest.widthPx < most.widthPx)) return []
  const { widthPx: w, heightPx: h } = largest
  return info.version === 3 ? [`${w},${h}`] : [`${w},`, `${w},${h}`]
}

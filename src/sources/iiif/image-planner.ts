import type { PageLayer, Place } from '../../core/index.ts'
import type { SourceContext } from '../source.ts'
import type { ImageAccess, PageTurn } from './access.ts'
import type { PlannedImage } from './composition.ts'
import { parseImageInfo, type ImageInfo } from './image-info.ts'
import type { ImageInfos } from './image-infos.ts'
import { blindRequests, imageRequests, type ImageWish } from './image-requests.ts'
import type { IiifBox, IiifImage, IiifImageService } from './model.ts'
import type { IiifSettings } from './settings.ts'
import { finestScale, tilesFor } from './tiles.ts'

/** What the planning of all images of one manifest shares. */
export interface ImagePlanning {
  readonly settings: IiifSettings
  readonly context: SourceContext
  readonly infos: ImageInfos
  readonly access: ImageAccess
}

/**
 * Chooses the requests for one image: its service's ladder, or its own address where it has no service. Throws
 * ERR_SOURCE_AUTH as `ImageAccess` says, and ERR_CANCELLED.
 */
export async function planImage(
  given: IiifImage,
  planning: ImagePlanning,
  page: PageTurn,
): Promise<PlannedImage> {
  const image = (await planning.access.check(given, page)) ?? given
  if (image.service === undefined) {
    if (image.rotation !== undefined) tellUnturned(image, planning.context)
    return plainImage(image)
  }
  const info = await infoOf(image, image.service, { planning, page })
  if (info === undefined) return blindImage(image, image.service, planning.settings)
  if (info.level !== 0 || image.rotation === undefined) return serviceImage(image, info, planning.settings)
  tellUnturned(image, planning.context)
  const { rotation: _, ...unturned } = image
  return serviceImage(unturned, info, planning.settings)
}

function tellUnturned(image: IiifImage, context: SourceContext): void {
  context.notice(
    `${image.url ?? 'An image'} should be turned by ${image.rotation}\u00B0, which its server cannot do`,
  )
}

async function infoOf(
  image: IiifImage,
  service: IiifImageService,
  { planning, page }: { readonly planning: ImagePlanning; readonly page: PageTurn },
): Promise<ImageInfo | undefined> {
  if (planning.settings.info) {
    const result = await planning.infos.get(service.id, page.signal)
    if (result.type === 'info') return result.info
    if (result.type === 'locked') planning.access.locked(image, result, page)
  }
  try {
    return parseImageInfo(service.embedded, service.id)
  } catch {
    // Most manifests embed no more than the id and the level.
    return undefined
  }
}

/** An image that is a file. What it is a part of must be cut out after the download. */
function plainImage(image: IiifImage): PlannedImage {
  const { widthPx, heightPx } = image
  const crop = cropOf(image.region, widthPx, heightPx)
  return {
    places: image.url === undefined ? [] : [{ url: image.url }],
    ...(widthPx === undefined ? {} : { widthPx }),
    ...(heightPx === undefined ? {} : { heightPx }),
    ...(crop === undefined ? {} : { crop }),
  }
}

/** Nothing is known but the manifest: its own address first where that is the whole image. */
function blindImage(image: IiifImage, service: IiifImageService, settings: IiifSettings): PlannedImage {
  const { url, widthPx, heightPx } = image
  const wish = wishOf(image, settings)
  const requests = blindRequests(service.id, service.version, wish)
  const plain = wish.region === undefined && wish.rotation === undefined
  const whole =
    url !== undefined &&
    (!url.startsWith(`${service.id}/`) || /\/full\/(?:full|max|pct:100)\/0\/[^/]+$/.test(url))
  const own = url === undefined || wish.region !== undefined ? [] : [url]
  const urls = plain && whole ? [...own, ...requests] : [...requests, ...own]
  return {
    places: placesOf(urls),
    ...(plain && widthPx !== undefined && heightPx !== undefined ? { widthPx, heightPx } : {}),
  }
}

function serviceImage(image: IiifImage, info: ImageInfo, settings: IiifSettings): PlannedImage {
  const wish = wishOf(image, settings, info)
  // Ready-made images cannot be cut by the server.
  const cutHere = info.level === 0 && wish.region !== undefined
  const { region: _, ...uncut } = wish
  const requests = imageRequests(info, cutHere ? uncut : wish)
  const plain = wish.region === undefined && wish.rotation === undefined
  // The image's own address is better than none: reduced perhaps, or not turned. A part is never replaced by the whole.
  const last = wish.region === undefined && image.url !== undefined ? [image.url] : []
  const crop = cutHere ? cropOf(image.region, info.widthPx, info.heightPx) : undefined
  const planned: PlannedImage = {
    places: placesOf([...requests.urls, ...last]),
    widthPx: requests.widthPx,
    heightPx: requests.heightPx,
    ...(crop === undefined ? {} : { crop }),
  }
  const stitch = settings.stitch === 'always' || (settings.stitch === 'limited' && requests.limited)
  const scale = stitch && plain ? finestScale(info) : undefined
  return scale === undefined ? planned : stitched(planned, info, { scale, settings })
}

function stitched(
  planned: PlannedImage,
  info: ImageInfo,
  how: { readonly scale: number; readonly settings: IiifSettings },
): PlannedImage {
  const { format } = how.settings
  const plan = tilesFor(info, how.scale, format === undefined ? {} : { format })
  // Tiles must gain pixels, or they only cost requests.
  if (how.settings.stitch === 'limited' && plan.widthPx <= (planned.widthPx ?? 0)) return planned
  if (plan.tiles.length < 2) return planned
  return {
    places: planned.places,
    widthPx: plan.widthPx,
    heightPx: plan.heightPx,
    tiles: plan.tiles.map((tile) => ({
      locator: { kind: 'alternatives', places: placesOf(tile.urls) },
      x: tile.x,
      y: tile.y,
      widthPx: tile.widthPx,
      heightPx: tile.heightPx,
    })),
  }
}

function wishOf(image: IiifImage, settings: IiifSettings, info?: ImageInfo): ImageWish {
  const region = regionPx(image.region, info?.widthPx ?? image.widthPx, info?.heightPx ?? image.heightPx)
  return {
    ...(region === undefined ? {} : { region }),
    ...(image.rotation === undefined ? {} : { rotation: image.rotation }),
    ...(image.quality === undefined ? {} : { quality: image.quality }),
    ...(settings.format === undefined ? {} : { format: settings.format }),
  }
}

/** A part in whole pixels inside the image; undefined when it is all of it, or hundredths of an unknown size. */
function regionPx(box: IiifBox | undefined, widthPx = 0, heightPx = 0): ImageWish['region'] {
  if (box === undefined) return undefined
  if (box.unit === 'percent' && (widthPx === 0 || heightPx === 0)) return undefined
  const factor = box.unit === 'percent' ? { x: widthPx / 100, y: heightPx / 100 } : { x: 1, y: 1 }
  const x = Math.round(box.x * factor.x)
  const y = Math.round(box.y * factor.y)
  const width = Math.min(Math.round(box.width * factor.x), (widthPx === 0 ? Infinity : widthPx) - x)
  const height = Math.min(Math.round(box.height * factor.y), (heightPx === 0 ? Infinity : heightPx) - y)
  if (width < 1 || height < 1) return undefined
  const whole = x === 0 && y === 0 && width === widthPx && height === heightPx
  return whole ? undefined : { x, y, widthPx: width, heightPx: height }
}

function cropOf(box: IiifBox | undefined, widthPx?: number, heightPx?: number): PageLayer['crop'] {
  const region = regionPx(box, widthPx, heightPx)
  if (region === undefined || widthPx === undefined || heightPx === undefined) return undefined
  return {
    x: region.x / widthPx,
    y: region.y / heightPx,
    width: region.widthPx / widthPx,
    height: region.heightPx / heightPx,
  }
}

function placesOf(urls: readonly string[]): readonly Place[] {
  return [...new Set(urls)].map((url) => ({ url }))
}

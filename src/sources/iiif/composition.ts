import type { Page, PageLayer, Place } from '../../core/index.ts'
import type { IiifBox, IiifCanvas } from './model.ts'

/** One image of a page, planned. */
export interface PlannedImage {
  /** The requests, best first; empty when the manifest gives no address. */
  readonly places: readonly Place[]
  readonly widthPx?: number
  readonly heightPx?: number
  /** The tiles to put together instead of using `places`; the size is known. */
  readonly tiles?: readonly PageLayer[]
  /** The part to take where the server cannot cut it out; the size is known. */
  readonly crop?: NonNullable<PageLayer['crop']>
}

/** An image and its place on the canvas. */
export interface PlacedImage {
  readonly image: PlannedImage
  /** Covers what is below it. */
  readonly opaque: boolean
  /** The whole canvas when absent. */
  readonly target?: IiifBox
}

const maxAreaPx = 100_000_000
const maxSidePx = 65_000

/**
 * A page of one or several images. One image is the page itself, whatever part of the canvas it takes. Several are
 * layers on a canvas scaled to the sharpest of them, within bounds; what an opaque one covers entirely is left out.
 */
export function compose(canvas: IiifCanvas, placed: readonly PlacedImage[]): Page {
  const usable = placed.filter((one) => one.image.places.length > 0)
  const covering = usable.findLastIndex((one) => one.opaque && coversAll(one, canvas))
  const visible = usable.slice(Math.max(covering, 0))
  const [first, second] = visible
  if (first === undefined) return {}
  return second === undefined ? singlePage(first.image) : layeredPage(canvas, visible)
}

function singlePage(image: PlannedImage): Page {
  const { widthPx, heightPx, tiles, crop } = image
  const known = widthPx !== undefined && heightPx !== undefined
  const size = known ? { expectedWidthPx: widthPx, expectedHeightPx: heightPx } : {}
  if (known && tiles !== undefined) return { ...size, layers: tiles }
  if (known && crop !== undefined) {
    const width = Math.max(1, Math.round(crop.width * widthPx))
    const height = Math.max(1, Math.round(crop.height * heightPx))
    return {
      expectedWidthPx: width,
      expectedHeightPx: height,
      layers: [{ locator: locatorOf(image.places), x: 0, y: 0, widthPx: width, heightPx: height, crop }],
    }
  }
  return { ...size, locator: locatorOf(image.places) }
}

function layeredPage(canvas: IiifCanvas, placed: readonly PlacedImage[]): Page {
  const largest = placed[0]?.image
  const width = canvas.widthPx ?? largest?.widthPx ?? 1000
  const height = canvas.heightPx ?? largest?.heightPx ?? 1000
  const boxes = placed.map((one) => boxOnCanvas(one.target, width, height))
  const sharpest = Math.max(
    ...placed.map(({ image }, i) => (visibleWidth(image) ?? 0) / (boxes[i]?.width ?? Infinity)),
  )
  const limit = Math.min(Math.sqrt(maxAreaPx / (width * height)), maxSidePx / width, maxSidePx / height)
  const scale = Math.min(sharpest > 0 ? sharpest : 1, limit)
  return {
    expectedWidthPx: Math.max(1, Math.round(width * scale)),
    expectedHeightPx: Math.max(1, Math.round(height * scale)),
    layers: placed.flatMap(({ image }, i) => {
      const box = boxes[i]
      return box === undefined ? [] : layersOf(image, box, scale)
    }),
  }
}

interface CanvasBox {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

function layersOf(image: PlannedImage, box: CanvasBox, scale: number): PageLayer[] {
  const { tiles, widthPx, heightPx, crop } = image
  if (tiles !== undefined && widthPx !== undefined && heightPx !== undefined) {
    const stretchX = (box.width * scale) / widthPx
    const stretchY = (box.height * scale) / heightPx
    return tiles.map((tile) => ({
      locator: tile.locator,
      ...rounded({
        x: box.x * scale + tile.x * stretchX,
        y: box.y * scale + tile.y * stretchY,
        width: tile.widthPx * stretchX,
        height: tile.heightPx * stretchY,
      }),
    }))
  }
  const scaled = { x: box.x * scale, y: box.y * scale, width: box.width * scale, height: box.height * scale }
  return [{ locator: locatorOf(image.places), ...rounded(scaled), ...(crop === undefined ? {} : { crop }) }]
}

/** Whole pixels; both edges are rounded, so that neighbours meet. */
function rounded(box: CanvasBox): Pick<PageLayer, 'x' | 'y' | 'widthPx' | 'heightPx'> {
  const x = Math.round(box.x)
  const y = Math.round(box.y)
  return {
    x,
    y,
    widthPx: Math.max(1, Math.round(box.x + box.width) - x),
    heightPx: Math.max(1, Math.round(box.y + box.height) - y),
  }
}

function visibleWidth(image: PlannedImage): number | undefined {
  return image.widthPx === undefined ? undefined : image.widthPx * (image.crop?.width ?? 1)
}

function boxOnCanvas(target: IiifBox | undefined, width: number, height: number): CanvasBox {
  if (target === undefined) return { x: 0, y: 0, width, height }
  const factorX = target.unit === 'percent' ? width / 100 : 1
  const factorY = target.unit === 'percent' ? height / 100 : 1
  return {
    x: target.x * factorX,
    y: target.y * factorY,
    width: target.width * factorX,
    height: target.height * factorY,
  }
}

function coversAll(placed: PlacedImage, canvas: IiifCanvas): boolean {
  if (placed.target === undefined) return true
  const { widthPx, heightPx } = canvas
  if (widthPx === undefined || heightPx === undefined) return false
  const box = boxOnCanvas(placed.target, widthPx, heightPx)
  return box.x <= 0 && box.y <= 0 && box.width >= widthPx && box.height >= heightPx
}

/** A single address is a file like any other; several are a ladder. */
function locatorOf(places: readonly Place[]): PageLayer['locator'] {
  return { kind: places.length === 1 ? 'mirrors' : 'alternatives', places }
}

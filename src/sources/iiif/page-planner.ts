import type { Page } from '../../core/index.ts'
import type { PageTurn } from './access.ts'
import { compose, type PlacedImage } from './composition.ts'
import { planImage, type ImagePlanning } from './image-planner.ts'
import type { IiifCanvas, IiifImage, IiifPainting } from './model.ts'
import { pickNamed, type IiifSettings } from './settings.ts'

/**
 * The page that a canvas becomes. `paintings` is what is painted on it, in order, with external annotation pages
 * resolved. A canvas without an image keeps its place as a page without a locator; one that only sounds or moves is
 * no page: undefined.
 */
export async function planPage(
  canvas: IiifCanvas,
  paintings: readonly IiifPainting[],
  { planning, page: turn }: { readonly planning: ImagePlanning; readonly page: PageTurn },
): Promise<Page | undefined> {
  const named = canvas.label ?? canvas.id
  const others = [...new Set(paintings.flatMap((one) => (one.other === undefined ? [] : [one.other])))]
  const painted = paintings.filter((painting) => painting.images.length > 0)
  if (others.length > 0) {
    const what = others.join(', ')
    planning.context.notice(
      painted.length === 0
        ? `"${named}" has no image but ${what}: it is no page`
        : `"${named}": ${what} is left out`,
    )
  }
  const label = pageLabel(canvas.label)
  const labelled = label === undefined ? {} : { label }
  if (painted.length === 0) return others.length > 0 ? undefined : labelled
  const wanted = planning.settings.composition === 'first' ? painted.slice(0, 1) : painted
  const placed: PlacedImage[] = []
  for (const painting of wanted) {
    const image = await planImage(chosenImage(painting, planning.settings), planning, turn)
    const target = painting.target === undefined ? undefined : { target: painting.target }
    placed.push({ image, opaque: isOpaque(painting), ...target })
  }
  const page = compose(canvas, placed)
  const dpi = pageDpi(canvas, page)
  return { ...page, ...labelled, ...(dpi === undefined ? {} : { dpi }) }
}

/** Labels such as "-" stand for "no label". */
function pageLabel(label: string | undefined): string | undefined {
  return label === undefined || /^[-\u2013\u2014\s]*$/.test(label) ? undefined : label
}

function isOpaque(painting: IiifPainting): boolean {
  const image = painting.images[0]
  return /jpe?g$/i.test(image?.format ?? (image?.service === undefined ? 'unknown' : 'jpg'))
}

/** Dots an inch hold for the canvas; the image may have more or fewer pixels. */
function pageDpi(canvas: IiifCanvas, page: Page): number | undefined {
  const { dpi, widthPx } = canvas
  if (dpi === undefined) return undefined
  if (widthPx === undefined || page.expectedWidthPx === undefined) return dpi
  return Math.round((dpi * page.expectedWidthPx * 100) / widthPx) / 100
}

function chosenImage(painting: IiifPainting, settings: IiifSettings): IiifImage {
  const [first] = painting.images
  const wished = settings.choice === undefined ? undefined : pickNamed(painting.images, settings.choice)
  return wished ?? first ?? {}
}

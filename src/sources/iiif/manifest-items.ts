import { TrawlError, type Book, type Page } from '../../core/index.ts'
import { parseJson, readDocument } from '../document.ts'
import { isJsonObject } from '../json.ts'
import { mapOrdered } from '../ordered.ts'
import type { SourceContext, SourceInput, SourceItem } from '../source.ts'
import { createImageAccess, type PageTurn } from './access.ts'
import { chapterStarts } from './chapters.ts'
import { createImageInfos } from './image-infos.ts'
import type { ImagePlanning } from './image-planner.ts'
import type { ReadText } from './language.ts'
import type { IiifCanvas, IiifManifest, IiifPainting } from './model.ts'
import { planPage } from './page-planner.ts'
import { paintingsFrom3 } from './presentation-3.ts'
import { pickNamed, type IiifSettings } from './settings.ts'

/** Pages planned ahead of the one that is asked for; each may ask an image server for its info. */
const pagesAhead = 4

const maxNotices = 20

const accept3 = 'application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'

/** Asks for version 3 where a server has several. */
export const iiifAccept = `${accept3}, application/ld+json;q=0.9, application/json;q=0.8`

/** What is at work for one input. */
export interface ManifestWork {
  readonly url: string
  readonly settings: IiifSettings
  readonly read: ReadText
  readonly context: SourceContext
  readonly input: SourceInput
}

/**
 * A manifest as items: the book, then its pages in order, each with the chapters that begin at it. Throws
 * ERR_SOURCE_EMPTY, ERR_SOURCE_AUTH for a locked first page, and ERR_CONFIG_INVALID for a page order there is not.
 */
export async function* manifestItems(
  manifest: IiifManifest,
  work: ManifestWork,
): AsyncGenerator<SourceItem, void, undefined> {
  const { settings } = work
  const context = fewNotices(work.context)
  const canvases = orderedCanvases(manifest, settings)
  if (canvases.length === 0) {
    throw emptyError(work.url, 'no canvases')
  }
  yield { type: 'book', book: bookOf(manifest, canvases, settings) }
  const pageOf = new Map<string, number>()
  for (const [i, canvas] of canvases.entries()) if (!pageOf.has(canvas.id)) pageOf.set(canvas.id, i)
  const starts = [...chapterStarts(manifest.ranges, pageOf)]
  const planning: ImagePlanning = {
    settings,
    context,
    infos: createImageInfos(context),
    access: createImageAccess({
      context,
      read: work.read,
      auth: manifest.auth,
      substitute: settings.substitute,
    }),
  }
  const plan = async (
    [i, canvas]: readonly [number, IiifCanvas],
    signal: AbortSignal,
  ): Promise<Page | undefined> => {
    const turn: PageTurn = { first: i <= firstImage, signal }
    const paintings = await contentOf(canvas, { ...work, context }, signal)
    return planPage(canvas, paintings, { planning, page: turn })
  }
  const firstImage = canvases.findIndex(mayShow)
  let at = 0
  let pages = 0
  for await (const page of mapOrdered(canvases.entries(), plan, {
    ahead: pagesAhead,
    signal: context.signal,
  })) {
    // Chapters that begin at a canvas that is no page begin at the next one.
    if (page !== undefined) {
      while (starts[0] !== undefined && starts[0].page <= at) {
        const start = starts.shift()
        if (start !== undefined) yield { type: 'chapter', chapter: start.chapter }
      }
      pages++
      yield { type: 'page', page }
    }
    at++
  }
  if (pages === 0) throw emptyError(work.url, 'no images')
}

function emptyError(url: string, what: string): TrawlError {
  return new TrawlError('ERR_SOURCE_EMPTY', `${url} has ${what}`, { context: { url } })
}

function orderedCanvases(manifest: IiifManifest, settings: IiifSettings): readonly IiifCanvas[] {
  const { sequence } = settings
  if (sequence === undefined) return manifest.canvases
  const order = pickNamed(manifest.orders, sequence)
  if (order === undefined) {
    const offered =
      manifest.orders.map((one, i) => `${i + 1} (${one.label ?? 'no name'})`).join(', ') || 'none'
    throw new TrawlError(
      'ERR_CONFIG_INVALID',
      `The manifest has no page order "${sequence}"; it offers: ${offered}`,
      {
        context: { field: 'sequence' },
      },
    )
  }
  const byId = new Map(manifest.canvases.map((canvas) => [canvas.id, canvas]))
  return order.canvases.map((id) => byId.get(id)).filter((canvas) => canvas !== undefined)
}

function bookOf(manifest: IiifManifest, canvases: readonly IiifCanvas[], settings: IiifSettings): Book {
  const { series, number } = settings
  const pages = canvases.filter((canvas) => canvas.content.length === 0 || mayShow(canvas))
  return {
    id: manifest.id,
    metadata: {
      ...manifest.metadata,
      ...(series === undefined ? {} : { series }),
      ...(number === undefined ? {} : { number }),
    },
    pageCount: pages.length,
  }
}

function mayShow({ content }: IiifCanvas): boolean {
  return content.some((one) => 'ref' in one || one.images.length > 0)
}

/** A manifest may have as many oddities as pages; the first ones are enough to tell. */
function fewNotices(context: SourceContext): SourceContext {
  let told = 0
  return {
    signal: context.signal,
    localFiles: context.localFiles,
    fetch: (url, options) => context.fetch(url, options),
    notice(message) {
      told++
      if (told <= maxNotices) context.notice(message)
      else if (told === maxNotices + 1) context.notice('Further notices about this manifest are not shown')
    },
  }
}

/** What is painted on a canvas, with annotation pages that stand elsewhere fetched. */
async function contentOf(
  canvas: IiifCanvas,
  work: ManifestWork,
  signal: AbortSignal,
): Promise<readonly IiifPainting[]> {
  const paintings: IiifPainting[] = []
  for (const one of canvas.content) {
    if (!('ref' in one)) {
      paintings.push(one)
      continue
    }
    try {
      const found = await readDocument(one.ref, work.context, { headers: { accept: iiifAccept }, signal })
      const json = parseJson(found)
      if (isJsonObject(json)) paintings.push(...paintingsFrom3(json, work.read))
    } catch (error) {
      if (signal.aborted) throw error
      const reason = error instanceof Error ? error.message : String(error)
      work.context.notice(`The images of "${canvas.label ?? canvas.id}" cannot be read: ${reason}`)
    }
  }
  return paintings
}

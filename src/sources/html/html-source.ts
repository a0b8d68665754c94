import { TrawlError, type BookMetadata, type Page, type Place } from '../../core/index.ts'
import { chapterNumber } from '../chapter-number.ts'
import { isHttpUrl, readDocument } from '../document.ts'
import { folderTitle, lastSegment } from '../image-url.ts'
import type {
  FetchedDocument,
  Source,
  SourceContext,
  SourceInput,
  SourceItem,
  SourceMatch,
} from '../source.ts'
import { readListing, type FolderListing } from './autoindex.ts'
import type { ImageCandidate, PageFacts } from './candidate.ts'
import { readPageFacts } from './page-facts.ts'
import { chooseSequence, chooseSingle } from './scoring.ts'

const name = 'html'

const accept = 'text/html,application/xhtml+xml;q=0.9,image/*;q=0.8,*/*;q=0.5'

/** A work of more pages than this is one that never ends. */
const maxDocuments = 2000

/**
 * Pages of HTML with images: galleries, readers, articles and folder listings of web servers. The image sequence
 * that dominates the page is taken, in its order, and on the pages that follow it (`rel=next` or a pager).
 */
export const htmlSource: Source = {
  name,
  description: 'Web pages with images, and open folders of web servers',
  examples: ['https://example.org/gallery.html', 'https://example.org/scans/'],
  match,
  extract,
  resolve,
}

function match(input: SourceInput): SourceMatch | undefined {
  const text = input.text.trim()
  if (!isHttpUrl(text) || !URL.canParse(text)) return undefined
  const { pathname } = new URL(text)
  const typical = pathname.endsWith('/') || /\.(?:html?|php|aspx?|xhtml)$/i.test(pathname)
  return { confidence: typical ? 0.3 : 0.2, kind: 'book' }
}

async function* extract(
  input: SourceInput,
  context: SourceContext,
): AsyncGenerator<SourceItem, void, undefined> {
  const start = input.text.trim()
  const found = await readDocument(start, context, { headers: { accept } })
  const special = otherKind(found, input)
  if (special !== undefined) {
    yield* special
    return
  }
  const first = await readPageFacts(found)
  const listing = readListing(first)
  if (listing !== undefined && listing.images.length + listing.folders.length > 0)
    yield* listingItems(listing, { url: found.url, input, context })
  else if (first.manifest !== undefined) {
    yield { type: 'link', input: { ...input, text: first.manifest, source: 'iiif' }, ...titled(first.title) }
  } else yield* galleryItems(first, input, context)
}

/** What a URL that is no page turns out to be. */
function otherKind(found: FetchedDocument, input: SourceInput): readonly SourceItem[] | undefined {
  const type = [found.headers['content-type']].flat()[0] ?? ''
  if (/^image\//i.test(type)) {
    const title = lastSegment(found.url) ?? folderTitle(found.url)
    return [
      { type: 'book', book: { id: found.url, metadata: { title, source: found.url }, pageCount: 1 } },
      { type: 'page', page: { locator: { kind: 'mirrors', places: [{ url: found.url }] } } },
    ]
  }
  const text = found.text.trimStart()
  if (text.startsWith('{') && /iiif\.io\/api\/|"sc:(?:Manifest|Collection)"/.test(text)) {
    return [{ type: 'link', input: { ...input, source: 'iiif' } }]
  }
  if (/html|^$/i.test(type) && text.startsWith('<')) return undefined
  if (/<(?:!doctype|html|head|body|img|a)\b/i.test(text.slice(0, 4096))) return undefined
  throw new TrawlError(
    'ERR_SOURCE_PARSE',
    `${found.url} is no page of HTML${type === '' ? '' : ` but ${type}`}`,
    {
      context: { url: found.url },
    },
  )
}

interface ListingWork {
  readonly url: string
  readonly input: SourceInput
  readonly context: SourceContext
}

/** The images of an open folder are a book; the folders in it are works of their own. */
function* listingItems(listing: FolderListing, work: ListingWork): Generator<SourceItem, void, undefined> {
  const { images, folders, title, others } = listing
  if (others > 0 && images.length > 0) {
    work.context.notice(
      `${work.url}: ${others} ${others === 1 ? 'file is' : 'files are'} left out as no image`,
    )
  }
  if (images.length > 0) {
    yield {
      type: 'book',
      book: { id: work.url, metadata: { title, source: work.url }, pageCount: images.length },
    }
    for (const { url } of images)
      yield { type: 'page', page: { locator: { kind: 'mirrors', places: [{ url }] } } }
  }
  for (const folder of folders) {
    const number = chapterNumber(folder.name)
    yield {
      type: 'link',
      input: { ...work.input, text: folder.url, source: name },
      title: folder.name,
      ...(number === undefined ? {} : { number }),
    }
  }
}

async function* galleryItems(
  first: PageFacts,
  input: SourceInput,
  context: SourceContext,
): AsyncGenerator<SourceItem, void, undefined> {
  const follow = ['yes', 'true'].includes(input.options?.['follow'] ?? '')
  const seenPages = new Set([first.url])
  const seenImages = new Set<string>()
  let sequence = chooseSequence(first.candidates)
  if (sequence === undefined) throw empty(first.url, 'shows no images')
  yield { type: 'book', book: { id: first.url, metadata: metadataOf(first) } }
  tellSignposts(sequence.images, { follow, url: first.url, context })
  let page = first
  for (let count = 1; ; count++) {
    for (const image of sequence?.images ?? []) {
      if (seenImages.has(image.url)) continue
      seenImages.add(image.url)
      yield { type: 'page', page: pageOf(image, page.url, follow) }
    }
    const { next } = page
    if (next === undefined || seenPages.has(next)) return
    if (count >= maxDocuments) {
      context.notice(`${first.url}: stopped after ${maxDocuments} pages that each name a next one`)
      return
    }
    seenPages.add(next)
    const found = await readDocument(next, context, { headers: { accept, referer: page.url } })
    seenPages.add(found.url)
    page = await readPageFacts(found)
    sequence = chooseSequence(page.candidates, sequence?.path)
  }
}

function pageOf(image: ImageCandidate, referer: string, follow: boolean): Page {
  const { url, leadsTo, widthPx, heightPx } = image
  if (follow && leadsTo !== undefined) return { locator: { kind: 'source', source: name, ref: leadsTo } }
  // Many image servers answer only when the request comes from their own page.
  return {
    locator: { kind: 'mirrors', places: [{ url, headers: { referer } }] },
    // Stated sizes of an image in a page are those of its box, and of a linked one of its thumbnail.
    ...(image.kind === 'data' && widthPx !== undefined ? { expectedWidthPx: widthPx } : {}),
    ...(image.kind === 'data' && heightPx !== undefined ? { expectedHeightPx: heightPx } : {}),
  }
}

/** Thumbnails that lead to a page for each image are a common kind of gallery. */
function tellSignposts(
  images: readonly ImageCandidate[],
  {
    follow,
    url,
    context,
  }: { readonly follow: boolean; readonly url: string; readonly context: SourceContext },
): void {
  const signposts = images.filter((image) => image.leadsTo !== undefined).length
  if (follow || signposts < 3 || signposts < images.length * 0.8) return
  context.notice(
    `${url}: the images lead to pages of their own; set the option follow to take the images there`,
  )
}

/** Finds the one image of the page that a thumbnail leads to. */
async function resolve(
  ref: string,
  _reason: 'first' | 'expired',
  context: SourceContext,
): Promise<{ readonly kind: 'mirrors'; readonly places: readonly Place[] }> {
  const found = await readDocument(ref, context, { headers: { accept } })
  if (/^image\//i.test([found.headers['content-type']].flat()[0] ?? '')) {
    return { kind: 'mirrors', places: [{ url: found.url }] }
  }
  const facts = await readPageFacts(found)
  const image = chooseSingle(facts.candidates)
  if (image === undefined) throw empty(ref, 'shows no image')
  return { kind: 'mirrors', places: [{ url: image.url, headers: { referer: found.url } }] }
}

function metadataOf(page: PageFacts): BookMetadata {
  return {
    title: page.title ?? folderTitle(page.url),
    ...(page.author === undefined ? {} : { authors: [page.author] }),
    ...(page.language === undefined ? {} : { language: page.language }),
    ...(page.summary === undefined ? {} : { summary: page.summary }),
    source: page.url,
  }
}

function titled(title: string | undefined): { readonly title?: string } {
  return title === undefined ? {} : { title }
}

function empty(url: string, what: string): TrawlError {
  return new TrawlError('ERR_SOURCE_EMPTY', `${url} ${what}`, { context: { url } })
}

import type { CheerioAPI } from 'cheerio/slim'
import { firstText, isJsonObject, listOf, objectsOf } from '../json.ts'
import type { FetchedDocument } from '../source.ts'
import { collectCandidates, resolveUrl } from './candidates.ts'
import type { ImageCandidate, PageFacts } from './candidate.ts'
import { listsInScript } from './embedded-json.ts'
import { nextPage } from './pagination.ts'

/** Reads a page of HTML. The parser is loaded when the first page is read. */
export async function readPageFacts(found: FetchedDocument): Promise<PageFacts> {
  const { load } = await import('cheerio/slim')
  const $ = load(htmlText(found))
  const base = resolveUrl($('base[href]').first().attr('href'), found.url) ?? found.url
  const shown = collectCandidates($, base)
  const candidates = [...shown, ...embedded($, base, shown.length)]
  const anchors = $('a[href]')
    .toArray()
    .flatMap((element) => {
      const href = $(element).attr('href') ?? ''
      const url = resolveUrl(href, base)
      return url === undefined ? [] : [{ url, href, text: oneLine($(element).text()) }]
    })
  const next = nextPage($, base, found.url)
  const manifest = manifestLink($, base)
  return {
    url: found.url,
    ...describe($),
    candidates,
    anchors,
    ...(next === undefined ? {} : { next }),
    ...(manifest === undefined ? {} : { manifest }),
  }
}

/** The text of a page in the encoding that its header or its first bytes name; UTF-8 otherwise. */
function htmlText(found: FetchedDocument): string {
  const header = [found.headers['content-type']].flat()[0] ?? ''
  const head = Buffer.from(found.bytes.subarray(0, 2048)).toString('latin1')
  const named = /charset\s*=\s*["']?([\w-]+)/i
  const charset =
    named.exec(header)?.[1] ?? named.exec(/<meta\b[^>]*charset[^>]*>/i.exec(head)?.[0] ?? '')?.[1]
  if (charset === undefined || /^utf-?8$/i.test(charset)) return found.text
  try {
    return new TextDecoder(charset).decode(found.bytes)
  } catch {
    return found.text
  }
}

function describe($: CheerioAPI): Pick<PageFacts, 'title' | 'author' | 'language' | 'summary'> {
  const meta = (name: string): string | undefined =>
    firstText($(`meta[property="${name}"], meta[name="${name}"]`).first().attr('content'))
  const headings = $('h1')
    .toArray()
    .map((element) => oneLine($(element).text()))
    .filter((text) => text !== '')
  const title =
    headings.length === 1
      ? headings[0]
      : firstText(meta('og:title'), headings[0], oneLine($('title').first().text()))
  const author = firstText(meta('author'), meta('article:author'))
  const language = firstText($('html').attr('lang'))
  const summary = firstText(meta('og:description'), meta('description'))
  return {
    ...(title === undefined || title === '' ? {} : { title }),
    ...(author === undefined || /^https?:/.test(author) ? {} : { author }),
    ...(language === undefined || !/^[a-z]{2,3}(?:-[a-z0-9]+)*$/i.test(language) ? {} : { language }),
    ...(summary === undefined ? {} : { summary }),
  }
}

/** Lists of images in scripts, and the pictures that the page names as its own. */
function embedded($: CheerioAPI, base: string, firstOrder: number): readonly ImageCandidate[] {
  const out: ImageCandidate[] = []
  const add = (url: string | undefined, kind: 'data' | 'named', path: string): void => {
    if (url !== undefined)
      out.push({ url, kind, path, order: firstOrder + out.length, aside: false, central: false })
  }
  for (const [i, element] of $('script:not([src])').toArray().entries()) {
    const type = $(element).attr('type') ?? ''
    const isJson = /json/i.test(type)
    const text = $(element).text()
    for (const list of listsInScript(text, isJson)) {
      for (const url of list.urls) add(resolveUrl(url, base), 'data', `script${i}:${list.path}`)
    }
    if (/ld\+json/i.test(type))
      for (const url of picturesOf(text)) add(resolveUrl(url, base), 'named', 'json-ld')
  }
  for (const element of $('meta[property="og:image"], meta[property="og:image:url"]').toArray()) {
    add(resolveUrl($(element).attr('content'), base), 'named', 'og:image')
  }
  return out
}

/** `image` of JSON-LD objects, at the top or in a graph. */
function picturesOf(text: string): readonly string[] {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return []
  }
  return objectsOf(json)
    .flatMap((object) => [object, ...objectsOf(object['@graph'])])
    .flatMap((object) => listOf(object['image']))
    .map((image) => (isJsonObject(image) ? firstText(image['contentUrl'], image['url']) : firstText(image)))
    .filter((url) => url !== undefined)
}

/** `<link rel="alternate" type="application/ld+json...iiif...">`. The `manifest` relation is something else. */
function manifestLink($: CheerioAPI, base: string): string | undefined {
  for (const element of $('link[rel~="alternate"][href]').toArray()) {
    const type = $(element).attr('type') ?? ''
    const href = $(element).attr('href') ?? ''
    if (/ld\+json/i.test(type) && /iiif/i.test(type + href)) return resolveUrl(href, base)
  }
  return undefined
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

import type { Cheerio, CheerioAPI } from 'cheerio/slim'
import { positiveOf } from '../json.ts'
import { looksLikeImage } from '../image-url.ts'
import type { ImageCandidate } from './candidate.ts'
import { largestOf, parseSrcset } from './srcset.ts'

type Selection = ReturnType<CheerioAPI>
type ElementNode = Selection extends Cheerio<infer Node> ? Node : never

/** Attributes that hold the whole image where `src` holds a small one. */
const fullAttributes = [
  'data-full',
  'data-full-src',
  'data-full-url',
  'data-fullsrc',
  'data-large',
  'data-large-src',
  'data-large_image',
  'data-zoom-image',
  'data-hires',
  'data-hi-res-src',
  'data-highres',
  'data-orig-file',
  'data-original-src',
]
/** Attributes of lazy loading, where `src` is a stand-in. */
const lazyAttributes = [
  'data-src',
  'data-original',
  'data-lazy-src',
  'data-lazy',
  'data-echo',
  'data-url',
  'data-img',
  'data-image',
  'data-image-src',
  'data-cfsrc',
  'data-pagespeed-lazy-src',
  'data-srcs',
]
const setAttributes = ['srcset', 'data-srcset', 'data-lazy-srcset']

/** An absolute http: or https: URL, or undefined. */
export function resolveUrl(text: string | undefined, base: string): string | undefined {
  const trimmed = (text ?? '').trim()
  if (trimmed === '' || !URL.canParse(trimmed, base)) return undefined
  const url = new URL(trimmed, base)
  url.hash = ''
  return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined
}

/**
 * All images of a page in document order: image elements with their best version (lazy attributes, `srcset`,
 * `<picture>`), anchors that lead to image files, and backgrounds. An anchor's target wins over
 * the thumbnail in it.
 */
export function collectCandidates($: CheerioAPI, base: string): readonly ImageCandidate[] {
  const out: ImageCandidate[] = []
  const anchored = new Set<unknown>()
  const selector = 'a[href], img, amp-img, picture > source, [style*="background"]'
  for (const element of $(selector).toArray()) {
    const $element = $(element)
    const add = (url: string, kind: 'linked' | 'shown', more: Partial<ImageCandidate> = {}): void => {
      out.push({ url, kind, order: out.length, ...placeOf($, $element), ...more })
    }
    if ($element.is('a')) {
      const url = resolveUrl($element.attr('href'), base)
      if (url === undefined || !looksLikeImage(url)) continue
      for (const inner of $element.find('img, amp-img').toArray()) anchored.add(inner)
      const alt = $element.find('img').attr('alt')
      add(url, 'linked', alt === undefined || alt === '' ? {} : { alt })
    } else if ($element.is('img, amp-img')) {
      if (anchored.has(element)) continue
      const url = bestOf($, $element, base)
      if (url !== undefined) add(url, 'shown', shownFacts($element, base))
    } else if (!$element.is('source')) {
      const style = /background(?:-image)?\s*:[^;]*url\(\s*["']?([^"')]+)/i.exec($element.attr('style') ?? '')
      const url = resolveUrl(style?.[1], base)
      if (url !== undefined && looksLikeImage(url)) add(url, 'shown')
    }
  }
  return out
}

/** The best version of an image element. */
function bestOf($: CheerioAPI, $image: Selection, base: string): string | undefined {
  const attribute = (names: readonly string[]): string | undefined => {
    for (const name of names) {
      const value = $image.attr(name)
      const url = value === undefined || /^\s*[[{]/.test(value) ? undefined : resolveUrl(value, base)
      if (url !== undefined && !isStandIn(url)) return url
    }
    return undefined
  }
  const full = attribute(fullAttributes)
  if (full !== undefined) return full
  const own = setAttributes.flatMap((name) => parseSrcset($image.attr(name) ?? ''))
  const sources = $image
    .closest('picture')
    .find('source')
    .toArray()
    .flatMap((source) => setAttributes.flatMap((name) => parseSrcset($(source).attr(name) ?? '')))
  // Sources often are the same pictures in formats that fewer programs read, so the image's own go first.
  const set = resolveUrl(
    largestOf([...own, ...sources.filter((entry) => entry.unit === 'w' || entry.value > 1)])?.url,
    base,
  )
  if (set !== undefined && !isStandIn(set)) return set
  const lazy = attribute(lazyAttributes)
  if (lazy !== undefined) return lazy
  const src = attribute(['src'])
  return src ?? resolveUrl(largestOf(sources)?.url, base)
}

/** Pictures that stand in until the real one is loaded. */
function isStandIn(url: string): boolean {
  return /(?:^|[/_.-])(?:blank|spacer|pixel|transparent|placeholder|loading|lazy|1x1|grey|gray)(?:[_.\d-]\w*)?\.(?:gif|png|svg|jpe?g)$/i.test(
    url.replace(/[?#].*$/s, ''),
  )
}

function shownFacts($image: Selection, base: string): Partial<ImageCandidate> {
  const widthPx = positiveOf(/^\s*(\d+(?:\.\d+)?)(?:px)?\s*$/.exec($image.attr('width') ?? '')?.[1])
  const heightPx = positiveOf(/^\s*(\d+(?:\.\d+)?)(?:px)?\s*$/.exec($image.attr('height') ?? '')?.[1])
  const leadsTo = resolveUrl($image.closest('a[href]').attr('href'), base)
  const alt = ($image.attr('alt') ?? '').trim()
  return {
    ...(widthPx === undefined ? {} : { widthPx }),
    ...(heightPx === undefined ? {} : { heightPx }),
    ...(leadsTo === undefined || samePage(leadsTo, base) ? {} : { leadsTo }),
    ...(alt === '' ? {} : { alt }),
  }
}

function samePage(url: string, base: string): boolean {
  return url.replace(/#.*$/s, '') === base.replace(/#.*$/s, '')
}

const asideTags = new Set(['nav', 'header', 'footer', 'aside'])
const asideNames =
  /(?:^|[\s_-])(?:nav|navbar|menu|header|footer|sidebar|breadcrumb|cookie|modal|popup)(?:$|[\s_-])/i
const centralTags = new Set(['main', 'article'])
const centralNames =
  /(?:^|[\s_-])(?:content|main|reader|reading|gallery|chapter|comic|pages?|viewer|entry|post|album|images?)(?:$|[\s_-])/i

function placeOf($: CheerioAPI, $element: Selection): Pick<ImageCandidate, 'path' | 'aside' | 'central'> {
  const steps: string[] = []
  let aside = false
  let central = false
  for (const node of [...$element.parents().toArray().toReversed(), ...$element.toArray()]) {
    const tag = tagOf(node)
    const names = `${$(node).attr('id') ?? ''} ${$(node).attr('class') ?? ''} ${$(node).attr('role') ?? ''}`
    // A header inside of an article is the work's own.
    aside ||= (asideTags.has(tag) && !central) || asideNames.test(names)
    central ||= centralTags.has(tag) || centralNames.test(names)
    // An image in several formats stands in the same list as one without.
    if (tag !== 'picture') steps.push(stepOf(tag, names))
  }
  return { path: steps.join('>'), aside, central }
}

function tagOf(node: ElementNode): string {
  return 'name' in node ? node.name : ''
}

/** A tag with its names, without the numbers that tell the items of a list apart. */
function stepOf(tag: string, names: string): string {
  const words = names
    .split(/\s+/)
    .map((name) => name.replace(/\d+/g, ''))
    .filter(
      (name) => name.length > 1 && !/^(?:lazy\w*|loaded|active|current|first|last|odd|even)$/i.test(name),
    )
  return [tag, ...new Set(words)].join('.')
}

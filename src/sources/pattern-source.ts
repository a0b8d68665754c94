import { TrawlError, type Chapter } from '../core/index.ts'
import { isHttpUrl } from './document.ts'
import { folderTitle, lastSegment, looksLikeImage } from './image-url.ts'
import type { Source, SourceContext, SourceInput, SourceItem, SourceMatch } from './source.ts'
import { parseUrlPattern, type UrlPattern } from './url-pattern.ts'

/** More is no book but a slip of the keyboard; `trawl get` takes lists of any length. */
const mostPages = 1_000_000

/**
 * Patterns of page image URLs, such as `https://example.org/page-[001-200].jpg`, and single image URLs. A group
 * in the folders of the URL begins a chapter whenever it changes. A pattern of pages of HTML or of manifests is
 * a list of works. Nothing is fetched.
 */
export const patternSource: Source = {
  name: 'url-pattern',
  description: 'Numbered image URLs',
  examples: ['https://example.org/page-[001-200].jpg', 'https://example.org/chapter-[1-9]/[01-20].png'],
  match,
  extract,
}

function match(input: SourceInput): SourceMatch | undefined {
  const text = input.text.trim()
  if (!isHttpUrl(text) || /\s/.test(text)) return undefined
  let pattern: UrlPattern
  try {
    pattern = parseUrlPattern(text)
  } catch {
    // It was meant as a pattern; extracting says what is wrong with it.
    return { confidence: 0.97, kind: 'unknown' }
  }
  if (pattern.groupCount === 0) return looksLikeImage(text) ? { confidence: 0.5, kind: 'book' } : undefined
  return { confidence: 0.97, kind: holdsWorks(pattern) ? 'series' : 'book' }
}

async function* extract(
  input: SourceInput,
  context: SourceContext,
): AsyncGenerator<SourceItem, void, undefined> {
  const pattern = parseUrlPattern(input.text.trim())
  const first = pattern.at(0).url
  if (!URL.canParse(first)) {
    throw new TrawlError('ERR_URL_INVALID', `The pattern ${input.text} gives no URL: ${first}`, {
      context: { url: first },
    })
  }
  if (holdsWorks(pattern)) {
    for (const { url, values } of pattern.expand()) {
      throwIfCancelled(context)
      const number = values.findLast((value) => /^\d+$/.test(value))
      const { source: _, ...rest } = input
      yield {
        type: 'link',
        input: { ...rest, text: url },
        ...(number === undefined ? {} : { number: String(Number(number)) }),
      }
    }
    return
  }
  if (pattern.count > mostPages) {
    throw new TrawlError('ERR_INPUT_INVALID', `The pattern ${input.text} gives ${pattern.count} pages`, {
      hint: `A book has at most ${mostPages} pages; check the range in brackets.`,
      context: { url: first },
    })
  }
  const folders = folderGroups(pattern)
  const title = titleOf(pattern, folders)
  yield { type: 'book', book: { id: input.text.trim(), metadata: { title }, pageCount: pattern.count } }
  let heading: string | undefined
  for (const { url, values } of pattern.expand()) {
    throwIfCancelled(context)
    const own = values.slice(0, folders).join(' ')
    if (folders > 0 && own !== heading) {
      heading = own
      yield { type: 'chapter', chapter: chapterOf(own) }
    }
    yield { type: 'page', page: { locator: { kind: 'mirrors', places: [{ url }] } } }
  }
}

/** A run of pages is called as their folder, one image as itself. */
function titleOf(pattern: UrlPattern, folders: number): string {
  const first = pattern.at(0).url
  if (pattern.groupCount === 0) return lastSegment(first)?.replace(/\.\w+$/, '') ?? folderTitle(first)
  return folderTitle(folders === 0 ? first : (pattern.literals[0] ?? first))
}

function chapterOf(title: string): Chapter {
  const number = /^0*(\d+)$/.exec(title)?.[1]
  return { id: title, title, depth: 0, ...(number === undefined ? {} : { number }) }
}

/** How many of the groups are in folders, when the last one is in the file's name. */
function folderGroups(pattern: UrlPattern): number {
  const { literals, groupCount } = pattern
  if ((literals.at(-1) ?? '').replace(/[?#].*$/s, '').includes('/')) return 0
  const slash = literals.findLastIndex((part, i) => i > 0 && i < groupCount && part.includes('/'))
  return Math.max(0, slash)
}

/** True for patterns of pages that hold images rather than of images. */
function holdsWorks(pattern: UrlPattern): boolean {
  const path = pattern.at(0).url.replace(/[?#].*$/s, '')
  return (
    !looksLikeImage(path) && (path.endsWith('/') || /\.(?:html?|php|aspx?|json)$|\/manifest$/i.test(path))
  )
}

function throwIfCancelled(context: SourceContext): void {
  if (context.signal.aborted) throw new TrawlError('ERR_CANCELLED', 'The pattern was not read to its end')
}

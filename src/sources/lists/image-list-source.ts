import { TrawlError, type Page } from '../../core/index.ts'
import { isHttpUrl, localPath, readDocument, requireLocalFiles } from '../document.ts'
import { folderTitle, lastSegment } from '../image-url.ts'
import type { Source, SourceContext, SourceInput, SourceItem, SourceMatch } from '../source.ts'
import { isListFault, type ListEntry, type ListedFile } from './list-entry.ts'
import { readUrlList } from './url-list.ts'

/**
 * Lists of page image URLs: a file, the URL of one, or the lines themselves (a text with line breaks). Each line is a
 * page, in its order; mirrors, checksums and headers are as in `readUrlList`. A line that cannot be used keeps
 * its place as a page without an image.
 */
export const imageListSource: Source = {
  name: 'image-list',
  description: 'Lists of page image URLs',
  examples: ['pages.txt', 'https://example.org/pages.txt'],
  match,
  extract,
}

/** The input for a list that is already in memory. */
export function imageListInput(urls: readonly string[]): SourceInput {
  return { text: `${urls.join('\n')}\n`, source: imageListSource.name }
}

function match(input: SourceInput): SourceMatch | undefined {
  const text = input.text.trim()
  if (isInline(input.text)) return isHttpUrl(text) ? { confidence: 0.9, kind: 'book' } : undefined
  const scheme = /^[a-z][a-z0-9+.-]+:/i.exec(text)?.[0].toLowerCase()
  if (scheme !== undefined && !['http:', 'https:', 'file:'].includes(scheme)) return undefined
  return /[^/\\]\.(?:txt|lst|list|urls)$/i.test(text) ? { confidence: 0.8, kind: 'book' } : undefined
}

function isInline(text: string): boolean {
  return text.includes('\n')
}

async function* extract(
  input: SourceInput,
  context: SourceContext,
): AsyncGenerator<SourceItem, void, undefined> {
  const text = input.text.trim()
  const inline = isInline(input.text)
  const where = inline ? 'the list' : text
  const title = inline ? folderTitle(firstUrl(text)) : (lastSegment(text)?.replace(/\.\w+$/, '') ?? text)
  if (!inline && !isHttpUrl(text)) requireLocalFiles(context, text)
  let pages = 0
  let faults = 0
  const from = inline ? bytesOf(input.text) : isHttpUrl(text) ? fetched(text, context) : localPath(text)
  const options = { name: where, notice: context.notice.bind(context), signal: context.signal }
  for await (const batch of readUrlList(from, options)) {
    for (const entry of batch) {
      if (pages++ === 0) {
        yield { type: 'book', book: { id: inline ? firstUrl(text) : text, metadata: { title } } }
      }
      if (isListFault(entry)) faults++
      yield { type: 'page', page: pageOf(entry) }
    }
  }
  if (pages === 0)
    throw new TrawlError('ERR_SOURCE_EMPTY', `${where} has no lines`, { context: { file: where } })
  if (faults === pages) {
    throw new TrawlError('ERR_SOURCE_PARSE', `${where} is no list of URLs`, { context: { file: where } })
  }
}

function firstUrl(text: string): string {
  return /https?:\/\/\S+/i.exec(text)?.[0] ?? 'list'
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield await Promise.resolve(Buffer.from(text))
}

async function* fetched(url: string, context: SourceContext): AsyncGenerator<Uint8Array, void, undefined> {
  const found = await readDocument(url, context, { headers: { accept: 'text/plain, */*;q=0.5' } })
  yield found.bytes
}

function pageOf(entry: ListEntry): Page {
  if (isListFault(entry)) return { fault: { text: entry.text, error: entry.error.toJSON() } }
  const { digests, headers } = optionsOf(entry)
  return {
    locator: { kind: 'mirrors', places: entry.places },
    ...(digests === undefined ? {} : { digests }),
    ...(headers === undefined ? {} : { headers }),
  }
}

function optionsOf(entry: ListedFile): Pick<NonNullable<ListedFile['options']>, 'digests' | 'headers'> {
  return entry.options ?? {}
}

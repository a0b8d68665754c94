import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { TrawlError, type ErrorCode } from '../core/index.ts'
import { storageReason } from '../storage/index.ts'
import type { FetchedDocument, SourceContext } from './source.ts'

const maxFileBytes = 16 * 1024 * 1024

export interface DocumentOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** True for texts that begin as http: and https: URLs do. */
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

/** The path that a text without a web address means, with `file:` URLs as paths. */
export function localPath(text: string): string {
  return /^file:/i.test(text) ? fileURLToPath(text) : text
}

/**
 * The document that the user named: fetched, or read from disk when `where` is a path or a `file:` URL and the context
 * allows it. Throws what `readDocument` throws, and ERR_INPUT_UNREADABLE for files.
 */
export async function readInput(
  where: string,
  context: SourceContext,
  options: DocumentOptions = {},
): Promise<FetchedDocument> {
  if (isHttpUrl(where)) return readDocument(where, context, options)
  requireLocalFiles(context, where)
  return readLocal(where)
}

/**
 * A document of the web. Throws ERR_SOURCE_PARSE for anything but an http: or https: URL, so that no document can make
 * trawl read files of this machine; what an error status means (ERR_SOURCE_AUTH, ERR_HTTP_NOT_FOUND,
 * ERR_HTTP_THROTTLED, ERR_HTTP_SERVER, ERR_HTTP_STATUS); and what `context.fetch` throws.
 */
export async function readDocument(
  url: string,
  context: SourceContext,
  options: DocumentOptions = {},
): Promise<FetchedDocument> {
  if (!isHttpUrl(url)) {
    throw new TrawlError('ERR_SOURCE_PARSE', `"${url.slice(0, 200)}" is no address of the web`, {
      context: { url },
    })
  }
  const found = await context.fetch(url, { signal: context.signal, ...options })
  if (found.status >= 400) throw statusError(found)
  return found
}

/** Throws ERR_INPUT_UNREADABLE where paths of this machine may not be read. */
export function requireLocalFiles(context: SourceContext, path: string): void {
  if (context.localFiles) return
  throw new TrawlError('ERR_INPUT_UNREADABLE', `${path} is a path, and paths may not be read here`, {
    hint: 'Give a URL.',
    context: { path },
  })
}

/** What a document refers to as an absolute address of the web; undefined when it is something else. */
export function webReference(reference: string, base: string): string | undefined {
  if (isHttpUrl(reference)) return reference
  if (!isHttpUrl(base) || !URL.canParse(reference, base)) return undefined
  const { href } = new URL(reference, base)
  return isHttpUrl(href) ? href : undefined
}

/** What an error status of a document means. */
function statusError(found: FetchedDocument): TrawlError {
  const { status, url } = found
  const codes: Readonly<Record<number, ErrorCode>> = {
    401: 'ERR_SOURCE_AUTH',
    403: 'ERR_SOURCE_AUTH',
    404: 'ERR_HTTP_NOT_FOUND',
    407: 'ERR_NET_PROXY',
    410: 'ERR_HTTP_NOT_FOUND',
    429: 'ERR_HTTP_THROTTLED',
  }
  const code = codes[status] ?? (status >= 500 ? 'ERR_HTTP_SERVER' : 'ERR_HTTP_STATUS')
  return new TrawlError(code, `${url} answered ${status}`, { context: { url, status }, scope: 'job' })
}

/** Parses a document as JSON. Throws ERR_SOURCE_PARSE naming the document. */
export function parseJson(found: FetchedDocument): unknown {
  try {
    return JSON.parse(found.text.replace(/^\uFEFF/, ''))
  } catch (cause) {
    const what = found.text.trimStart().startsWith('<') ? 'is a page, not JSON' : 'is not valid JSON'
    throw new TrawlError('ERR_SOURCE_PARSE', `${found.url} ${what}`, { cause, context: { url: found.url } })
  }
}

async function readLocal(where: string): Promise<FetchedDocument> {
  const path = localPath(where)
  try {
    const { size } = await stat(path)
    if (size > maxFileBytes) {
      throw new TrawlError('ERR_TOO_LARGE', `${path} is larger than 16 MiB`, { context: { path } })
    }
    const bytes = await readFile(path)
    return { url: where, status: 200, headers: {}, bytes, text: bytes.toString('utf8') }
  } catch (cause) {
    if (cause instanceof TrawlError) throw cause
    throw new TrawlError('ERR_INPUT_UNREADABLE', `${path} cannot be read: ${storageReason(cause)}`, {
      cause,
      context: { path },
    })
  }
}

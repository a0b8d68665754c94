import { readFile, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { TrawlError, type ErrorCode } from '../core/index.ts'
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
 * A document of a source, fetched, or read from disk when `where` is a path or a `file:` URL. Throws what an error
 * status means (ERR_SOURCE_AUTH, ERR_HTTP_NOT_FOUND, ERR_HTTP_THROTTLED, ERR_HTTP_SERVER, ERR_HTTP_STATUS),
 * ERR_INPUT_UNREADABLE for files, and what `context.fetch` throws.
 */
export async function readDocument(
  where: string,
  context: SourceContext,
  options: DocumentOptions = {},
): Promise<FetchedDocument> {
  if (!isHttpUrl(where)) return readLocal(where)
  const found = await context.fetch(where, { signal: context.signal, ...options })
  if (found.status >= 400) throw statusError(found)
  return found
}

/** What an error status of a document means. */
export function statusError(found: FetchedDocument): TrawlError {
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
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new TrawlError('ERR_INPUT_UNREADABLE', `${path} cannot be read: ${message}`, {
      cause,
      context: { path },
    })
  }
}

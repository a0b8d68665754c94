import type { Behaviour, OriginRequest } from './behaviour.ts'
import { bodyFrom, type Body } from './body.ts'
import { parseRange } from './range.ts'

/** What a file is served with. Values may depend on the request, such as an ETag that rotates. */
export interface FileFacts {
  /** With quotes, as on the line; `W/"x"` is weak. Null for none. Default: a strong one made of the length. */
  readonly etag?: string | null | ((request: OriginRequest) => string | null)
  /** Default 1 January 2024. Null for none. */
  readonly lastModified?: Date | null
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
}

const defaultDate = new Date(Date.UTC(2024, 0, 1))

/** A file as a good server gives it: GET and HEAD, one range, If-Range, If-None-Match, If-Modified-Since, 416. */
function withRange(file: Body, facts: FileFacts = {}): Behaviour {
  return (request) => {
    const headers: Record<string, string> = { ...fileHeaders(file, facts, request), 'Accept-Ranges': 'bytes' }
    if (isNotModified(request, headers)) return { status: 304, headers }
    const asked = rangeToServe(request, headers)
    if (asked === undefined) return { status: 200, headers, body: file }
    const range = parseRange(asked, file.sizeBytes)
    if (range === undefined) return { status: 200, headers, body: file }
    if (range === 'unsatisfiable') {
      return {
        status: 416,
        headers: { ...headers, 'Content-Range': `bytes */${file.sizeBytes}` },
        body: bodyFrom(''),
      }
    }
    headers['Content-Range'] = `bytes ${range.start}-${range.end - 1}/${file.sizeBytes}`
    return { status: 206, headers, body: part(file, range.start, range.end) }
  }
}

/** The whole file with 200, whatever range was asked for. */
function whole(file: Body, facts: FileFacts = {}): Behaviour {
  return (request) => ({ status: 200, headers: fileHeaders(file, facts, request), body: file })
}

/** A status with a short text. */
function status(code: number, headers: Readonly<Record<string, string>> = {}, text = ''): Behaviour {
  const content = bodyFrom(text === '' ? `${code}\n` : text)
  return () => ({ status: code, headers: { 'Content-Type': 'text/plain', ...headers }, body: content })
}

/** A page of HTML with 200, such as a log-in form in place of the file. */
function html(text = '<!doctype html><title>Sign in</title><form><input name="user"></form>'): Behaviour {
  return () => ({
    status: 200,
    headers: { 'Content-Type': 'text/html; charset=utf-8' },
    body: bodyFrom(text),
  })
}

/** A redirect. `to` is sent as it stands, and may depend on the request. */
function redirect(to: string | ((request: OriginRequest) => string), code = 302): Behaviour {
  return (request) => ({
    status: code,
    headers: { Location: typeof to === 'string' ? to : to(request) },
    body: bodyFrom('moved\n'),
  })
}

/** 429 or 503, with Retry-After as it stands: seconds, a date, or nonsense. */
function throttle(retryAfter?: string, code: 429 | 503 = 429): Behaviour {
  return status(code, retryAfter === undefined ? {} : { 'Retry-After': retryAfter }, 'slow down\n')
}

/** Bytes that are not HTTP. */
function garbage(bytes: string | Uint8Array = 'SSH-2.0-OpenSSH_9.6\r\n'): Behaviour {
  return () => ({ status: 0, headers: {}, raw: Buffer.from(bytes) })
}

/** Response headers of about this many bytes. */
function headerBomb(sizeBytes: number): Behaviour {
  const line = `X-Filler: ${'a'.repeat(1000)}\r\n`
  const text = `HTTP/1.1 200 OK\r\n${line.repeat(Math.ceil(sizeBytes / line.length))}\r\n`
  return () => ({ status: 0, headers: {}, raw: Buffer.from(text) })
}

/** The connection is closed without an answer. */
function hangUp(how: 'fin' | 'rst' = 'rst'): Behaviour {
  return () => ({ status: 0, headers: {}, hangUp: how })
}

/** A range answered as multipart/byteranges, even when only one was asked for (RFC 9110, 14.6). */
function multipartRanges(file: Body, facts: FileFacts = {}): Behaviour {
  return (request) => {
    const range = request.range === undefined ? undefined : parseRange(request.range, file.sizeBytes)
    if (range === undefined || range === 'unsatisfiable') return whole(file, facts)(request)
    const boundary = 'trawl-part'
    const head = `--${boundary}\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes ${range.start}-${range.end - 1}/${file.sizeBytes}\r\n\r\n`
    const bytes = Buffer.concat([
      Buffer.from(head),
      file.read(range.start, range.end),
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ])
    const headers = {
      ...fileHeaders(file, facts, request),
      'Content-Type': `multipart/byteranges; boundary=${boundary}`,
    }
    return { status: 206, headers, body: bodyFrom(bytes) }
  }
}

/** Behaviours to begin with; faults change them. */
export const respond = {
  withRange,
  whole,
  status,
  html,
  redirect,
  throttle,
  garbage,
  headerBomb,
  hangUp,
  multipartRanges,
} as const

function fileHeaders(file: Body, facts: FileFacts, request: OriginRequest): Record<string, string> {
  const headers: Record<string, string> = { 'Content-Type': facts.contentType ?? 'application/octet-stream' }
  const given = typeof facts.etag === 'function' ? facts.etag(request) : facts.etag
  const etag = given === undefined ? `"${file.sizeBytes.toString(16)}"` : given
  if (etag !== null) headers['ETag'] = etag
  const modified = facts.lastModified === undefined ? defaultDate : facts.lastModified
  if (modified !== null) headers['Last-Modified'] = modified.toUTCString()
  return { ...headers, ...facts.headers }
}

function isNotModified(request: OriginRequest, headers: Readonly<Record<string, string>>): boolean {
  const tags = request.headers['if-none-match']
  if (tags !== undefined) return headers['ETag'] !== undefined && tags.includes(headers['ETag'])
  const since = request.headers['if-modified-since']
  const modified = headers['Last-Modified']
  if (since === undefined || modified === undefined) return false
  return Date.parse(modified) <= Date.parse(since)
}

/** The range to honour: none when If-Range names another version (RFC 9110, 13.1.5). */
function rangeToServe(request: OriginRequest, headers: Readonly<Record<string, string>>): string | undefined {
  const condition = request.headers['if-range']
  if (request.range === undefined || condition === undefined) return request.range
  const strongTag = condition.startsWith('"') && condition === headers['ETag']
  return strongTag || condition === headers['Last-Modified'] ? request.range : undefined
}

/** A part of a body as a body. */
export function part(file: Body, start: number, end: number): Body {
  const sizeBytes = Math.max(0, Math.min(end, file.sizeBytes) - start)
  const read = (from: number, to: number): Buffer => file.read(start + from, start + Math.min(to, sizeBytes))
  return {
    sizeBytes,
    read,
    bytes: () => read(0, sizeBytes),
    digest: (algorithm, encoding) => bodyFrom(read(0, sizeBytes)).digest(algorithm, encoding),
  }
}

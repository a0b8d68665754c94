import { TrawlError } from '../../core/index.ts'
import {
  decodedBody,
  headerValue,
  parseContentDisposition,
  type TransportResponse,
} from '../../http/index.ts'
import type { TransferOrder } from './transfer.ts'

/** Names and types of files that have a coding of their own, by coding. */
const ownCoding: Readonly<Record<string, { readonly name: RegExp; readonly type: RegExp }>> = {
  gzip: {
    name: /\.(?:gz|tgz|taz|svgz|emz|wmz|vgz|cpgz|z)$/i,
    type: /^application\/(?:x-)?(?:gzip|gtar|gtar-compressed|tgz|compressed-tar)\b/i,
  },
  br: { name: /\.br$/i, type: /^application\/(?:x-)?br(?:otli)?\b/i },
  zstd: { name: /\.t?zst$/i, type: /^application\/(?:x-)?zstd?\b/i },
}

const ofEncoded: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-digest',
  'repr-digest',
  'digest',
  'content-md5',
])

/**
 * The answer without a coding that nobody asked for. Of a file that has this coding by its own name or type, such as a
 * `.tar.gz` that is declared to be a tar with a coding, the bytes are taken as they are, as every downloader does;
 * else they are decoded, and nothing is known of their length and digest beforehand. Parts are asked for in neither case:
 * which bytes would be counted is anybody's guess. Throws ERR_HTTP_ENCODED for a coding that is not known.
 */
export function withoutCoding(response: TransportResponse, order: TransferOrder): TransportResponse {
  const given = headerValue(response.headers, 'content-encoding')
  if (given === undefined) return response
  const coding = given.trim().toLowerCase()
  if (coding === '' || coding === 'identity') return response
  const isOwn = isOwnCoding(coding.replace(/^x-/, ''), response, order)
  const body = isOwn ? response.body : decodedBody(response.body, coding)
  if (body === undefined) {
    throw new TrawlError(
      'ERR_HTTP_ENCODED',
      `the server sent the file as ${coding} although identity was asked for`,
      { context: { url: response.url } },
    )
  }
  const dropped = isOwn ? new Set(['content-encoding']) : ofEncoded
  const headers = Object.entries(response.headers).filter(([name]) => !dropped.has(name))
  return { ...response, headers: { ...Object.fromEntries(headers), 'accept-ranges': 'none' }, body }
}

function isOwnCoding(coding: string, { url, headers }: TransportResponse, order: TransferOrder): boolean {
  const own = Object.hasOwn(ownCoding, coding) ? ownCoding[coding] : undefined
  if (!own) return false
  const type = headerValue(headers, 'content-type') ?? ''
  const told = parseContentDisposition(headerValue(headers, 'content-disposition'))?.fileName
  const names = [told, order.task.target.path, order.places[0]?.url, url]
  return own.type.test(type) || names.some((name) => name !== undefined && own.name.test(pathOf(name)))
}

function pathOf(name: string): string {
  return name.replace(/[?#].*$/s, '')
}

import { hasTypeExtension } from './file-extension.ts'
import { extensionOfMediaType } from './media-type-extension.ts'
import { decodeSegment } from './percent-decoding.ts'
import { safeFileName, type NameLimits } from './safe-file-name.ts'

/** What is known of an answer when its file is named. */
export interface NamedResponse {
  /** The address that was asked for. */
  readonly url: string
  /** The address that answered, where redirects led elsewhere. */
  readonly finalUrl?: string | undefined
  /** File name of Content-Disposition, decoded. */
  readonly contentDispositionName?: string | undefined
  readonly contentType?: string | undefined
}

/**
 * The file name of an answer: Content-Disposition when it is safe, else the last path segment of the address
 * asked for, else that of the final address, else the host. The result is one safe path component. An extension
 * is added from the content type only where the name has none and the type says something certain.
 */
export function nameFromResponse(response: NamedResponse, limits?: NameLimits): string {
  const given =
    (response.contentDispositionName === undefined
      ? undefined
      : dispositionName(response.contentDispositionName)) ??
    lastSegment(response.url) ??
    (response.finalUrl === undefined ? undefined : lastSegment(response.finalUrl))
  const name = safeFileName(given ?? hostOf(response.url), limits)
  if (response.contentType === undefined || (given !== undefined && hasTypeExtension(name))) return name
  const extension = extensionOfMediaType(response.contentType)
  return extension === undefined ? name : safeFileName(name + extension, limits)
}

/**
 * The last path segment of an address that is not empty, percent-decoded; undefined where there is none. Reads
 * the text itself: building a URL object takes longer than everything else about a name.
 */
export function lastSegment(url: string): string | undefined {
  const scheme = url.indexOf('://')
  const path = url.indexOf('/', scheme < 0 ? 0 : scheme + 3)
  if (path < 0) return undefined
  let end = endOfPath(url)
  while (end > path && url.charCodeAt(end - 1) === 0x2f) end--
  return end <= path ? undefined : usable(url.slice(url.lastIndexOf('/', end - 1) + 1, end))
}

function endOfPath(url: string): number {
  const query = url.indexOf('?')
  const fragment = url.indexOf('#')
  if (query < 0) return fragment < 0 ? url.length : fragment
  return fragment < 0 ? query : Math.min(query, fragment)
}

function usable(segment: string): string | undefined {
  const text = decodeSegment(segment)
  return text === '.' || text === '..' || text.trim() === '' ? undefined : text
}

/** Characters that no honest name has, and forms that lead out of the folder. */
const unsafe = /[\p{Cc}]|^[\\/]|^[a-z]:|(?:^|[\\/])\.\.?(?:[\\/]|$)/iu

/** RFC 6266, 4.3: only the last segment of a path counts; a name that climbs is not used at all. */
function dispositionName(text: string): string | undefined {
  if (unsafe.test(text)) return undefined
  const last = text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf('\\')) + 1)
  return last.trim() === '' ? undefined : last
}

function hostOf(url: string): string {
  const host = URL.parse(url)?.hostname ?? ''
  return host === '' ? 'download' : host.replace(/^\[|\]$/g, '')
}

import { TrawlError } from '../../core/index.ts'
import { asBuffer } from '../bytes/byte-source.ts'

/** Signatures of files that are no images, with their offsets. */
const binaryKinds: readonly (readonly [number, string, string])[] = [
  [0, '%PDF-', 'a PDF'],
  [0, 'PK\x03\x04', 'a ZIP archive'],
  [0, '\x1f\x8b', 'gzip data'],
  [0, 'Rar!', 'a RAR archive'],
  [4, 'ftypisom', 'a video'],
  [4, 'ftypmp4', 'a video'],
  [4, 'ftypqt', 'a video'],
  [0, '\x1aE\xdf\xa3', 'a video'],
  [0, 'AT&TFORM', 'a DjVu file'],
]

/**
 * The error for bytes that are no image at all: nothing, only zeros, a web page, JSON, or another kind of file. The
 * message says what it is and, for a web page, its title.
 */
export function notImageError(head: Uint8Array, name: string, sizeBytes: number): TrawlError {
  const bytes = asBuffer(head)
  const context = { path: name, sizeBytes }
  if (sizeBytes === 0) return new TrawlError('ERR_IMAGE_EMPTY', `${name}: no bytes`, { context })
  if (bytes.every((byte) => byte === 0)) {
    return new TrawlError('ERR_IMAGE_EMPTY', `${name}: ${sizeBytes} bytes, all zero`, {
      context,
      hint: 'trawl fetches it again by itself: the body was never written.',
    })
  }
  return new TrawlError('ERR_IMAGE_NOT_IMAGE', `${name}: ${describe(bytes)} instead of an image`, { context })
}

function describe(bytes: Buffer): string {
  const binary = bytes.toString('latin1', 0, 16)
  for (const [offset, signature, kind] of binaryKinds) if (binary.startsWith(signature, offset)) return kind
  const text = bytes
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart()
  if (/^<(?:!doctype\s+html|html|head|body)\b|<(?:html|head|title)\b/i.test(text)) {
    const title = /<title[^>]*>\s*([^<]{1,80})/i.exec(text)?.[1]?.trim().replaceAll(/\s+/g, ' ')
    return title === undefined ? 'an HTML page' : `an HTML page titled ${JSON.stringify(title)}`
  }
  if (/^[[{]\s*["\]}{[\d]/.test(text)) return `JSON (${JSON.stringify(text.slice(0, 60))})`
  if (text.startsWith('<')) return 'an XML document'
  // Control characters other than white space, or what is no UTF-8, speak against text.
  // oxlint-disable-next-line no-control-regex
  if (!/[\0-\x08\x0e-\x1f\uFFFD]/.test(text.slice(0, 512)))
    return `text (${JSON.stringify(text.slice(0, 60))})`
  return 'something unknown'
}

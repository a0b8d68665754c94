import { decodeExtended, parse } from 'content-disposition'
import { decodeUtf8, decodeWireText } from './wire-text.ts'

const maxHeaderChars = 8192

/** What a server suggests to do with a response. */
export interface ContentDisposition {
  /** `attachment`, `inline` or another token, in lower case. */
  readonly type: string
  /** The suggested file name: the last path segment, not yet made safe for a file system. */
  readonly fileName?: string
}

/**
 * Content-Disposition (RFC 6266, RFC 8187). `filename*` wins over `filename`. Also understands what browsers
 * understand: UTF-8 bytes as they are, percent-coded UTF-8, RFC 2047 words, and a value without a type. Never
 * throws; undefined when nothing can be made of it.
 */
export function parseContentDisposition(text: string | undefined): ContentDisposition | undefined {
  if (text === undefined || text.length > maxHeaderChars) return undefined
  const value = /^\s*filename\*?\s*=/i.test(text) ? `attachment; ${text}` : text
  const parsed = tryParse(value)
  if (parsed === undefined) return undefined
  const type = parsed.type.toLowerCase()
  const { filename: plain, 'filename*': extended } = parsed.parameters
  const name = lastSegment(decodeExtendedName(extended) ?? decodePlain(plain ?? ''))
  if (name === '') return type === '' ? undefined : { type }
  return { type, fileName: name }
}

function tryParse(text: string): ReturnType<typeof parse> | undefined {
  try {
    return parse(text, { extended: false })
  } catch {
    return undefined
  }
}

/** `filename*`, unless it is malformed or its bytes are not in the charset that it names. */
function decodeExtendedName(value: string | undefined): string | undefined {
  if (value === undefined) return undefined
  try {
    const name = decodeExtended(value)
    return name === undefined || name.includes('\ufffd') ? undefined : name
  } catch {
    return undefined
  }
}

function decodePlain(name: string): string {
  return decodePercent(decodeWords(decodeWireText(name)))
}

/** Only what decodes to more than ASCII: `100%25.zip` is likelier a name than a code. */
function decodePercent(name: string): string {
  if (!/%[89a-f][0-9a-f]/i.test(name)) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** Words of RFC 2047, which belong into mail but are sent by some servers. */
function decodeWords(name: string): string {
  const word = /=\?(utf-8|iso-8859-1|us-ascii)\?([bq])\?([^?]*)\?=\s*/gi
  return name.replace(word, (whole: string, set: string, kind: string, data: string) => {
    const bytes = kind.toLowerCase() === 'b' ? Buffer.from(data, 'base64') : decodeQuoted(data)
    return (set.toLowerCase() === 'utf-8' ? decodeUtf8(bytes) : bytes.toString('latin1')) ?? whole
  })
}

function decodeQuoted(text: string): Buffer {
  const raw = text
    .replaceAll('_', ' ')
    .replace(/=([0-9a-f]{2})/gi, (_whole, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  return Buffer.from(raw, 'latin1')
}

/** RFC 6266, 4.3: whatever else the name says about folders is not the server's business. */
function lastSegment(name: string): string {
  return name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1).trim()
}

import { TrawlError } from '../../core/index.ts'
import { isAscii, utf8AsLatin1 } from '../headers/wire-text.ts'

/** A request as it is to be sent. */
export interface RequestLine {
  readonly method: string
  /** Path with query, or an absolute URL for a proxy. */
  readonly path: string
  /** Value of Host where the headers have none. */
  readonly host: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly bodyBytes: number | undefined
}

const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
// Nothing that could end a line.
const sendable = /^[\t -~\u0080-\u00ff]*$/
const target = /^[!-~]+$/

/**
 * The head of a request, to be sent as Latin-1 (RFC 9112, 3); values are UTF-8, as those of answers are read. Throws ERR_INPUT_INVALID for what cannot be sent, such
 * as a line break in a value.
 */
export function writeRequestHead({ method, path, host, headers, bodyBytes }: RequestLine): string {
  if (!target.test(path))
    throw new TrawlError('ERR_INPUT_INVALID', 'the request cannot be sent: invalid path')
  let fields = ''
  let hostGiven = false
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? ''
    const text = headers[i + 1] ?? ''
    if (!checked.has(name)) checkName(name)
    if (name === 'host') hostGiven = true
    fields += `${name}: ${isAscii(text) ? text : wireValue(name, text)}\r\n`
  }
  const hostField = hostGiven ? '' : `host: ${host}\r\n`
  const length = bodyBytes === undefined ? '' : `content-length: ${bodyBytes}\r\n`
  return `${method} ${path} HTTP/1.1\r\n${hostField}connection: keep-alive\r\n${fields}${length}\r\n`
}

/**
 * A header value as UTF-8 in the form of Latin-1, byte by byte. Throws ERR_INPUT_INVALID for what could end a line, and
 * for other control characters.
 */
function wireValue(name: string, text: string): string {
  const bytes = utf8AsLatin1(text)
  if (!sendable.test(bytes)) throw invalid(name)
  return bytes
}

/** Names that were found good: a run sends the same few with every request. */
const checked = new Set<string>()

function checkName(name: string): void {
  // These belong to the connection; with another value the reader and the server would not agree.
  if (
    !token.test(name) ||
    /^(?:connection|content-length|transfer-encoding|keep-alive|upgrade)$/i.test(name)
  ) {
    throw invalid(name)
  }
  if (checked.size < 1000) checked.add(name)
}

function invalid(name: string): TrawlError {
  return new TrawlError(
    'ERR_INPUT_INVALID',
    `the request cannot be sent: invalid header ${JSON.stringify(name)}`,
  )
}

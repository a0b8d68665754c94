import type { IncomingHttpHeaders } from 'node:http'
import { ConnectionFault } from './connection-fault.ts'

/** How the end of a body is told (RFC 9112, 6.3). */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

/** The head of a response. */
export interface ResponseHead {
  readonly status: number
  /** Names in lower case; repeated fields as lists. */
  readonly headers: IncomingHttpHeaders
  readonly framing: Framing
  /** Of the body, where `framing` is `length`. */
  readonly lengthBytes: number
  /** Another request may follow on the connection. */
  readonly keepAlive: boolean
  /** How long the server keeps an idle connection, where it says so. */
  readonly keepAliveMs?: number
}

const statusLine = /^HTTP\/1\.([01]) (\d{3})(?: |$)/
const token = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/
const unusual = /[^\t\r\n -~]/
// What is neither a tab, a line end, printable nor above ASCII.
const control = /[^\t\r\n -~\u0080-\u00ff]/

/**
 * Reads the head of a response (RFC 9112, 4 and 5): `text` is its bytes as Latin-1, without the empty line at the end.
 * Lines may end without CR, and folded lines are joined. Throws ConnectionFault.
 */
export function readResponseHead(text: string, method: string): ResponseHead {
  let end = text.indexOf('\n')
  if (end < 0) end = text.length
  const start = statusLine.exec(stripCr(text.slice(0, end)))
  if (!start) throw new ConnectionFault('protocol', 'the answer does not begin as HTTP/1 does')
  const special = unusual.test(text)
  if (special && control.test(text))
    throw new ConnectionFault('protocol', 'control characters in the headers')
  const headers = readFields(text, end + 1, special)
  const status = Number(start[2])
  const bodiless = method === 'HEAD' || status < 200 || status === 204 || status === 304
  const framing = framingOf(headers)
  const keepAliveMs = keepAliveOf(headers)
  return {
    status,
    headers,
    framing: bodiless ? 'none' : framing.kind,
    lengthBytes: framing.lengthBytes,
    keepAlive: isKept(headers, start[1] === '1') && (bodiless || framing.kind !== 'close'),
    ...(keepAliveMs === undefined ? {} : { keepAliveMs }),
  }
}

function readFields(text: string, from: number, special: boolean): IncomingHttpHeaders {
  const fields: Record<string, string | string[]> = {}
  let last: string | undefined
  for (let at = from; at < text.length;) {
    const start = at
    let end = text.indexOf('\n', start)
    if (end < 0) end = text.length
    at = end + 1
    if (text.charCodeAt(end - 1) === carriageReturn) end--
    const first = text.charCodeAt(start)
    if (first === space || first === tab) {
      if (last === undefined) throw new ConnectionFault('protocol', 'a folded line before the first header')
      extend(fields, last, text.slice(start, end).trim())
      continue
    }
    const colon = text.indexOf(':', start)
    if (colon <= start || colon >= end) {
      throw new ConnectionFault(
        'protocol',
        `not a header: ${JSON.stringify(text.slice(start, end).slice(0, 80))}`,
      )
    }
    last = nameOf(text.slice(start, colon))
    const value = valueOf(text, colon + 1, end)
    add(fields, last, special ? decoded(last, value) : value)
  }
  return fields
}

const space = 0x20
const tab = 0x09
const carriageReturn = 0x0d

/** Without the white space around it. A line break of half the usual kind could hide another field. */
function valueOf(text: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(text.charCodeAt(start))) start++
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--
  const value = text.slice(start, end)
  if (value.includes('\r')) throw new ConnectionFault('protocol', 'a carriage return in a header')
  return value
}

function isBlank(code: number): boolean {
  return code === space || code === tab
}

function stripCr(line: string): string {
  return line.charCodeAt(line.length - 1) === carriageReturn ? line.slice(0, -1) : line
}

function add(fields: Record<string, string | string[]>, name: string, value: string): void {
  const before = fields[name]
  if (typeof before === 'string') fields[name] = [before, value]
  else if (Array.isArray(before)) before.push(value)
  // Also where the record inherits something of that name.
  else fields[name] = value
}

function extend(fields: Record<string, string | string[]>, name: string, more: string): void {
  const before = fields[name]
  if (typeof before === 'string') fields[name] = `${before} ${more}`
  else if (Array.isArray(before)) before.push(`${before.pop() ?? ''} ${more}`)
}

/** Names that came before, as they were written: servers say the same ones again and again. */
const knownNames = new Map<string, string>()
const maxKnownNames = 1000

function nameOf(written: string): string {
  const known = knownNames.get(written)
  if (known !== undefined) return known
  if (!token.test(written)) {
    throw new ConnectionFault('protocol', `not a name of a header: ${JSON.stringify(written.slice(0, 80))}`)
  }
  const lower = written.toLowerCase()
  // It would be the prototype of the record, not a field of it.
  const name = lower === '__proto__' ? '_proto_' : lower
  if (knownNames.size < maxKnownNames) knownNames.set(written, name)
  return name
}

/** Values are UTF-8 where they are more than ASCII; names in Content-Disposition are judged by its own parser. */
function decoded(name: string, value: string): string {
  if (name === 'content-disposition' || !unusual.test(value)) return value
  return Buffer.from(value, 'latin1').toString('utf8')
}

/** RFC 9112, 6.3; a length beside chunks, or two lengths, could hide a second response and are refused. */
function framingOf(headers: Readonly<Record<string, string | readonly string[] | undefined>>): {
  readonly kind: Framing
  readonly lengthBytes: number
} {
  const coding = headers['transfer-encoding']
  const length = headers['content-length']
  if (coding !== undefined) {
    if (length !== undefined) throw new ConnectionFault('protocol', 'both a length and a transfer encoding')
    if (String(coding).toLowerCase() !== 'chunked') {
      throw new ConnectionFault('protocol', `transfer encoding ${JSON.stringify(coding)}`)
    }
    return { kind: 'chunked', lengthBytes: 0 }
  }
  if (length === undefined) return { kind: 'close', lengthBytes: 0 }
  return { kind: 'length', lengthBytes: lengthOf(length) }
}

function lengthOf(given: string | readonly string[]): number {
  const texts = typeof given === 'string' ? [given] : given
  const first = texts[0] ?? ''
  if (!/^\d{1,15}$/.test(first) || texts.some((each) => each !== first)) {
    throw new ConnectionFault('protocol', `length ${JSON.stringify(given)}`)
  }
  return Number(first)
}

function isKept(
  headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  isNew: boolean,
): boolean {
  const { connection } = headers
  if (connection === undefined) return isNew
  // Servers behind others send it twice.
  const options = String(connection).toLowerCase()
  return isNew ? !options.includes('close') : options.includes('keep-alive')
}

function keepAliveOf(headers: IncomingHttpHeaders): number | undefined {
  const hint = headers['keep-alive']
  if (hint === undefined) return undefined
  const seconds = /timeout=(\d{1,6})/i.exec(String(hint))?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

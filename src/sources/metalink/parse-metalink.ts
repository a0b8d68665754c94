import { SaxesParser, type SaxesTagNS } from 'saxes'
import type { TrawlError } from '../../core/index.ts'
import type { ListEntry } from '../lists/list-entry.ts'
import { metalinkError, MetalinkFile } from './metalink-file.ts'
import { MetalinkPieces } from './metalink-pieces.ts'
import type { Position } from './position.ts'

export interface ParseMetalinkOptions {
  /** The name of the document in messages, such as its path or URL. */
  readonly name: string
  /** Told what is passed over, such as an address of a scheme that trawl does not know; at most twenty times. */
  readonly notice?: (message: string) => void
}

const namespace = 'urn:ietf:params:xml:ns:metalink'
const maxNotices = 20
/** No Metalink needs more; deeper ones are made to cost memory. */
const maxDepth = 32

/**
 * Reads a Metalink 4 document (RFC 5854): names, sizes, hashes of files and of their pieces, and addresses by their
 * priority. Everything else, such as signatures and elements of other namespaces, is passed over. A file that is wrong is
 * a fault in its place and harms no other; where the XML breaks off, the files before are good and one fault follows.
 * Entities and document types are refused. Faults are ERR_INPUT_INVALID and ERR_PATH_UNSAFE, naming document, line
 * and column. Never empty, never throws.
 */
export function parseMetalink(bytes: Uint8Array, options: ParseMetalinkOptions): readonly ListEntry[] {
  const text = decode(bytes)
  if (text === undefined) {
    return [faultOf(options.name, 'the text is not in the encoding that it claims')]
  }
  if (/^\s*<(?:!doctype\s+)?html\b/i.test(text)) {
    return [faultOf(options.name, 'this is an HTML page, not a Metalink')]
  }
  if (!/^\s*</.test(text)) return [faultOf(options.name, 'this is no XML, and so no Metalink')]
  return new MetalinkParser(options).parse(text)
}

/** Text by the encoding of its mark or XML declaration; undefined where it is none. */
function decode(bytes: Uint8Array): string | undefined {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1')
  const declared = /^\s*<\?xml[^>]*\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(head)?.[1]
  const mark =
    bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf-16le' : bytes[0] === 0xfe ? 'utf-16be' : undefined
  try {
    return new TextDecoder(mark ?? declared ?? 'utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** Ends the reading of a document that is no XML, or no Metalink. */
class Broken extends Error {
  readonly fault: TrawlError

  constructor(fault: TrawlError) {
    super(fault.message)
    this.fault = fault
  }
}

/** A child element of a file. */
interface Child {
  readonly tag: SaxesTagNS
  readonly at: Position
  text: string
}

class MetalinkParser {
  readonly #options: ParseMetalinkOptions
  readonly #parser = new SaxesParser({ xmlns: true })
  readonly #entries: ListEntry[] = []
  #notices = 0
  #depth = 0
  #file: MetalinkFile | undefined
  /** The child of a file whose text is being taken. */
  #child: Child | undefined
  #pieces: MetalinkPieces | undefined
  /** A hash of one piece. */
  #piece: { readonly at: Position; text: string } | undefined
  #start: Position = { line: 1, column: 1 }

  constructor(options: ParseMetalinkOptions) {
    this.#options = options
    const parser = this.#parser
    parser.on('error', ({ message }) => this.#break(this.#here(), message.replace(/^[\d:]+\s*/, '')))
    parser.on('doctype', () => this.#break(this.#here(), 'a document type (DOCTYPE) is not allowed'))
    parser.on('opentagstart', ({ name }) => (this.#start = this.#startOf(name)))
    parser.on('opentag', (tag) => this.#open(tag))
    parser.on('closetag', () => this.#close())
    parser.on('text', (text) => this.#text(text))
    parser.on('cdata', (text) => this.#text(text))
  }

  parse(text: string): readonly ListEntry[] {
    try {
      this.#parser.write(text).close()
      if (this.#entries.length === 0) this.#break(this.#start, 'the Metalink lists no file')
    } catch (error) {
      if (!(error instanceof Broken)) throw error
      this.#entries.push({ line: this.#start.line, text: this.#options.name, error: error.fault })
    }
    return this.#entries
  }

  #open(tag: SaxesTagNS): void {
    const depth = ++this.#depth
    if (depth > maxDepth) this.#break(this.#start, `elements are nested deeper than ${maxDepth}`)
    if (depth === 1) return this.#checkRoot(tag)
    if (tag.uri !== namespace) return undefined
    if (depth === 2 && tag.local === 'file') {
      const context = { document: this.#options.name, notice: (message: string) => this.#tell(message) }
      this.#file = new MetalinkFile(context, this.#start, tag.attributes['name']?.value)
    } else if (depth === 3 && this.#file) {
      this.#child = { tag, at: this.#start, text: '' }
      if (tag.local === 'pieces') this.#pieces = new MetalinkPieces(attributesOf(tag), this.#start)
    } else if (depth === 4 && this.#pieces && tag.local === 'hash') {
      this.#piece = { at: this.#start, text: '' }
    }
    return undefined
  }

  #close(): void {
    const depth = this.#depth--
    if (depth === 2 && this.#file) {
      this.#entries.push(this.#file.entry())
      this.#file = undefined
    } else if (depth === 3 && this.#child && this.#file) {
      if (this.#pieces) this.#file.pieces(this.#pieces)
      else take(this.#file, this.#child)
      this.#pieces = undefined
      this.#child = undefined
    } else if (depth === 4 && this.#piece) {
      this.#pieces?.hash(this.#piece.text, this.#piece.at)
      this.#piece = undefined
    }
  }

  #text(text: string): void {
    // Text of elements further in is not that of the child.
    if (this.#child && this.#depth === 3) this.#child.text += text
    else if (this.#piece && this.#depth === 4) this.#piece.text += text
  }

  #checkRoot({ local, uri }: SaxesTagNS): void {
    if (local === 'metalink' && uri === namespace) return
    const why =
      local === 'metalink' && uri === 'http://www.metalinker.org/'
        ? 'this is a Metalink of version 3; version 4 (RFC 5854) is needed'
        : `no Metalink: the document begins with <${local}>`
    this.#break(this.#start, why)
  }

  #tell(message: string): void {
    this.#notices++
    if (this.#notices > maxNotices) return
    this.#options.notice?.(this.#notices === maxNotices ? `${message}; further ones are not told` : message)
  }

  #break(at: Position, why: string): never {
    throw new Broken(metalinkError('ERR_INPUT_INVALID', this.#options.name, at, why))
  }

  #here(): Position {
    return { line: this.#parser.line, column: Math.max(1, this.#parser.column) }
  }

  /** The `<` of the tag whose name has just been read. */
  #startOf(name: string): Position {
    const { line, column } = this.#parser
    // Where the name ends its line, the parser stands on the next one already.
    return column === 0
      ? { line: line - 1, column: 1 }
      : { line, column: Math.max(1, column - name.length - 1) }
  }
}

function attributesOf({ attributes }: SaxesTagNS): ConstructorParameters<typeof MetalinkPieces>[0] {
  const [length, type] = [attributes['length']?.value, attributes['type']?.value]
  return { ...(length === undefined ? {} : { length }), ...(type === undefined ? {} : { type }) }
}

function take(file: MetalinkFile, child: Child): void {
  const { tag, at } = child
  const text = child.text.trim()
  if (tag.local === 'size') file.size(text, at)
  else if (tag.local === 'hash') file.hash(tag.attributes['type']?.value, text, at)
  else if (tag.local === 'url') file.url(text, tag.attributes['priority']?.value, at)
}

function faultOf(document: string, why: string): ListEntry {
  const at = { line: 1, column: 1 }
  return { line: at.line, text: document, error: metalinkError('ERR_INPUT_INVALID', document, at, why) }
}

/** True for the content types and names of Metalink 4 documents. */
export function isMetalink(about: { readonly name?: string; readonly contentType?: string }): boolean {
  const type = about.contentType?.split(';')[0]?.trim().toLowerCase()
  if (type === 'application/metalink4+xml') return true
  return about.name !== undefined && /\.meta4$/i.test(about.name.replace(/[?#].*$/s, ''))
}

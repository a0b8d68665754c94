import { inflateSync } from 'node:zlib'
import { TrawlError } from '../../../core/index.ts'
import { decryptPdfBytes, openPdfKey } from '../encryption.ts'
import { PdfFile } from './pdf-file.ts'
import { PdfInputEnd, PdfLexer, PdfSyntaxError } from './pdf-lexer.ts'
import { nameOf, PdfRef, type PdfDict, type PdfObject } from './pdf-object.ts'
import { readXref, type Xref } from './pdf-xref.ts'
import { undoPredictor, type PredictorParms } from './predictor.ts'

/** A stream: its dictionary and where its bytes, still encrypted and coded, stand. */
export interface PdfStream {
  readonly dict: PdfDict
  readonly offset: number
  readonly length: number
}

/** What one filter of a stream is and what it is told. */
export interface PdfFilter {
  readonly name: string
  readonly parms: PdfDict
}

const maxDecodedBytes = 1024 * 1024 * 1024
const maxHops = 50

/** A PDF with its references resolved and its streams decrypted. Throws ERR_PACK_DAMAGED, ERR_PACK_PASSWORD. */
export class PdfDocument {
  readonly file: PdfFile
  readonly trailer: PdfDict
  readonly #xref: Xref
  readonly #packed = new Map<number, readonly PdfObject[]>()
  #key: Buffer | undefined

  constructor(fd: number, path: string, password: string | undefined) {
    this.file = new PdfFile(fd, path)
    this.#xref = readXref(this.file)
    this.trailer = this.#xref.trailer
    if (this.trailer.has('Encrypt')) this.#key = this.#unlock(password)
  }

  /** The object that a reference leads to, through any number of references; null where there is none. */
  resolve(value: PdfObject | undefined): PdfObject {
    let current = value ?? null
    for (let hops = 0; current instanceof PdfRef; hops++) {
      if (hops > maxHops) throw this.file.damaged(0, 'references go in circles')
      current = this.#load(current.id)
    }
    return current
  }

  /** The dictionary that a reference leads to; an empty one where it is something else. */
  dict(value: PdfObject | undefined): PdfDict {
    const object = this.resolve(value)
    return object instanceof Map ? object : new Map()
  }

  number(value: PdfObject | undefined): number | undefined {
    const object = this.resolve(value)
    return typeof object === 'number' ? object : undefined
  }

  /** A text string (7.9.2.2); undefined where it is none. */
  text(value: PdfObject | undefined): string | undefined {
    const object = this.resolve(value)
    if (!Buffer.isBuffer(object)) return undefined
    const bytes = object
    if (bytes[0] === 0xfe && bytes[1] === 0xff) {
      return Buffer.from(bytes.subarray(2, bytes.length - (bytes.length % 2)))
        .swap16()
        .toString('utf16le')
    }
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return bytes.toString('utf8', 3)
    return bytes.toString('latin1')
  }

  /** The stream that a reference leads to; undefined where it is something else. */
  stream(value: PdfObject | undefined): PdfStream | undefined {
    if (!(value instanceof PdfRef)) return undefined
    const entry = this.#xref.entries.get(value.id)
    if (entry?.kind !== 'offset') return undefined
    const placed = this.file.objectAt(entry.offset)
    if (placed.value instanceof PdfRef) return this.stream(placed.value)
    if (!(placed.value instanceof Map) || placed.streamStart === undefined) return undefined
    const length = this.number(placed.value.get('Length'))
    if (length === undefined || length < 0 || placed.streamStart + length > this.file.sizeBytes) {
      throw this.file.damaged(entry.offset, 'a stream has a wrong length')
    }
    return { dict: placed.value, offset: placed.streamStart, length }
  }

  /** The bytes of a stream, decrypted and still coded. */
  raw(stream: PdfStream): Buffer {
    return this.#decrypt(this.file.bytes(stream.offset, stream.length))
  }

  /** The filters of a stream, first to be undone first. */
  filters(stream: PdfStream): PdfFilter[] {
    const filter = this.resolve(stream.dict.get('Filter'))
    const parms = this.resolve(stream.dict.get('DecodeParms'))
    const names = Array.isArray(filter) ? filter : filter === null ? [] : [filter]
    const list = Array.isArray(parms) ? parms : [parms]
    return names.map((name, i) => ({ name: nameOf(this.resolve(name)) ?? '', parms: this.dict(list[i]) }))
  }

  /** The bytes of a stream with all filters undone. Throws ERR_PACK_UNSUPPORTED for filters other than Flate. */
  decoded(stream: PdfStream): Buffer {
    return this.filters(stream).reduce((bytes, filter) => this.undo(bytes, filter), this.raw(stream))
  }

  /** Undoes a Flate filter. Throws ERR_PACK_UNSUPPORTED for others. */
  undo(bytes: Buffer, filter: PdfFilter): Buffer {
    if (filter.name !== 'FlateDecode') {
      throw new TrawlError('ERR_PACK_UNSUPPORTED', `${this.file.path}: PDF: filter ${filter.name}`)
    }
    try {
      return undoPredictor(
        inflateSync(bytes, { maxOutputLength: maxDecodedBytes }),
        this.predictor(filter.parms),
      )
    } catch (error) {
      throw new TrawlError('ERR_PACK_DAMAGED', `${this.file.path}: PDF: a stream cannot be decoded`, {
        cause: error,
      })
    }
  }

  predictor(parms: PdfDict): PredictorParms {
    return {
      predictor: this.number(parms.get('Predictor')) ?? 1,
      colors: this.number(parms.get('Colors')) ?? 1,
      bitsPerComponent: this.number(parms.get('BitsPerComponent')) ?? 8,
      columns: this.number(parms.get('Columns')) ?? 1,
    }
  }

  #load(id: number): PdfObject {
    const entry = this.#xref.entries.get(id)
    if (!entry) return null
    if (entry.kind === 'packed') return this.#objectsOf(entry.stream)[entry.index] ?? null
    const placed = this.file.objectAt(entry.offset)
    if (placed.id !== id)
      throw this.file.damaged(entry.offset, `object ${placed.id} stands where ${id} should`)
    return this.#readable(placed.value)
  }

  /** Strings inside an object, decrypted. Those in object streams are encrypted with their stream only. */
  #readable(value: PdfObject): PdfObject {
    if (!this.#key) return value
    if (Buffer.isBuffer(value)) return this.#decrypt(value)
    if (Array.isArray(value)) return value.map((item) => this.#readable(item))
    if (!(value instanceof Map)) return value
    return new Map([...value].map(([key, item]): [string, PdfObject] => [key, this.#readable(item)]))
  }

  /** The objects of an object stream (7.5.7). */
  #objectsOf(id: number): readonly PdfObject[] {
    const known = this.#packed.get(id)
    if (known) return known
    const stream = this.stream(new PdfRef(id, 0))
    if (!stream) throw this.file.damaged(0, `object stream ${id} is missing`)
    const bytes = Buffer.concat([this.decoded(stream), Buffer.from('\n')])
    const count = this.number(stream.dict.get('N')) ?? 0
    const first = this.number(stream.dict.get('First')) ?? 0
    try {
      const heads = new PdfLexer(bytes)
      const offsets = Array.from({ length: count }, () => {
        heads.object()
        return Number(heads.object())
      })
      const objects = offsets.map((offset) => new PdfLexer(bytes, first + offset).object())
      this.#packed.set(id, objects)
      return objects
    } catch (error) {
      if (error instanceof PdfInputEnd || error instanceof PdfSyntaxError || error instanceof RangeError) {
        throw this.file.damaged(stream.offset, 'an object stream cannot be read')
      }
      throw error
    }
  }

  #decrypt(bytes: Buffer): Buffer {
    if (!this.#key) return bytes
    try {
      return decryptPdfBytes(this.#key, bytes)
    } catch (error) {
      throw new TrawlError('ERR_PACK_DAMAGED', `${this.file.path}: PDF: a stream cannot be decrypted`, {
        cause: error,
      })
    }
  }

  #unlock(password: string | undefined): Buffer {
    const path = this.file.path
    const encrypt = this.dict(this.trailer.get('Encrypt'))
    if (this.number(encrypt.get('V')) !== 5 || this.number(encrypt.get('R')) !== 6) {
      throw new TrawlError('ERR_PACK_UNSUPPORTED', `${path}: PDF: encrypted in another way than AES-256`)
    }
    const part = (key: string) => {
      const value = this.resolve(encrypt.get(key))
      return Buffer.isBuffer(value) ? value : Buffer.alloc(0)
    }
    const record = { u: part('U'), ue: part('UE'), o: part('O'), oe: part('OE'), perms: part('Perms') }
    if (record.u.length < 48 || record.o.length < 48 || record.ue.length < 32 || record.oe.length < 32) {
      throw this.file.damaged(0, 'the encryption dictionary is broken')
    }
    // Many documents are encrypted only to forbid things, and open with no password.
    const key = openPdfKey(password ?? '', record)
    if (key) return key
    const reason = password === undefined ? 'it needs a password' : 'the password is wrong'
    throw new TrawlError('ERR_PACK_PASSWORD', `${path}: ${reason}`, { context: { path } })
  }
}

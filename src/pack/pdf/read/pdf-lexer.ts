import { PdfKeyword, PdfName, PdfRef, type PdfDict, type PdfObject } from './pdf-object.ts'

/** Thrown where the bytes end inside an object: more of the file must be read. */
export class PdfInputEnd extends Error {}

/** Thrown for bytes that are no PDF. */
export class PdfSyntaxError extends Error {}

const maxDepth = 100
const whitespace: ReadonlySet<number> = new Set([0, 9, 10, 12, 13, 32])
const delimiters: ReadonlySet<number> = new Set(Buffer.from('()<>[]{}/%', 'latin1'))

/**
 * Reads objects from bytes (ISO 32000-1, 7.2 and 7.3). Throws `PdfInputEnd` at the end of the bytes and
 * `PdfSyntaxError` for what is no object.
 */
export class PdfLexer {
  readonly #bytes: Buffer
  position: number

  constructor(bytes: Buffer, position = 0) {
    this.#bytes = bytes
    this.position = position
  }

  /** The next object; two numbers and `R` are a reference. */
  object(depth = 0): PdfObject {
    if (depth > maxDepth) throw new PdfSyntaxError('objects nest too deep')
    const token = this.#token(depth)
    if (typeof token !== 'number' || !Number.isInteger(token) || token < 0) return token
    return this.#reference(token) ?? token
  }

  /** Skips white space and comments; false at the end of the bytes. */
  skip(): boolean {
    while (this.position < this.#bytes.length) {
      const byte = this.#bytes[this.position] ?? 0
      if (byte === 0x25) this.#skipComment()
      else if (whitespace.has(byte)) this.position++
      else return true
    }
    return false
  }

  #skipComment(): void {
    while (this.position < this.#bytes.length) {
      const byte = this.#bytes[this.position]
      if (byte === 10 || byte === 13) return
      this.position++
    }
  }

  #token(depth: number): PdfObject {
    if (!this.skip()) throw new PdfInputEnd()
    const byte = this.#bytes[this.position] ?? 0
    const next = this.#bytes[this.position + 1]
    if (byte === 0x2f) return this.#name()
    if (byte === 0x28) return this.#literal()
    if (byte === 0x5b) return this.#array(depth)
    if (byte === 0x3c) {
      if (next === undefined) throw new PdfInputEnd()
      return next === 0x3c ? this.#dict(depth) : this.#hex()
    }
    return this.#word()
  }

  /** `12 0 R` after the 12; puts the position back where it is none. */
  #reference(id: number): PdfRef | undefined {
    const back = this.position
    const rest = /^[\0\t\n\f\r ]+(\d{1,5})[\0\t\n\f\r ]+R(?![A-Za-z0-9])/.exec(
      this.#bytes.toString('latin1', back, back + 32),
    )
    if (!rest) {
      if (this.#bytes.length - back < 16 && !this.#endsObject(back)) throw new PdfInputEnd()
      return undefined
    }
    this.position = back + rest[0].length
    return new PdfRef(id, Number(rest[1]))
  }

  /** Near the end of the bytes: is it plain that no `R` follows? */
  #endsObject(at: number): boolean {
    return /^[\0\t\n\f\r ]*([^\d\0\t\n\f\r ]|\d+([^\d\0\t\n\f\r ]|[\0\t\n\f\r ]+[^R\0\t\n\f\r ]))/.test(
      this.#bytes.toString('latin1', at),
    )
  }

  #word(): PdfObject {
    const start = this.position
    while (this.position < this.#bytes.length) {
      const byte = this.#bytes[this.position] ?? 0
      if (whitespace.has(byte) || delimiters.has(byte)) break
      this.position++
    }
    if (this.position === this.#bytes.length) throw new PdfInputEnd()
    if (this.position === start) throw new PdfSyntaxError(`unexpected byte ${this.#bytes[start] ?? 0}`)
    const word = this.#bytes.toString('latin1', start, this.position)
    if (/^[+-]?(\d+\.?\d*|\.\d+)$/.test(word)) return Number(word)
    if (word === 'true') return true
    if (word === 'false') return false
    return word === 'null' ? null : new PdfKeyword(word)
  }

  #name(): PdfName {
    const start = ++this.position
    while (this.position < this.#bytes.length) {
      const byte = this.#bytes[this.position] ?? 0
      if (whitespace.has(byte) || delimiters.has(byte)) break
      this.position++
    }
    if (this.position === this.#bytes.length) throw new PdfInputEnd()
    const raw = this.#bytes.toString('latin1', start, this.position)
    return new PdfName(
      raw.replaceAll(/#([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    )
  }

  #array(depth: number): PdfObject[] {
    this.position++
    const out: PdfObject[] = []
    for (;;) {
      if (!this.skip()) throw new PdfInputEnd()
      if (this.#bytes[this.position] === 0x5d) {
        this.position++
        return out
      }
      out.push(this.object(depth + 1))
    }
  }

  #dict(depth: number): PdfDict {
    this.position += 2
    const out: PdfDict = new Map()
    for (;;) {
      if (!this.skip()) throw new PdfInputEnd()
      if (this.#bytes[this.position] === 0x3e) {
        this.position += 2
        return out
      }
      const key = this.object(depth + 1)
      if (!(key instanceof PdfName)) throw new PdfSyntaxError('a key is no name')
      out.set(key.name, this.object(depth + 1))
    }
  }

  #hex(): Buffer {
    const end = this.#bytes.indexOf(0x3e, this.position)
    if (end < 0) throw new PdfInputEnd()
    const digits = this.#bytes.toString('latin1', this.position + 1, end).replaceAll(/[^0-9a-fA-F]/g, '')
    this.position = end + 1
    return Buffer.from(digits.length % 2 === 1 ? `${digits}0` : digits, 'hex')
  }

  #literal(): Buffer {
    const out: number[] = []
    let open = 1
    for (let i = this.position + 1; ; i++) {
      const byte = this.#bytes[i]
      if (byte === undefined) throw new PdfInputEnd()
      if (byte === 0x5c) {
        const { value, used } = this.#escape(i + 1)
        if (value !== undefined) out.push(value)
        i += used
        continue
      }
      if (byte === 0x28) open++
      if (byte === 0x29) open--
      if (open === 0) {
        this.position = i + 1
        return Buffer.from(out)
      }
      out.push(byte)
    }
  }

  /** What follows a backslash (table 3). */
  #escape(at: number): { readonly value?: number; readonly used: number } {
    const text = this.#bytes.toString('latin1', at, at + 3)
    if (text === '') throw new PdfInputEnd()
    const octal = /^[0-7]{1,3}/.exec(text)
    if (octal) return { value: Number.parseInt(octal[0], 8) & 0xff, used: octal[0].length }
    if (text.startsWith('\r\n')) return { used: 2 }
    if (text.startsWith('\r') || text.startsWith('\n')) return { used: 1 }
    const plain = { n: 10, r: 13, t: 9, b: 8, f: 12 }[text[0] ?? '']
    return { value: plain ?? text.charCodeAt(0), used: 1 }
  }
}

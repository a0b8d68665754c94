import { deflateSync, crc32 } from 'node:zlib'
import { readParts, type StreamPart } from '../image-bytes/index.ts'
import type { PartFile } from '../part-file/index.ts'
import type { PdfCipher } from './encryption.ts'
import { pdfString, pdfTextBytes } from './pdf-syntax.ts'

/** Where the bytes of a stream lie, and what they are. */
export interface WrittenStream {
  readonly offset: number
  readonly length: number
  /** CRC-32 of the bytes before encryption. */
  readonly crc: number
}

/** Above this the offsets of a classic cross-reference table have too few digits (ISO 32000-1, 7.5.4). */
const classicLimitBytes = 10_000_000_000

/**
 * Writes the objects of a PDF one after the other. Of each object only the offset stays in memory.
 */
export class ObjectFile {
  readonly #part: PartFile
  readonly #cipher: PdfCipher | undefined
  /** By object number; 0 for one that is not written. */
  #offsets = new Float64Array(1024)
  #count = 1

  constructor(part: PartFile, cipher: PdfCipher | undefined) {
    this.#part = part
    this.#cipher = cipher
  }

  /** A number for an object that is written now or later. */
  allocate(): number {
    const id = this.#count++
    if (id >= this.#offsets.length) {
      const grown = new Float64Array(this.#offsets.length * 2)
      grown.set(this.#offsets)
      this.#offsets = grown
    }
    return id
  }

  /** A text string, encrypted where the document is. */
  text(value: string): string {
    return this.#string(pdfTextBytes(value))
  }

  async write(id: number, body: string): Promise<void> {
    await this.#begin()
    this.#offsets[id] = this.#part.position
    await this.#part.put(Buffer.from(`${id} 0 obj\n${body}\nendobj\n`, 'latin1'))
  }

  /** Writes a stream from pieces; `entries` are those of its dictionary besides the length. */
  async writeStream(id: number, entries: string, parts: readonly StreamPart[]): Promise<WrittenStream> {
    const plainBytes = parts.reduce((sum, part) => sum + part.length, 0)
    const length = this.#cipher ? this.#cipher.lengthOf(plainBytes) : plainBytes
    await this.#begin()
    this.#offsets[id] = this.#part.position
    await this.#part.put(Buffer.from(`${id} 0 obj\n<< ${entries} /Length ${length} >>\nstream\n`, 'latin1'))
    const offset = this.#part.position
    const crc = await this.#putParts(parts)
    await this.#part.put(Buffer.from('\nendstream\nendobj\n', 'latin1'))
    return { offset, length, crc }
  }

  /** Cross-reference and trailer. `xrefStreamAboveBytes` is for tests. */
  async end(trailer: string, xrefStreamAboveBytes = classicLimitBytes): Promise<void> {
    if (this.#part.position < xrefStreamAboveBytes) await this.#classicTable(trailer)
    else await this.#xrefStream(trailer)
  }

  /** Header and the comment that marks the file as binary (7.5.2), before the first object. */
  async #begin(): Promise<void> {
    if (this.#part.position === 0)
      await this.#part.put(Buffer.from('%PDF-1.7\n%\xe2\xe3\xcf\xd3\n', 'latin1'))
  }

  #string(bytes: Buffer): string {
    return pdfString(this.#cipher ? this.#cipher.encrypt(bytes) : bytes)
  }

  async #putParts(parts: readonly StreamPart[]): Promise<number> {
    let crc = 0
    const [only] = parts
    if (!this.#cipher && parts.length === 1 && only && !Buffer.isBuffer(only)) {
      await this.#part.copy(only, (piece) => {
        crc = crc32(piece, crc)
      })
      return crc
    }
    const stream = this.#cipher?.begin()
    if (stream) await this.#part.put(stream.head)
    for await (const piece of readParts(parts)) {
      crc = crc32(piece, crc)
      await this.#part.put(stream ? stream.update(piece) : piece)
    }
    if (stream) await this.#part.put(stream.end())
    return crc
  }

  /** The table of 20 bytes an object (7.5.4). */
  async #classicTable(trailer: string): Promise<void> {
    const start = this.#part.position
    await this.#part.put(Buffer.from(`xref\n0 ${this.#count}\n0000000000 65535 f \n`, 'latin1'))
    const step = 4096
    for (let from = 1; from < this.#count; from += step) {
      let lines = ''
      for (let id = from; id < Math.min(from + step, this.#count); id++) {
        const offset = this.#offsets[id] ?? 0
        lines += offset === 0 ? '0000000000 65535 f \n' : `${String(offset).padStart(10, '0')} 00000 n \n`
      }
      await this.#part.put(Buffer.from(lines, 'latin1'))
    }
    await this.#part.put(
      Buffer.from(`trailer\n<< /Size ${this.#count} ${trailer} >>\nstartxref\n${start}\n%%EOF\n`, 'latin1'),
    )
  }

  /** The same as a stream with offsets of eight bytes (7.5.8); never encrypted. */
  async #xrefStream(trailer: string): Promise<void> {
    const id = this.allocate()
    const start = this.#part.position
    this.#offsets[id] = start
    const rows = Buffer.alloc(this.#count * 11)
    for (let i = 0; i < this.#count; i++) {
      const offset = this.#offsets[i] ?? 0
      rows[i * 11] = offset === 0 ? 0 : 1
      rows.writeBigUInt64BE(BigInt(offset), i * 11 + 1)
      rows.writeUInt16BE(offset === 0 ? 65_535 : 0, i * 11 + 9)
    }
    const body = deflateSync(rows)
    const entries = `/Type /XRef /Size ${this.#count} /W [1 8 2] /Filter /FlateDecode ${trailer}`
    await this.#part.put(Buffer.from(`${id} 0 obj\n<< ${entries} /Length ${body.length} >>\n`, 'latin1'))
    await this.#part.put(Buffer.from('stream\n', 'latin1'))
    await this.#part.put(body)
    await this.#part.put(Buffer.from(`\nendstream\nendobj\nstartxref\n${start}\n%%EOF\n`, 'latin1'))
  }
}

import { fstatSync } from 'node:fs'
import { TrawlError } from '../../../core/index.ts'
import { readUpTo } from '../../part-file/index.ts'
import { PdfInputEnd, PdfLexer, PdfSyntaxError } from './pdf-lexer.ts'
import { PdfKeyword, type PdfDict, type PdfObject } from './pdf-object.ts'

/** An object where it stands in the file; of a stream the place of its bytes. */
export interface PlacedObject {
  readonly id: number
  readonly value: PdfObject
  /** Where the bytes of a stream begin; undefined for what is no stream. */
  readonly streamStart?: number
}

const firstReadBytes = 1024
const maxObjectBytes = 64 * 1024 * 1024

/** A PDF at random access, below the level of references. Throws ERR_PACK_DAMAGED. */
export class PdfFile {
  readonly path: string
  readonly sizeBytes: number
  readonly #fd: number

  constructor(fd: number, path: string) {
    this.#fd = fd
    this.path = path
    this.sizeBytes = fstatSync(fd).size
  }

  /** Up to `length` bytes at `offset`. */
  bytes(offset: number, length: number): Buffer {
    const out = Buffer.alloc(Math.max(0, Math.min(length, this.sizeBytes - offset)))
    return out.subarray(0, readUpTo(this.#fd, out, offset))
  }

  /** The indirect object that begins at `offset`. */
  objectAt(offset: number): PlacedObject {
    if (offset >= this.sizeBytes) throw this.damaged(offset, 'an object lies behind the end of the file')
    return this.#growing(offset, (lexer) => {
      const id = lexer.object()
      const generation = lexer.object()
      const keyword = lexer.object()
      if (typeof id !== 'number' || typeof generation !== 'number' || !isWord(keyword, 'obj')) {
        throw new PdfSyntaxError('no object begins here')
      }
      const value = lexer.object()
      const after = lexer.object()
      if (!isWord(after, 'stream')) return { id, value }
      return { id, value, streamStart: offset + lexer.position + this.#lineEnd(offset + lexer.position) }
    })
  }

  /** The trailer of the classic table at `offset`, and where its entries stand. */
  tableAt(
    offset: number,
  ): { readonly sections: readonly TableSection[]; readonly trailer: PdfDict } | undefined {
    if (this.bytes(offset, 4).toString('latin1') !== 'xref') return undefined
    return this.#growing(offset + 4, (lexer) => {
      const sections: TableSection[] = []
      for (;;) {
        const first = lexer.object()
        if (isWord(first, 'trailer')) break
        const count = lexer.object()
        if (typeof first !== 'number' || typeof count !== 'number' || !lexer.skip()) {
          throw new PdfSyntaxError('the cross-reference table is broken')
        }
        sections.push({ first, count, start: offset + 4 + lexer.position })
        lexer.position += count * 20
      }
      const trailer = lexer.object()
      if (!(trailer instanceof Map)) throw new PdfSyntaxError('the trailer is no dictionary')
      return { sections, trailer }
    })
  }

  damaged(offset: number, reason: string): TrawlError {
    return new TrawlError('ERR_PACK_DAMAGED', `${this.path}: PDF at byte ${offset}: ${reason}`, {
      context: { path: this.path, offset },
    })
  }

  /** Parses from a piece of the file, and from a larger one as long as it is too short. */
  #growing<T>(offset: number, parse: (lexer: PdfLexer) => T): T {
    for (let length = firstReadBytes; ; length *= 8) {
      const bytes = this.bytes(offset, length)
      try {
        return parse(new PdfLexer(bytes))
      } catch (error) {
        const more = error instanceof PdfInputEnd && bytes.length === length && length < maxObjectBytes
        if (more) continue
        if (error instanceof PdfInputEnd) throw this.damaged(offset, 'an object has no end')
        if (error instanceof PdfSyntaxError) throw this.damaged(offset, error.message)
        throw error
      }
    }
  }

  /** Bytes of the line end after `stream`: CR LF or LF. */
  #lineEnd(offset: number): number {
    const [a, b] = this.bytes(offset, 2)
    if (a === 13 && b === 10) return 2
    return a === 10 || a === 13 ? 1 : 0
  }
}

/** A run of entries of a classic cross-reference table. */
export interface TableSection {
  readonly first: number
  readonly count: number
  readonly start: number
}

function isWord(value: PdfObject, word: string): boolean {
  return value instanceof PdfKeyword && value.word === word
}

import {
  digestHexLength,
  TrawlError,
  toTrawlError,
  type Digest,
  type ErrorCode,
  type PieceHashes,
  type Place,
} from '../../core/index.ts'
import { safeRelativePath } from '../../storage/index.ts'
import type { ListEntry } from '../lists/list-entry.ts'
import { urlFault } from '../lists/url-check.ts'
import { algorithmOf, bestPieces, shown, type MetalinkPieces } from './metalink-pieces.ts'
import type { Position } from './position.ts'

/** What the elements of one file say goes here, as they come. */
export interface MetalinkFileContext {
  /** The document, as messages name it. */
  readonly document: string
  readonly notice: (message: string) => void
}

/** An address without a priority comes after all others (RFC 5854, 4.2.16). */
const lowestPriority = 999_999

/** One `file` element of a Metalink while it is being read. */
export class MetalinkFile {
  readonly #context: MetalinkFileContext
  readonly #start: Position
  readonly #name: string | undefined
  readonly #places: Place[] = []
  readonly #digests: Digest[] = []
  readonly #pieces: MetalinkPieces[] = []
  #sizeBytes: number | undefined
  #leftOut = 0
  #fault: TrawlError | undefined

  constructor(context: MetalinkFileContext, start: Position, name: string | undefined) {
    this.#context = context
    this.#start = start
    this.#name = name
    this.#checkName()
  }

  size(text: string, at: Position): void {
    const size = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(size)) {
      this.#refuse('ERR_INPUT_INVALID', at, `the size must be a number of bytes, not ${shown(text)}`)
    } else if (this.#sizeBytes !== undefined && this.#sizeBytes !== size) {
      this.#refuse('ERR_INPUT_INVALID', at, `two sizes, ${this.#sizeBytes} and ${size}`)
    } else this.#sizeBytes = size
  }

  /** A checksum; those of algorithms that trawl does not compute are passed over. */
  hash(type: string | undefined, text: string, at: Position): void {
    if (type === undefined) {
      return this.#refuse('ERR_INPUT_INVALID', at, 'a hash without a type')
    }
    const algorithm = algorithmOf(type)
    if (algorithm === undefined) return undefined
    const value = text.toLowerCase()
    if (!/^[0-9a-f]*$/.test(value) || value.length !== digestHexLength[algorithm]) {
      const digits = digestHexLength[algorithm]
      return this.#refuse(
        'ERR_INPUT_INVALID',
        at,
        `a ${algorithm} hash has ${digits} hexadecimal digits, not ${shown(text)}`,
      )
    }
    const twin = this.#digests.find((digest) => digest.algorithm === algorithm)
    if (twin === undefined) this.#digests.push({ algorithm, value })
    else if (twin.value !== value) {
      this.#refuse('ERR_INPUT_INVALID', at, `two ${algorithm} hashes that differ`)
    }
    return undefined
  }

  pieces(pieces: MetalinkPieces): void {
    this.#pieces.push(pieces)
  }

  /** An address. What cannot be used is left out and told; the others are as good without it. */
  url(text: string, priority: string | undefined, at: Position): void {
    const fault = urlFault(text)
    if (fault !== undefined) {
      this.#leftOut++
      const why = fault === 'scheme' ? 'has a scheme that cannot be downloaded' : 'is not a URL'
      return this.#tell(at, `${shown(text)} ${why}; the address is left out`)
    }
    let rank = lowestPriority
    if (priority !== undefined) {
      const given = /^\s*\d{1,6}\s*$/.test(priority) ? Number(priority) : 0
      if (given >= 1) rank = given
      else this.#tell(at, `the priority must be a number from 1 to 999999, not ${shown(priority)}`)
    }
    if (!this.#places.some((place) => place.url === text)) this.#places.push({ url: text, rank })
    return undefined
  }

  /** The file as an entry of a list: its addresses by priority, or what is wrong with it. */
  entry(): ListEntry {
    const { line } = this.#start
    if (this.#places.length === 0) {
      const why = this.#leftOut > 0 ? 'no address that can be used' : 'no address (url)'
      this.#refuse('ERR_INPUT_INVALID', this.#start, `the file ${shown(this.#name ?? '')} has ${why}`)
    }
    const pieces = this.#bestPieces()
    if (this.#fault) return { line, text: this.#name ?? this.#context.document, error: this.#fault }
    return {
      line,
      places: this.#places.toSorted((a, b) => (a.rank ?? 0) - (b.rank ?? 0)),
      options: {
        ...(this.#name === undefined ? {} : { out: this.#name }),
        ...(this.#digests.length === 0 ? {} : { digests: this.#digests }),
        ...(pieces === undefined ? {} : { pieces }),
        ...(this.#sizeBytes === undefined ? {} : { sizeBytes: this.#sizeBytes }),
      },
    }
  }

  /** Only now, since the size may come after the pieces. */
  #bestPieces(): PieceHashes | undefined {
    const lists: PieceHashes[] = []
    for (const each of this.#pieces) {
      const result = each.result(this.#sizeBytes)
      if (result === undefined) continue
      if ('values' in result) lists.push(result)
      else {
        const what = `the file ${shown(this.#name ?? '')} has pieces ${result.why}`
        this.#refuse('ERR_INPUT_INVALID', result.at, what)
      }
    }
    return bestPieces(lists)
  }

  #checkName(): void {
    if (this.#name === undefined || this.#name.trim() === '') {
      return this.#refuse('ERR_INPUT_INVALID', this.#start, 'a file without a name')
    }
    try {
      safeRelativePath(this.#name)
    } catch (error) {
      this.#refuse('ERR_PATH_UNSAFE', this.#start, toTrawlError(error).message)
    }
    return undefined
  }

  /** The first thing that is wrong is what people are told. */
  #refuse(code: ErrorCode, at: Position, why: string): void {
    this.#fault ??= metalinkError(code, this.#context.document, at, why)
  }

  #tell(at: Position, what: string): void {
    this.#context.notice(`${this.#context.document}:${at.line}:${at.column}: ${what}`)
  }
}

/** An error at a place in a Metalink. */
export function metalinkError(code: ErrorCode, document: string, at: Position, why: string): TrawlError {
  return new TrawlError(code, `${document}:${at.line}:${at.column}: ${why}`, {
    context: { file: document, line: at.line, column: at.column },
  })
}

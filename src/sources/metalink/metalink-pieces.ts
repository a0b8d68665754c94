import {
  coversFile,
  digestAlgorithms,
  digestHexLength,
  type DigestAlgorithm,
  type PieceHashes,
} from '../../core/index.ts'
import type { Position } from './position.ts'

/** Where a Metalink is wrong, and what about it. */
export interface Wrong {
  readonly at: Position
  readonly why: string
}

const algorithmNames: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ...digestAlgorithms.map((name) => [name, name] as const),
  ['sha1', 'sha-1'],
  ['sha256', 'sha-256'],
  ['sha512', 'sha-512'],
])

/** The algorithm of a `type` attribute; undefined where trawl does not compute it. */
export function algorithmOf(type: string): DigestAlgorithm | undefined {
  return algorithmNames.get(type.trim().toLowerCase())
}

/** Text of a document as messages quote it. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}...` : text)
}

/** One `pieces` element of a file while it is being read. */
export class MetalinkPieces {
  readonly #at: Position
  readonly #algorithm: DigestAlgorithm | undefined
  readonly #pieceBytes: number = 0
  readonly #values: string[] = []
  #wrong: Wrong | undefined

  constructor(given: { readonly length?: string; readonly type?: string }, at: Position) {
    this.#at = at
    const { length, type } = given
    if (type === undefined) this.#refuse(at, 'without a type')
    else this.#algorithm = algorithmOf(type)
    if (length === undefined) this.#refuse(at, 'without a length')
    else {
      this.#pieceBytes = /^\s*\d{1,16}\s*$/.test(length) ? Number(length) : 0
      if (this.#pieceBytes < 1 || !Number.isSafeInteger(this.#pieceBytes))
        this.#refuse(at, `whose length must be a number of bytes from 1, not ${shown(length)}`)
    }
  }

  /** The next piece's. */
  hash(text: string, at: Position): void {
    const algorithm = this.#algorithm
    if (algorithm === undefined) return
    const value = text.trim().toLowerCase()
    const digits = digestHexLength[algorithm]
    this.#values.push(value)
    if (/^[0-9a-f]*$/.test(value) && value.length === digits) return
    const number = this.#values.length
    this.#refuse(
      at,
      `whose hash ${number} is wrong: a ${algorithm} hash has ${digits} hexadecimal digits, not ${shown(text.trim())}`,
    )
  }

  /** The hashes; what is wrong with them; undefined where they are of an algorithm that trawl does not compute. */
  result(sizeBytes: number | undefined): PieceHashes | Wrong | undefined {
    if (this.#wrong) return this.#wrong
    if (this.#algorithm === undefined) return undefined
    const pieceBytes = this.#pieceBytes
    const pieces = { algorithm: this.#algorithm, pieceBytes, values: this.#values }
    if (sizeBytes === undefined || coversFile(pieces, sizeBytes)) return pieces
    const count = Math.ceil(sizeBytes / pieceBytes)
    const hashes = `${this.#values.length} ${this.#values.length === 1 ? 'hash' : 'hashes'}`
    const why = `of ${pieceBytes} bytes, ${count} for its ${sizeBytes} bytes, but ${hashes}`
    return { at: this.#at, why }
  }

  /** The first thing that is wrong is what people are told. */
  #refuse(at: Position, why: string): void {
    this.#wrong ??= { at, why }
  }
}

/** Those of several lists of pieces that tell most: of the strongest algorithm, of it the shortest pieces. */
export function bestPieces(lists: readonly PieceHashes[]): PieceHashes | undefined {
  const strength = ({ algorithm }: PieceHashes): number => digestAlgorithms.indexOf(algorithm)
  return lists.toSorted((a, b) => strength(a) - strength(b) || a.pieceBytes - b.pieceBytes)[0]
}

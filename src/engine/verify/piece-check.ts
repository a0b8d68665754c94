import { coversFile, TrawlError, type Digest, type Extent, type PieceHashes } from '../../core/index.ts'
import { ByteCounter } from './byte-counter.ts'

/** A piece with other bytes than it should have. */
interface WrongPiece {
  readonly index: number
  readonly got: string
}

/** Compares a file with the hashes of its pieces while its bytes pass, in order. */
export class PieceCheck {
  readonly #pieces: PieceHashes
  readonly #url: string
  readonly #wrong: WrongPiece[] = []
  #index = 0
  #counter: ByteCounter

  constructor(pieces: PieceHashes, url: string) {
    this.#pieces = pieces
    this.#url = url
    this.#counter = new ByteCounter([pieces.algorithm])
  }

  update(chunk: Buffer): void {
    const { pieceBytes } = this.#pieces
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + pieceBytes - this.#counter.count)
      this.#counter.update(part)
      at += part.length
      if (this.#counter.count === pieceBytes) this.#endPiece()
    }
  }

  /**
   * After the last byte. Throws ERR_LENGTH_MISMATCH where the file has more or fewer pieces than there are hashes, and
   * a WrongPiecesError where pieces are wrong.
   */
  end(): void {
    const { pieceBytes } = this.#pieces
    const lengthBytes = this.#index * pieceBytes + this.#counter.count
    if (this.#counter.count > 0) this.#endPiece()
    checkPieceCount(this.#pieces, lengthBytes, this.#url)
    const [first] = this.#wrong
    if (!first) return
    const extents = this.#wrong.map(({ index }) => extentOf(index, pieceBytes, lengthBytes))
    throw new WrongPiecesError(this.#describe(first, lengthBytes), {
      url: this.#url,
      digest: { algorithm: this.#pieces.algorithm, value: first.got },
      extents,
    })
  }

  #endPiece(): void {
    const [digest] = this.#counter.digests()
    const got = digest?.value ?? ''
    if (this.#pieces.values[this.#index] !== got) this.#wrong.push({ index: this.#index, got })
    this.#index++
    this.#counter = new ByteCounter([this.#pieces.algorithm])
  }

  #describe({ index, got }: WrongPiece, lengthBytes: number): string {
    const { algorithm, pieceBytes, values } = this.#pieces
    const { start, end } = extentOf(index, pieceBytes, lengthBytes)
    const more = this.#wrong.length - 1
    const others = more === 0 ? '' : `; ${more} more ${more === 1 ? 'piece is' : 'pieces are'} wrong`
    const which = `piece ${index + 1} of ${values.length} (bytes ${start}-${end - 1})`
    return `${which} is wrong: its ${algorithm} is ${got}, expected ${values[index]}${others}`
  }
}

/** ERR_DIGEST_MISMATCH of pieces. The rest of the file is right, and need not come again. */
export class WrongPiecesError extends TrawlError {
  /** Where the wrong bytes are, in order. */
  readonly extents: readonly Extent[]

  constructor(
    message: string,
    what: { readonly url: string; readonly digest: Digest; readonly extents: readonly Extent[] },
  ) {
    const { url, digest, extents } = what
    super('ERR_DIGEST_MISMATCH', message, {
      context: { url, algorithm: digest.algorithm, got: digest.value },
    })
    this.extents = extents
  }
}

/** Throws ERR_LENGTH_MISMATCH where a file of this length is not the one whose pieces are known. */
export function checkPieceCount(pieces: PieceHashes | undefined, lengthBytes: number, url: string): void {
  if (!pieces || coversFile(pieces, lengthBytes)) return
  const { pieceBytes, values } = pieces
  const message = `${values.length} pieces of ${pieceBytes} bytes are expected, the file has ${lengthBytes} bytes`
  throw new TrawlError('ERR_LENGTH_MISMATCH', message, {
    retry: 'never',
    context: { url, got: lengthBytes },
  })
}

/** What is left of extents without others; both in order. */
export function withoutExtents(extents: readonly Extent[], without: readonly Extent[]): Extent[] {
  let left = [...extents]
  for (const hole of without) {
    left = left.flatMap(({ start, end }) =>
      [
        { start, end: Math.min(end, hole.start) },
        { start: Math.max(start, hole.end), end },
      ].filter((each) => each.end > each.start),
    )
  }
  return left
}

function extentOf(index: number, pieceBytes: number, lengthBytes: number): Extent {
  return { start: index * pieceBytes, end: Math.min((index + 1) * pieceBytes, lengthBytes) }
}

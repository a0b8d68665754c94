import type { DigestAlgorithm } from './digest.ts'

/** Checksums of the pieces of a file, which all have one length but the last. */
export interface PieceHashes {
  readonly algorithm: DigestAlgorithm
  /** Of every piece but the last, which may be shorter. */
  readonly pieceBytes: number
  /** One for each piece, from the start of the file; lower-case hexadecimal. */
  readonly values: readonly string[]
}

/** Whether as many pieces as there are hashes make up a file of this length. */
export function coversFile({ pieceBytes, values }: PieceHashes, lengthBytes: number): boolean {
  return Math.ceil(lengthBytes / pieceBytes) === values.length
}

import type { ByteSource } from '../bytes/byte-source.ts'

const STEP_BYTES = 512
const PIECE_BYTES = 1 << 20

/** A stretch of zero bytes. */
export interface ZeroRun {
  readonly offset: number
  readonly length: number
}

/**
 * The first run of at least `minBytes` zero bytes (1024 or more). Compressed pictures hardly ever hold one, while a
 * part of a file that was never written is nothing else. Looks at every 512th byte, so it costs next to nothing.
 */
export async function findZeroRun(source: ByteSource, minBytes: number): Promise<ZeroRun | undefined> {
  const zeros = Buffer.alloc(STEP_BYTES)
  let start = -1
  for (let at = 0; at < source.sizeBytes;) {
    const piece = await source.read(at, PIECE_BYTES)
    if (piece.length === 0) break
    for (let i = 0; i < piece.length; i += STEP_BYTES) {
      const block = piece.subarray(i, i + STEP_BYTES)
      const empty = block[0] === 0 && block.equals(zeros.subarray(0, block.length))
      if (empty) {
        if (start < 0) start = at + i
        if (at + i + block.length - start >= minBytes) return { offset: start, length: minBytes }
      } else start = -1
    }
    at += piece.length
  }
  return undefined
}

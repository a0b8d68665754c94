import { crc32 } from 'node:zlib'
import { TrawlError, type Extent } from '../../core/index.ts'
import type { Sink } from '../../storage/index.ts'

/** Bytes before a part that are fetched with it, to be compared. */
const seamBytes = 64 * 1024

/** The bytes before one part, as they come with it. */
export interface Seam {
  readonly start: number
  readonly end: number
  /** What is there, where it can be compared at once. */
  readonly expected: Buffer | undefined
  /** One after the last byte that came. */
  at: number
  crc32: number
}

/**
 * Where nothing identifies the version of a file for sure, each part is fetched with the bytes before it, and these
 * are compared with what is there: at once where they are of an earlier run, else when the file is whole.
 */
export class SeamCheck {
  readonly #sink: Sink
  readonly #kept: readonly Extent[]
  readonly #open: Seam[] = []

  /** `kept` is there from an earlier run. */
  constructor(sink: Sink, kept: readonly Extent[]) {
    this.#sink = sink
    this.#kept = kept
  }

  /** The bytes to be fetched before a part that begins at `end`. Undefined where they could not be compared. */
  before(end: number): Seam | undefined {
    if (end === 0 || !this.#sink.properties.readable) return undefined
    const start = Math.max(0, end - seamBytes)
    const isKept = this.#kept.some((each) => each.start <= start && each.end >= end)
    const expected = isKept ? this.#sink.read(start, end - start) : undefined
    return { start, end, expected, at: start, crc32: 0 }
  }

  /** Takes bytes that begin at `offset`, all of them before the part. Throws ERR_ENTITY_CHANGED. */
  take(seam: Seam, offset: number, bytes: Buffer): void {
    const from = seam.at - offset
    if (from < 0 || from >= bytes.length || seam.at >= seam.end) return
    const part = bytes.subarray(from, from + seam.end - seam.at)
    if (seam.expected) {
      const first = seam.at - seam.start
      if (part.compare(seam.expected, first, first + part.length) !== 0) throw differs(seam)
    }
    seam.crc32 = crc32(part, seam.crc32)
    seam.at += part.length
    if (seam.at >= seam.end && !seam.expected) this.#open.push(seam)
  }

  /** Compares what could not be compared before; all bytes are in the sink. Throws ERR_ENTITY_CHANGED. */
  finish(): void {
    for (const seam of this.#open) {
      const there = this.#sink.read(seam.start, seam.end - seam.start)
      if (crc32(there) !== seam.crc32) throw differs(seam)
    }
  }
}

function differs(seam: Seam): TrawlError {
  return new TrawlError(
    'ERR_ENTITY_CHANGED',
    `bytes ${seam.start}-${seam.end - 1} differ from what the server sent before`,
  )
}

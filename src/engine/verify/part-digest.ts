import type { Digest } from '../../core/index.ts'
import { headerValue, parseContentRange, type TransportResponse } from '../../http/index.ts'
import { contentDigest } from './announced-digests.ts'
import { ByteCounter } from './byte-counter.ts'
import { verifyDigests } from './verify-digests.ts'

/** Compares the bytes of one partial answer with what its Content-Digest says of them (RFC 9530, 2). */
export class PartDigest {
  readonly #expected: Digest
  readonly #url: string
  readonly #lengthBytes: number
  readonly #counter: ByteCounter

  constructor(expected: Digest, url: string, lengthBytes: number) {
    this.#expected = expected
    this.#url = url
    this.#lengthBytes = lengthBytes
    this.#counter = new ByteCounter([expected.algorithm])
  }

  /** All bytes of the answer, in order. */
  update(chunk: Buffer): void {
    this.#counter.update(chunk)
  }

  /** Throws ERR_DIGEST_MISMATCH. Says nothing where the answer was not read to its end. */
  check(): void {
    if (this.#counter.count !== this.#lengthBytes) return
    verifyDigests([this.#expected], this.#counter.digests(), this.#url)
  }
}

/** The check that a partial answer asks for; undefined for most, which say nothing of their bytes. */
export function partDigestOf({ url, headers }: TransportResponse): PartDigest | undefined {
  const expected = contentDigest(headers)
  const range = expected && parseContentRange(headerValue(headers, 'content-range'))
  return expected && range && new PartDigest(expected, url, range.end - range.start)
}

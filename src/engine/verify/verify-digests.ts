import { TrawlError, type Digest } from '../../core/index.ts'

/** Throws ERR_DIGEST_MISMATCH when one of the expected digests was computed with another value. */
export function verifyDigests(
  expected: readonly Digest[],
  computed: readonly Digest[],
  url: string,
  says = 'expected',
): void {
  for (const want of expected) {
    const got = computed.find((digest) => digest.algorithm === want.algorithm)
    if (got && got.value !== want.value.toLowerCase()) {
      throw new TrawlError(
        'ERR_DIGEST_MISMATCH',
        `${want.algorithm} is ${got.value}, ${says} ${want.value}`,
        { context: { url, algorithm: want.algorithm, got: got.value } },
      )
    }
  }
}

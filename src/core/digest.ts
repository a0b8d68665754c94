/** Checksum algorithms, by their names in the IANA registry of RFC 9530. */
export const digestAlgorithms = ['sha-256', 'sha-512', 'sha-1', 'md5', 'crc32c'] as const
export type DigestAlgorithm = (typeof digestAlgorithms)[number]

/** A checksum of a whole file; `value` is lower-case hexadecimal. */
export interface Digest {
  readonly algorithm: DigestAlgorithm
  readonly value: string
}

/** Length of the hexadecimal form of each algorithm, in characters. */
export const digestHexLength: Readonly<Record<DigestAlgorithm, number>> = {
  'sha-256': 64,
  'sha-512': 128,
  'sha-1': 40,
  md5: 32,
  crc32c: 8,
}

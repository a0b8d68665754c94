import { digestAlgorithms, TrawlError, type Digest } from '../../core/index.ts'
import {
  headerValue,
  parseOldDigest,
  parseReprDigest,
  type ResponseHeaders,
  type TransportResponse,
} from '../../http/index.ts'

/**
 * The strongest digest of the whole file that an answer tells, by Repr-Digest, by the Digest field of old, and, where
 * the answer is the whole file, by Content-Digest (RFC 9530). One is enough: each costs a pass over the bytes.
 */
export function announcedDigest({
  status,
  headers,
}: Pick<TransportResponse, 'status' | 'headers'>): Digest | undefined {
  if (headers['repr-digest'] === undefined && headers['digest'] === undefined) {
    return status === 200 && headers['content-digest'] !== undefined ? contentDigest(headers) : undefined
  }
  const told = [
    ...parseReprDigest(fieldOf(headers, 'repr-digest')),
    ...parseOldDigest(fieldOf(headers, 'digest')),
  ]
  return strongest(told) ?? (status === 200 ? contentDigest(headers) : undefined)
}

/** The strongest digest of the bytes of this very answer, which may be a part of the file. */
export function contentDigest(headers: ResponseHeaders): Digest | undefined {
  return headers['content-digest'] === undefined
    ? undefined
    : strongest(parseReprDigest(fieldOf(headers, 'content-digest')))
}

/**
 * Throws ERR_DIGEST_MISMATCH where a server says of the file that its digest is another than the expected one: before
 * any byte of it is taken.
 */
export function checkAnnounced(
  expected: readonly Digest[] | undefined,
  told: Digest | undefined,
  url: string,
): void {
  const want = told && expected?.find((digest) => digest.algorithm === told.algorithm)
  if (!want || !told || want.value.toLowerCase() === told.value) return
  throw new TrawlError(
    'ERR_DIGEST_MISMATCH',
    `the server has a file whose ${told.algorithm} is ${told.value}, expected ${want.value}`,
    { retry: 'never', context: { url, algorithm: told.algorithm } },
  )
}

/** A field that may be repeated, as one list. */
function fieldOf(headers: ResponseHeaders, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'object' ? value.join(',') : headerValue(headers, name)
}

function strongest(digests: readonly Digest[]): Digest | undefined {
  for (const name of digestAlgorithms) {
    const found = digests.find((digest) => digest.algorithm === name)
    if (found) return found
  }
  return undefined
}

/** What servers say of the bytes of one file while it comes from them: all the same, or it is not one file. */
export class AnnouncedFile {
  readonly #expected: readonly Digest[] | undefined
  #digest: Digest | undefined

  /** `first` is what the first answer told. */
  constructor(expected: readonly Digest[] | undefined, first: Digest | undefined) {
    this.#expected = expected
    this.#digest = first
  }

  get digest(): Digest | undefined {
    return this.#digest
  }

  /**
   * Throws ERR_DIGEST_MISMATCH where a mirror has another file than was expected or than the others have, and
   * ERR_ENTITY_CHANGED where there is but one place, which told another digest before.
   */
  check(response: TransportResponse, places: number): void {
    const told = announcedDigest(response)
    if (!told) return
    const { url } = response
    checkAnnounced(this.#expected, told, url)
    this.#digest ??= told
    if (places > 1) return checkAnnounced([this.#digest], told, url)
    if (this.#digest.algorithm !== told.algorithm || this.#digest.value === told.value) return undefined
    const message = `the file changed on the server: another ${told.algorithm}`
    throw new TrawlError('ERR_ENTITY_CHANGED', message, { context: { url } })
  }
}

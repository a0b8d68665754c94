import { digestAlgorithms, digestHexLength, type Digest, type DigestAlgorithm } from '../../core/index.ts'

/** Names of algorithms in the registries of RFC 9530 and RFC 3230 (there also as `sha` and `SHA-256`). */
const algorithmNames: Readonly<Record<string, DigestAlgorithm>> = {
  ...Object.fromEntries(digestAlgorithms.map((name) => [name, name] as const)),
  sha: 'sha-1',
  sha1: 'sha-1',
  sha256: 'sha-256',
  sha512: 'sha-512',
}

/**
 * Repr-Digest or Content-Digest (RFC 9530): `sha-256=:BASE64:`. Unknown algorithms and values of a wrong length
 * are left out; a malformed field gives no digests at all.
 */
export function parseReprDigest(text: string | undefined): readonly Digest[] {
  const digests: Digest[] = []
  for (const item of members(text)) {
    const match = /^([a-z*][a-z0-9_.*-]*)\s*=\s*:([A-Za-z0-9+/]*={0,2}):\s*(?:;.*)?$/.exec(item)
    if (match === null) return []
    add(digests, match[1], match[2])
  }
  return digests
}

/** The old Digest field (RFC 3230): `SHA-256=BASE64,MD5=BASE64`. */
export function parseOldDigest(text: string | undefined): readonly Digest[] {
  const digests: Digest[] = []
  for (const item of members(text)) {
    const match = /^([A-Za-z0-9_-]+)=([A-Za-z0-9+/]+={0,2})$/.exec(item)
    if (match !== null) add(digests, match[1], match[2])
  }
  return digests
}

/** A Want-Repr-Digest field (RFC 9530, 4) that prefers the algorithms in the order given. */
export function formatWantDigest(algorithms: readonly DigestAlgorithm[]): string {
  // Preferences run from 1 to 10; 0 would mean "not acceptable".
  return algorithms.map((algorithm, i) => `${wireName(algorithm)}=${Math.max(1, 10 - i)}`).join(', ')
}

function wireName(algorithm: DigestAlgorithm): string {
  return algorithm === 'sha-1' ? 'sha' : algorithm
}

function members(text: string | undefined): readonly string[] {
  if (text === undefined) return []
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function add(digests: Digest[], name: string | undefined, base64: string | undefined): void {
  const algorithm = algorithmNames[(name ?? '').toLowerCase()]
  if (algorithm === undefined) return
  const value = Buffer.from(base64 ?? '', 'base64').toString('hex')
  if (value.length === digestHexLength[algorithm]) digests.push({ algorithm, value })
}

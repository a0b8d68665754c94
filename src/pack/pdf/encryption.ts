import { createCipheriv, createDecipheriv, createHash, randomBytes, timingSafeEqual } from 'node:crypto'

/** The entries of the encryption dictionary that a password is checked against (ISO 32000-2, table 21). */
export interface PasswordRecord {
  readonly u: Buffer
  readonly ue: Buffer
  readonly o: Buffer
  readonly oe: Buffer
  readonly perms: Buffer
}

/** Encrypts streams and strings of one document with AES-256 (ISO 32000-2, 7.6, version 5, revision 6). */
export interface PdfCipher {
  readonly record: PasswordRecord
  /** Length of the encrypted form of this many bytes: 16 of initialisation vector, then padded to whole blocks. */
  lengthOf(plainBytes: number): number
  /** A cipher for one stream or string; `head` is written first. */
  begin(): { readonly head: Buffer; update(piece: Buffer): Buffer; end(): Buffer }
  encrypt(bytes: Buffer): Buffer
}

/** Permissions: everything is allowed; the two lowest bits are reserved as zero. */
export const allPermissions = -4

/** A cipher with a fresh key that opens with `password`, for the user and the owner alike. */
export function createPdfCipher(password: string): PdfCipher {
  const key = randomBytes(32)
  const secret = passwordBytes(password)
  const user = lock(secret, key, Buffer.alloc(0))
  const owner = lock(secret, key, user.check)
  const record = { u: user.check, ue: user.key, o: owner.check, oe: owner.key, perms: permissions(key) }
  const begin = () => {
    const head = randomBytes(16)
    const cipher = createCipheriv('aes-256-cbc', key, head)
    return { head, update: (piece: Buffer) => cipher.update(piece), end: () => cipher.final() }
  }
  return {
    record,
    lengthOf: (plainBytes) => 16 + (Math.floor(plainBytes / 16) + 1) * 16,
    begin,
    encrypt(bytes) {
      const stream = begin()
      return Buffer.concat([stream.head, stream.update(bytes), stream.end()])
    },
  }
}

/** The key of a document, or undefined where the password is neither the user's nor the owner's (algorithm 2.A). */
export function openPdfKey(password: string, record: PasswordRecord): Buffer | undefined {
  const secret = passwordBytes(password)
  const check = record.u.subarray(0, 48)
  for (const [lockBytes, sealed, extra] of [
    [record.o, record.oe, check],
    [record.u, record.ue, Buffer.alloc(0)],
  ] as const) {
    const validation = lockBytes.subarray(32, 40)
    const hash = hardenedHash(secret, validation, extra)
    if (!timingSafeEqual(hash, lockBytes.subarray(0, 32))) continue
    const decipher = createDecipheriv(
      'aes-256-cbc',
      hardenedHash(secret, lockBytes.subarray(40, 48), extra),
      zeroIv,
    )
    decipher.setAutoPadding(false)
    return Buffer.concat([decipher.update(sealed.subarray(0, 32)), decipher.final()])
  }
  return undefined
}

/** Decrypts a stream or string; throws where it is not whole blocks or its padding is wrong. */
export function decryptPdfBytes(key: Buffer, bytes: Buffer): Buffer {
  if (bytes.length < 32) return Buffer.alloc(0)
  const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16))
  return Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()])
}

const zeroIv = Buffer.alloc(16)

/** Passwords are at most 127 bytes of UTF-8, in compatibility form as SASLprep asks (RFC 4013). */
function passwordBytes(password: string): Buffer {
  return Buffer.from(password.normalize('NFKC')).subarray(0, 127)
}

/** The 48 bytes that check a password and the key sealed with it (algorithms 8 and 9). */
function lock(secret: Buffer, key: Buffer, extra: Buffer): { check: Buffer; key: Buffer } {
  const validation = randomBytes(8)
  const salt = randomBytes(8)
  const check = Buffer.concat([hardenedHash(secret, validation, extra), validation, salt])
  const cipher = createCipheriv('aes-256-cbc', hardenedHash(secret, salt, extra), zeroIv)
  cipher.setAutoPadding(false)
  return { check, key: Buffer.concat([cipher.update(key), cipher.final()]) }
}

/** Algorithm 2.B: rounds of AES-128 and SHA-2 until the last byte says that it is enough. */
function hardenedHash(secret: Buffer, salt: Buffer, extra: Buffer): Buffer {
  let k = createHash('sha256').update(secret).update(salt).update(extra).digest()
  for (let round = 1; ; round++) {
    const once = Buffer.concat([secret, k, extra])
    const repeated = Buffer.concat(Array.from({ length: 64 }, () => once))
    const cipher = createCipheriv('aes-128-cbc', k.subarray(0, 16), k.subarray(16, 32))
    cipher.setAutoPadding(false)
    const e = cipher.update(repeated)
    // The first 16 bytes as a number modulo 3: since 256 is 1 modulo 3, the sum of the bytes will do.
    const sum = e.subarray(0, 16).reduce((total, byte) => total + byte, 0)
    k = createHash(['sha256', 'sha384', 'sha512'][sum % 3] ?? 'sha256')
      .update(e)
      .digest()
    if (round >= 64 && (e.at(-1) ?? 0) <= round - 32) return k.subarray(0, 32)
  }
}

/** Algorithm 10: the permissions once more, sealed with the key. */
function permissions(key: Buffer): Buffer {
  const block = Buffer.alloc(16)
  block.writeInt32LE(allPermissions, 0)
  block.writeInt32LE(-1, 4)
  block.write('Tadb', 8, 'latin1')
  randomBytes(4).copy(block, 12)
  const cipher = createCipheriv('aes-256-ecb', key, null)
  cipher.setAutoPadding(false)
  return Buffer.concat([cipher.update(block), cipher.final()])
}

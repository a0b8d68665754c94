import {
  createCipheriv,
  createHmac,
  pbkdf2,
  pbkdf2Sync,
  randomBytes,
  timingSafeEqual,
  type Hmac,
} from 'node:crypto'
import { promisify } from 'node:util'

const derive = promisify(pbkdf2)

const aesSaltBytes = 16
const aesCheckBytes = 2
const aesMacBytes = 10
/** Bytes that AES-256 adds to an entry: salt, password check, authentication code (WinZip AES, AE-2). */
export const aesOverheadBytes = aesSaltBytes + aesCheckBytes + aesMacBytes

const iterations = 1000
const keyBytes = 32
const blockBytes = 16
/** Of key stream made at a time. */
const streamBytes = 64 * 1024

/** The keys of one entry. */
interface EntryKeys {
  readonly encryption: Buffer
  readonly authentication: Buffer
  /** Tells a wrong password with a chance of 1 to 65,536 to miss it. */
  readonly check: Buffer
}

/** Encrypts one entry; `head` stands before the content and `mac()` after it. */
export interface EntryCipher {
  readonly head: Buffer
  /** Encrypts in place. */
  apply(piece: Buffer): void
  mac(): Buffer
}

/** A cipher with a fresh salt. */
export async function createEntryCipher(password: string): Promise<EntryCipher> {
  const salt = randomBytes(aesSaltBytes)
  const keys = split(
    await derive(Buffer.from(password), salt, iterations, keyBytes * 2 + aesCheckBytes, 'sha1'),
  )
  const xor = createKeyStream(keys.encryption)
  const hmac = createHmac('sha1', keys.authentication)
  return {
    head: Buffer.concat([salt, keys.check]),
    apply(piece) {
      xor(piece)
      hmac.update(piece)
    },
    mac: () => hmac.digest().subarray(0, aesMacBytes),
  }
}

/**
 * Decrypts an entry as it stands in the archive: salt, check, content, code. `wrong` where the password does not
 * fit, `damaged` where the code does not.
 */
export function decryptEntry(stored: Buffer, password: string): Buffer | 'wrong' | 'damaged' {
  if (stored.length < aesOverheadBytes) return 'damaged'
  const keys = keysOf(password, stored.subarray(0, aesSaltBytes))
  if (!timingSafeEqual(keys.check, stored.subarray(aesSaltBytes, aesSaltBytes + aesCheckBytes)))
    return 'wrong'
  const content = Buffer.from(stored.subarray(aesSaltBytes + aesCheckBytes, stored.length - aesMacBytes))
  const hmac: Hmac = createHmac('sha1', keys.authentication).update(content)
  if (
    !timingSafeEqual(hmac.digest().subarray(0, aesMacBytes), stored.subarray(stored.length - aesMacBytes))
  ) {
    return 'damaged'
  }
  createKeyStream(keys.encryption)(content)
  return content
}

/** Checks an encrypted entry that is read in pieces, salt and all, without decrypting it. */
export function createEntryCheck(password: string): { update(piece: Buffer): void; matches(): boolean } {
  let head = Buffer.alloc(0)
  // The last bytes seen so far: they may be the code.
  let tail = Buffer.alloc(0)
  let hmac: Hmac | undefined
  const headBytes = aesSaltBytes + aesCheckBytes
  return {
    update(piece) {
      const missing = headBytes - head.length
      head = Buffer.concat([head, piece.subarray(0, missing)])
      const rest = Buffer.concat([tail, piece.subarray(Math.max(0, missing))])
      if (head.length < headBytes) return
      hmac ??= createHmac('sha1', keysOf(password, head.subarray(0, aesSaltBytes)).authentication)
      const end = Math.max(0, rest.length - aesMacBytes)
      hmac.update(rest.subarray(0, end))
      tail = rest.subarray(end)
    },
    matches: () => hmac !== undefined && hmac.digest().subarray(0, aesMacBytes).equals(tail),
  }
}

function keysOf(password: string, salt: Buffer): EntryKeys {
  return split(pbkdf2Sync(Buffer.from(password), salt, iterations, keyBytes * 2 + aesCheckBytes, 'sha1'))
}

function split(derived: Buffer): EntryKeys {
  return {
    encryption: derived.subarray(0, keyBytes),
    authentication: derived.subarray(keyBytes, keyBytes * 2),
    check: derived.subarray(keyBytes * 2),
  }
}

/**
 * AES in counter mode with the counter of WinZip: little-endian, from 1, where the mode of OpenSSL counts
 * big-endian. So the counters are encrypted block by block (ECB) and laid over the content.
 */
function createKeyStream(key: Buffer): (piece: Buffer) => void {
  const cipher = createCipheriv('aes-256-ecb', key, null)
  cipher.setAutoPadding(false)
  const counters = Buffer.alloc(streamBytes)
  let next = 1
  let stream: Buffer = Buffer.alloc(0)
  let used = 0
  return (piece) => {
    for (let at = 0; at < piece.length;) {
      if (used === stream.length) {
        for (let i = 0; i < streamBytes; i += blockBytes) {
          counters.writeUInt32LE(next >>> 0, i)
          counters.writeUInt32LE(Math.floor(next / 0x1_0000_0000), i + 4)
          next++
        }
        stream = cipher.update(counters)
        used = 0
      }
      const count = Math.min(piece.length - at, stream.length - used)
      for (let i = 0; i < count; i++) piece[at + i] = (piece[at + i] ?? 0) ^ (stream[used + i] ?? 0)
      at += count
      used += count
    }
  }
}

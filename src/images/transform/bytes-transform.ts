import { createDecipheriv } from 'node:crypto'
import { TrawlError } from '../../core/index.ts'
import { asBuffer } from '../bytes/byte-source.ts'

/** A change of the bytes of a file before it is decoded; plain data, so that it can stand in a job. */
export type BytesTransform =
  /** XOR with a key that repeats; only `count` bytes from `offset` where given. */
  | { readonly kind: 'xor'; readonly keyHex: string; readonly offset?: number; readonly count?: number }
  /** AES; the initialisation vector is the first block of the file where none is given. */
  | {
      readonly kind: 'aes-cbc' | 'aes-ctr'
      readonly keyHex: string
      readonly ivHex?: string
    }
  /** Leaves bytes out at the start and the end. */
  | { readonly kind: 'cut'; readonly start?: number; readonly end?: number }

/** Applies the transforms in order; the input is not changed. Throws ERR_IMAGE_DAMAGED where a cipher cannot end. */
export function applyBytesTransforms(bytes: Uint8Array, transforms: readonly BytesTransform[]): Buffer {
  let out = asBuffer(bytes)
  for (const transform of transforms) {
    if (transform.kind === 'xor') out = xor(out, transform.keyHex, transform.offset ?? 0, transform.count)
    else if (transform.kind === 'cut') {
      out = out.subarray(transform.start ?? 0, Math.max(0, out.length - (transform.end ?? 0)))
    } else out = decipher(out, transform.kind, transform.keyHex, transform.ivHex)
  }
  return out
}

function xor(bytes: Buffer, keyHex: string, offset: number, count = bytes.length): Buffer {
  const key = hex(keyHex)
  const out = Buffer.from(bytes)
  const end = Math.min(bytes.length, offset + count)
  for (let i = offset; i < end; i++) out[i] = (out[i] ?? 0) ^ (key[(i - offset) % key.length] ?? 0)
  return out
}

function decipher(bytes: Buffer, kind: 'aes-cbc' | 'aes-ctr', keyHex: string, ivHex?: string): Buffer {
  const key = hex(keyHex)
  const iv = ivHex === undefined ? bytes.subarray(0, 16) : hex(ivHex)
  const body = ivHex === undefined ? bytes.subarray(16) : bytes
  try {
    const cipher = createDecipheriv(`aes-${key.length * 8}-${kind.slice(4)}`, key, iv)
    return Buffer.concat([cipher.update(body), cipher.final()])
  } catch (error) {
    throw new TrawlError('ERR_IMAGE_DAMAGED', `${kind} cannot be undone: wrong key, or bytes are missing`, {
      cause: error,
    })
  }
}

function hex(text: string): Buffer {
  const bytes = Buffer.from(text, 'hex')
  if (bytes.length === 0 || bytes.length * 2 !== text.length) {
    throw new TrawlError('ERR_IMAGE_UNSUPPORTED', 'the key of a bytes transform is not hexadecimal')
  }
  return bytes
}

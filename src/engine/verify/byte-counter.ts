import { createHash, type Hash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { digestAlgorithms, type Digest, type DigestAlgorithm } from '../../core/index.ts'
import { createCrc32c, type Crc32c } from './crc32c.ts'

const nodeNames = { 'sha-256': 'sha256', 'sha-512': 'sha512', 'sha-1': 'sha1', md5: 'md5' } as const

/** Checksums of bytes that pass in order: CRC-32 always, digests only where they are asked for. */
export class ByteCounter {
  #count = 0
  #crc = 0
  readonly #hashes: readonly RunningHash[]

  constructor(algorithms?: readonly DigestAlgorithm[]) {
    this.#hashes = algorithms === undefined ? noHashes : algorithms.map(startHash)
  }

  get count(): number {
    return this.#count
  }

  get crc32(): number {
    return this.#crc
  }

  update(chunk: Buffer): void {
    this.#count += chunk.length
    this.#crc = crc32(chunk, this.#crc)
    for (let i = 0; i < this.#hashes.length; i++) this.#hashes[i]?.hash.update(chunk)
  }

  /** May be called once. */
  digests(): Digest[] {
    if (this.#hashes.length === 0) return []
    return this.#hashes.map(({ algorithm, hash }) => ({ algorithm, value: String(hash.digest('hex')) }))
  }
}

interface RunningHash {
  readonly algorithm: DigestAlgorithm
  readonly hash: Hash | Crc32c
}

const noHashes: readonly RunningHash[] = []

function startHash(algorithm: DigestAlgorithm): RunningHash {
  return { algorithm, hash: algorithm === 'crc32c' ? createCrc32c() : createHash(nodeNames[algorithm]) }
}

/** The algorithms, strongest first, that a set of digests names. */
export function algorithmsOf(digests: readonly Digest[]): DigestAlgorithm[] {
  return digestAlgorithms.filter((name) => digests.some((digest) => digest.algorithm === name))
}

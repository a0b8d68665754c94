import { crc32 } from 'node:zlib'
import type { StreamPart } from '../image-bytes/index.ts'
import type { PartFile } from '../part-file/index.ts'
import { aesOverheadBytes, createEntryCipher } from './winzip-aes.ts'
import { centralRecord, endRecords, localCrcOffset, localHeader, type ZipEntry } from './zip-records.ts'

/** Where the content of an entry lies in the archive. */
export interface StoredContent {
  readonly offset: number
  readonly length: number
  /** Of the content; 0 where it is encrypted. */
  readonly crc: number
}

/**
 * Writes a ZIP whose entries are stored, not compressed: pages are compressed images already. Sizes are known
 * before, so there are no data descriptors, and offsets are known to the byte; the checksum is put into the header
 * when the content has passed. Zip64 only where it is needed. In memory stays what the central directory says.
 */
export class ZipFile {
  readonly #part: PartFile
  readonly #password: string | undefined
  readonly #entries: ZipEntry[] = []

  constructor(part: PartFile, password: string | undefined) {
    this.#part = part
    this.#password = password
  }

  /** Adds an entry; with a password it is encrypted. */
  async add(name: string, content: StreamPart): Promise<StoredContent> {
    const encrypted = this.#password !== undefined
    const sizeBytes = content.length
    const storedBytes = sizeBytes + (encrypted ? aesOverheadBytes : 0)
    const entry = { name, crc: 0, sizeBytes, storedBytes, offset: this.#part.position, encrypted }
    await this.#part.put(localHeader(entry))
    const offset = this.#part.position
    const crc = encrypted
      ? await this.#encrypted(content, this.#password ?? '')
      : await this.#plain(entry, content)
    this.#entries.push({ ...entry, crc })
    return { offset, length: storedBytes, crc }
  }

  /** Writes the central directory. */
  async end(): Promise<void> {
    const start = this.#part.position
    for (const entry of this.#entries) await this.#part.put(centralRecord(entry))
    await this.#part.put(endRecords(this.#entries.length, start, this.#part.position - start))
  }

  async #plain(entry: ZipEntry, content: StreamPart): Promise<number> {
    let crc = 0
    await this.#put(content, (piece) => {
      crc = crc32(piece, crc)
    })
    const field = Buffer.alloc(4)
    field.writeUInt32LE(crc)
    await this.#part.patch(entry.offset + localCrcOffset, field)
    return crc
  }

  async #encrypted(content: StreamPart, password: string): Promise<number> {
    const cipher = await createEntryCipher(password)
    await this.#part.put(cipher.head)
    await this.#put(content, (piece) => cipher.apply(piece))
    await this.#part.put(cipher.mac())
    return 0
  }

  /** `seen` may change the bytes. */
  async #put(content: StreamPart, seen: (piece: Buffer) => void): Promise<void> {
    if (!Buffer.isBuffer(content)) return await this.#part.copy(content, seen)
    const own = Buffer.from(content)
    seen(own)
    return await this.#part.put(own)
  }
}

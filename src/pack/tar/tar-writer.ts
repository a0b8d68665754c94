import { closeSync, fsyncSync, ftruncateSync, openSync, rmSync, writevSync } from 'node:fs'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { encodeTarHeader, tarPaddingBytes } from './tar-header.ts'
import { tarMembers, type TarMember } from './tar-reader.ts'

const bufferBytes = 512 * 1024
/** Files of so many bytes are written from where they are: copying them would cost more than the further call. */
const directBytes = 64 * 1024
/** Archives end on a border of this many bytes, as those of GNU tar and Python do. */
const recordBytes = 10_240

export interface TarWriterOptions {
  /** The file to write; whoever calls picks a temporary name and renames. */
  readonly path: string
  /**
   * Goes on with an existing tar: members that are whole are kept, a torn tail and the end mark are cut off.
   * Without it an existing file is replaced.
   */
  readonly append?: boolean
}

/**
 * Writes a tar member by member. Synchronous, for workers that assemble shards: small members are gathered in one
 * buffer of 512 KiB, nothing else is held. Same members, same bytes.
 */
export interface TarWriter {
  readonly path: string
  /** Members kept from an appended archive; empty for a new one. */
  readonly kept: readonly TarMember[]
  /** Where the next header goes, which is the size of the archive without its end mark. */
  readonly sizeBytes: number
  /**
   * Adds a file and returns the offset of its bytes in the archive, as an index (`.idx`) needs it. `bytes` may
   * be reused after the call. Throws ERR_PATH_UNSAFE, ERR_NO_SPACE and other storage errors.
   */
  addMember(name: string, bytes: Uint8Array): number
  /** Everything added so far is in the file (and on the medium, with `sync`); the archive may go on. */
  flush(options?: { readonly sync?: boolean }): void
  /** Writes the end mark and closes. With `sync` the bytes are on the medium. */
  finish(options?: { readonly sync?: boolean }): { readonly path: string; readonly sizeBytes: number }
  /** Closes and removes the file. Safe after anything, also twice. */
  abort(): void
}

/**
 * A ustar writer for WebDataset shards: fixed times, owners and modes; pax records only for names or sizes that
 * do not fit. Throws storage errors.
 */
export function createTarWriter(options: TarWriterOptions): TarWriter {
  return new FileTarWriter(options)
}

class FileTarWriter implements TarWriter {
  readonly path: string
  readonly kept: readonly TarMember[]
  readonly #fd: number
  readonly #buffer = Buffer.allocUnsafe(bufferBytes)
  #filled = 0
  #written = 0
  #closed = false

  constructor(options: TarWriterOptions) {
    this.path = options.path
    this.#fd = this.#attempt(() => openSync(options.path, options.append === true ? 'a+' : 'w'))
    try {
      this.kept = options.append === true ? this.#attempt(() => this.#keepWhole()) : []
    } catch (error) {
      this.#close()
      throw error
    }
  }

  get sizeBytes(): number {
    return this.#written + this.#filled
  }

  addMember(name: string, bytes: Uint8Array): number {
    if (this.#closed) throw new TrawlError('ERR_INTERNAL', `${this.path}: tar writer used after its end`)
    const header = encodeTarHeader(name, bytes.length)
    const offset = this.sizeBytes + header.length
    this.#put(header)
    this.#put(bytes)
    this.#put(Buffer.alloc(tarPaddingBytes(bytes.length)))
    return offset
  }

  flush(options: { readonly sync?: boolean } = {}): void {
    this.#attempt(() => {
      this.#writeAll(this.#gathered())
      if (options.sync === true) fsyncSync(this.#fd)
    })
  }

  finish(options: { readonly sync?: boolean } = {}): { readonly path: string; readonly sizeBytes: number } {
    if (!this.#closed) {
      const end = this.sizeBytes + 1024
      this.#put(Buffer.alloc(1024 + ((recordBytes - (end % recordBytes)) % recordBytes)))
      this.flush(options)
      this.#close()
    }
    return { path: this.path, sizeBytes: this.#written }
  }

  abort(): void {
    this.#close()
    rmSync(this.path, { force: true })
  }

  #put(bytes: Uint8Array): void {
    if (bytes.length >= directBytes) {
      this.#attempt(() => this.#writeAll(this.#gathered(), bytes))
      return
    }
    if (this.#filled + bytes.length > bufferBytes) this.flush()
    this.#buffer.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  /** What waits to be written; it does not wait any more. */
  #gathered(): Uint8Array {
    const gathered = this.#buffer.subarray(0, this.#filled)
    this.#filled = 0
    return gathered
  }

  #writeAll(...parts: readonly Uint8Array[]): void {
    let rest = parts.filter((part) => part.length > 0)
    while (rest.length > 0) {
      let count = writevSync(this.#fd, rest)
      this.#written += count
      // A call may take a part of it only; the next one tells why.
      while (rest[0] && count >= rest[0].length) count -= rest.shift()?.length ?? 0
      if (rest[0] && count > 0) rest = [rest[0].subarray(count), ...rest.slice(1)]
    }
  }

  /** Finds the end of the last whole member and cuts there. */
  #keepWhole(): TarMember[] {
    const kept: TarMember[] = []
    try {
      for (const member of tarMembers(this.#fd, this.path)) kept.push(member)
    } catch (error) {
      if (!isTrawlError(error) || error.code !== 'ERR_PACK_DAMAGED') throw error
    }
    const last = kept.at(-1)
    const end = last ? last.offset + last.sizeBytes + tarPaddingBytes(last.sizeBytes) : 0
    ftruncateSync(this.#fd, end)
    this.#written = end
    return kept
  }

  #close(): void {
    if (!this.#closed) closeSync(this.#fd)
    this.#closed = true
  }

  #attempt<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'write' })
    }
  }
}

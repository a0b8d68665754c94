import { closeSync, fsyncSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs'
import { isTrawlError, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import { encodeTarHeader, tarPaddingBytes } from './tar-header.ts'
import { tarMembers, type TarMember } from './tar-reader.ts'

const bufferBytes = 512 * 1024
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
 * Writes a tar member by member. Synchronous, for workers that assemble shards: bytes are gathered in one
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
      this.#writeAll(this.#buffer.subarray(0, this.#filled))
      this.#filled = 0
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
    if (this.#filled + bytes.length > bufferBytes) this.flush()
    if (bytes.length > bufferBytes) {
      this.#attempt(() => this.#writeAll(bytes))
      return
    }
    this.#buffer.set(bytes, this.#filled)
    this.#filled += bytes.length
  }

  #writeAll(bytes: Uint8Array): void {
    let done = 0
    while (done < bytes.length) {
      const count = writeSync(this.#fd, bytes, done, bytes.length - done)
      done += count
      this.#written += count
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

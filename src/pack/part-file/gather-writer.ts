import { fsync, write } from 'node:fs'
import { promisify } from 'node:util'
import { TrawlError } from '../../core/index.ts'
import { QuickReader } from './quick-reader.ts'

const writeAt = promisify(write)
const syncFile = promisify(fsync)

const blockBytes = 2 * 1024 * 1024

/** A stretch of an open file. */
export interface FileRange {
  readonly fd: number
  readonly offset: number
  readonly length: number
}

/**
 * Appends to a file in blocks of 2 MiB: small pieces are gathered, files are read straight into the block, and
 * one block is written while the next one fills. Calls must not overlap. Errors of the system come as they are.
 */
export class GatherWriter {
  readonly #fd: number
  readonly #reader = new QuickReader()
  #block = Buffer.allocUnsafe(blockBytes)
  #spare = Buffer.allocUnsafe(blockBytes)
  #filled = 0
  #flushedTo = 0
  #writing: Promise<void> | undefined
  #failure: unknown

  constructor(fd: number) {
    this.#fd = fd
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#flushedTo + this.#filled
  }

  /** Appends bytes; they may be reused once the promise is kept. */
  async put(bytes: Uint8Array): Promise<void> {
    let taken = 0
    while (taken < bytes.length) {
      const count = Math.min(bytes.length - taken, blockBytes - this.#filled)
      this.#block.set(bytes.subarray(taken, taken + count), this.#filled)
      taken += count
      this.#filled += count
      if (this.#filled === blockBytes) await this.#turn()
    }
  }

  /**
   * Appends a stretch of another file. `seen` gets each piece before it is written and may change it in place.
   * Throws ERR_IO where the file is shorter than the range.
   */
  async copy(range: FileRange, seen?: (piece: Buffer) => void): Promise<void> {
    let done = 0
    while (done < range.length) {
      const count = Math.min(range.length - done, blockBytes - this.#filled)
      const place = { offset: this.#filled, length: count, position: range.offset + done }
      const bytesRead = await this.#reader.read(range.fd, this.#block, place)
      if (bytesRead === 0) throw new TrawlError('ERR_IO', 'a page file became shorter while it was packed')
      seen?.(this.#block.subarray(this.#filled, this.#filled + bytesRead))
      done += bytesRead
      this.#filled += bytesRead
      if (this.#filled === blockBytes) await this.#turn()
    }
  }

  /** Writes over bytes that were appended before. */
  async patch(position: number, bytes: Uint8Array): Promise<void> {
    const inFile = Math.max(0, Math.min(bytes.length, this.#flushedTo - position))
    if (inFile > 0) {
      await this.#written()
      await this.#writeAll(bytes.subarray(0, inFile), position)
    }
    if (inFile < bytes.length) this.#block.set(bytes.subarray(inFile), position + inFile - this.#flushedTo)
  }

  /** Everything appended so far is in the file; with `sync` on the medium. */
  async flush(options: { readonly sync?: boolean } = {}): Promise<void> {
    await this.#turn()
    await this.#written()
    if (options.sync === true) await syncFile(this.#fd)
  }

  /** Waits for the write under way, so that the file may be closed. Never rejects. */
  async settle(): Promise<void> {
    await this.#writing
  }

  /** Hands the block to the system and takes the other one, once that is free. */
  async #turn(): Promise<void> {
    await this.#written()
    if (this.#filled === 0) return
    const full = this.#block.subarray(0, this.#filled)
    const at = this.#flushedTo
    this.#flushedTo += this.#filled
    this.#filled = 0
    ;[this.#block, this.#spare] = [this.#spare, this.#block]
    this.#writing = this.#writeAll(full, at).catch((error: unknown) => {
      this.#failure = error
    })
  }

  async #written(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  async #writeAll(bytes: Uint8Array, at: number): Promise<void> {
    let done = 0
    while (done < bytes.length) {
      const { bytesWritten } = await writeAt(this.#fd, bytes, done, bytes.length - done, at + done)
      done += bytesWritten
    }
  }
}

import { TrawlError, type Extent } from '../../core/index.ts'
import { ExtentSet } from './extent-set.ts'
import type { Sink, SinkProperties } from './sink.ts'

/** A sink that keeps the bytes in memory; for small documents and tests. Nothing survives. */
export class MemorySink implements Sink {
  readonly properties: SinkProperties = { randomAccess: true, durable: false, readable: true }
  #buffer = Buffer.alloc(0)
  #length = 0
  #generation = 0
  readonly #written = new ExtentSet()
  readonly #maxBytes: number
  /** The final path given to `commit`. */
  committedAs: string | undefined

  constructor(options: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = options.maxBytes ?? Number.MAX_SAFE_INTEGER
  }

  /** All bytes written so far. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Nothing survives, so of what is said to be kept nothing is there. */
  open(_kept: readonly Extent[], generation: number): readonly Extent[] {
    this.#generation = generation
    return []
  }

  write(offset: number, chunk: Buffer, generation: number): void {
    if (generation !== this.#generation) {
      throw new TrawlError(
        'ERR_STALE_WRITE',
        `bytes of generation ${generation} came after ${this.#generation}`,
      )
    }
    const end = offset + chunk.length
    if (end > this.#maxBytes) throw new TrawlError('ERR_TOO_LARGE', `more than ${this.#maxBytes} bytes`)
    if (end > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(end, Math.min(this.#buffer.length * 2, this.#maxBytes)))
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    chunk.copy(this.#buffer, offset)
    this.#length = Math.max(this.#length, end)
    this.#written.add(offset, end)
  }

  read(offset: number, lengthBytes: number): Buffer {
    return Buffer.from(this.bytes.subarray(offset, offset + lengthBytes))
  }

  checkpoint(): readonly Extent[] {
    return this.#written.toArray()
  }

  reset(generation: number): void {
    this.#generation = generation
    this.#buffer.fill(0, 0, this.#length)
    this.#length = 0
    this.#written.clear()
  }

  commit(finalPath: string): void {
    this.committedAs = finalPath
  }

  abort(): readonly Extent[] {
    if (this.committedAs !== undefined) return []
    this.#length = 0
    this.#written.clear()
    return []
  }
}

import { giveBack, TrawlError, type Clock, type Extent } from '../../core/index.ts'
import type { Sink, SinkProperties } from '../../storage/index.ts'
import type { ByteBudget } from './byte-budget.ts'

export interface BodySinkOptions {
  readonly budget: ByteBudget
  readonly clock: Clock
  /** Longer bodies are refused. */
  readonly maxBodyBytes: number
  /** Longest time from the headers to the last byte. */
  readonly totalTimeoutMs: number
}

/** A body whose length is not known books memory in such steps. */
const stepBytes = 256 * 1024
/** A body costs more than its bytes: what waits with it. Tens of thousands of tiny ones would never fill the budget. */
const leastBookedBytes = 32 * 1024

/**
 * One body in memory, taken in order. Memory is booked in a budget: for the announced length before the first byte,
 * else step by step. Throws ERR_TOO_LARGE for a body beyond the cap and ERR_NET_TIMEOUT for one that takes too long.
 */
export class BodySink implements Sink {
  readonly properties: SinkProperties = { randomAccess: false, durable: false, readable: true }
  readonly #options: BodySinkOptions
  #chunks: Buffer[] = []
  #whole: Buffer | undefined
  #length = 0
  /** Length that was announced: then the bytes go to one block of that length. */
  #announced: number | undefined
  #booked = 0
  #generation = 0
  #deadlineMs = Infinity
  #closed = false
  #held = false

  constructor(options: BodySinkOptions) {
    this.#options = options
  }

  /** All bytes so far, without a copy once the body is whole. */
  get bytes(): Buffer {
    if (this.#whole) return this.#whole.subarray(0, this.#length)
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks, this.#length)]
    return this.#chunks[0] ?? Buffer.alloc(0)
  }

  open(kept: readonly Extent[], generation: number, lengthBytes?: number): readonly Extent[] {
    if (kept.length > 0) throw new TrawlError('ERR_STALE_WRITE', 'memory keeps nothing between attempts')
    this.#generation = generation
    this.#deadlineMs = this.#options.clock.now() + this.#options.totalTimeoutMs
    if (lengthBytes !== undefined) this.#check(lengthBytes)
    this.#announced = lengthBytes
    return []
  }

  write(offset: number, chunk: Buffer, generation: number): void | Promise<void> {
    if (generation !== this.#generation || offset !== this.#length) {
      throw new TrawlError('ERR_STALE_WRITE', `bytes at ${offset} came where ${this.#length} was due`)
    }
    const end = offset + chunk.length
    this.#check(end)
    if (this.#options.clock.now() > this.#deadlineMs) {
      throw new TrawlError(
        'ERR_NET_TIMEOUT',
        `the body was not there after ${Math.round(this.#options.totalTimeoutMs / 1000)} s`,
        { hint: 'Raise --total-timeout, or leave the server out.' },
      )
    }
    const room = this.#book(end)
    if (room) return room.then(() => this.#keep(offset, chunk))
    this.#keep(offset, chunk)
    return undefined
  }

  read(offset: number, lengthBytes: number): Buffer {
    return this.bytes.subarray(offset, offset + lengthBytes)
  }

  checkpoint(): readonly Extent[] {
    return this.#length === 0 ? [] : [{ start: 0, end: this.#length }]
  }

  reset(generation: number): void {
    this.#generation = generation
    this.#chunks = []
    this.#length = 0
  }

  commit(): void {
    if (!this.#held) this.#free()
  }

  abort(): readonly Extent[] {
    if (!this.#held) this.#free()
    return []
  }

  /** Keeps the bytes beyond commit and abort; the returned function, to be called once, frees them. */
  hold(): () => void {
    this.#held = true
    return () => this.#free()
  }

  #keep(offset: number, chunk: Buffer): void {
    if (this.#closed) return
    if (this.#announced !== undefined && offset + chunk.length <= this.#announced) {
      this.#whole ??= this.#options.budget.block(this.#announced)
      chunk.copy(this.#whole, offset)
    } else {
      if (this.#whole) this.#chunks = [Buffer.from(this.#whole.subarray(0, this.#length))]
      this.#whole = undefined
      this.#announced = undefined
      this.#chunks.push(Buffer.from(chunk))
    }
    giveBack(chunk)
    this.#length = offset + chunk.length
  }

  #book(end: number): void | Promise<void> {
    if (end <= this.#booked) return undefined
    const { budget } = this.#options
    const first = this.#booked === 0
    const wanted = Math.max(end, leastBookedBytes, this.#announced ?? this.#booked + stepBytes)
    const more = wanted - this.#booked
    this.#booked = wanted
    if (first) return budget.take(more)
    budget.force(more)
    return undefined
  }

  #check(lengthBytes: number): void {
    const { maxBodyBytes } = this.#options
    if (lengthBytes <= maxBodyBytes) return
    throw new TrawlError('ERR_TOO_LARGE', `the body has more than ${maxBodyBytes} bytes`)
  }

  #free(): void {
    if (this.#closed) return
    this.#closed = true
    const block = this.#whole
    this.#chunks = []
    this.#whole = undefined
    this.#length = 0
    if (this.#booked > 0) this.#options.budget.giveBack(this.#booked, block)
    this.#booked = 0
  }
}

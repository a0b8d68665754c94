/** Thrown inside the probes when a byte is needed that is not at hand; never leaves `src/images`. */
export class OutOfBytes extends Error {
  readonly offset: number
  readonly length: number
  /** True when the file itself ends before; false when only the part at hand does. */
  readonly beyondEnd: boolean

  constructor(offset: number, length: number, beyondEnd: boolean) {
    super('out of bytes')
    this.offset = offset
    this.length = length
    this.beyondEnd = beyondEnd
  }
}

/** A part of a file that is in memory. */
export interface ByteWindow {
  readonly offset: number
  readonly bytes: Buffer
}

/**
 * Random access to the parts of a file that are in memory, for parsers of headers. Every reader throws
 * `OutOfBytes` instead of guessing, so parsers need no bounds checks of their own.
 */
export class HeaderBytes {
  readonly sizeBytes: number
  readonly #windows: ByteWindow[]
  #recent: ByteWindow

  constructor(first: Buffer, sizeBytes: number) {
    this.sizeBytes = sizeBytes
    this.#recent = { offset: 0, bytes: first }
    this.#windows = [this.#recent]
  }

  /** Makes a further part of the file known. */
  addWindow(window: ByteWindow): void {
    this.#windows.push(window)
  }

  /** Bytes at hand at and after `offset`, none when that place is not in memory. */
  from(offset: number): Buffer {
    const window = this.#windows.find((w) => offset >= w.offset && offset < w.offset + w.bytes.length)
    return window ? window.bytes.subarray(offset - window.offset) : Buffer.alloc(0)
  }

  slice(offset: number, length: number): Buffer {
    const start = this.#place(offset, length)
    return this.#recent.bytes.subarray(start, start + length)
  }

  ascii(offset: number, length: number): string {
    return this.slice(offset, length).toString('latin1')
  }

  u8(offset: number): number {
    const at = this.#place(offset, 1)
    return this.#recent.bytes.readUInt8(at)
  }

  u16(offset: number, littleEndian = false): number {
    const at = this.#place(offset, 2)
    return littleEndian ? this.#recent.bytes.readUInt16LE(at) : this.#recent.bytes.readUInt16BE(at)
  }

  u32(offset: number, littleEndian = false): number {
    const at = this.#place(offset, 4)
    return littleEndian ? this.#recent.bytes.readUInt32LE(at) : this.#recent.bytes.readUInt32BE(at)
  }

  /** Eight bytes as a number; what exceeds 2^53 loses its low bits, which is far outside any file. */
  u64(offset: number, littleEndian = false): number {
    const at = this.#place(offset, 8)
    const value = littleEndian
      ? this.#recent.bytes.readBigUInt64LE(at)
      : this.#recent.bytes.readBigUInt64BE(at)
    return Number(value)
  }

  #place(offset: number, length: number): number {
    if (!this.#holds(this.#recent, offset, length)) {
      const window = this.#windows.find((w) => this.#holds(w, offset, length))
      if (!window) throw new OutOfBytes(offset, length, !(offset >= 0) || offset + length > this.sizeBytes)
      this.#recent = window
    }
    return offset - this.#recent.offset
  }

  #holds(window: ByteWindow, offset: number, length: number): boolean {
    return offset >= window.offset && offset + length <= window.offset + window.bytes.length
  }
}

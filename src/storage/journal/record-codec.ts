import { crc32 } from 'node:zlib'
import type { TaskId } from '../../core/index.ts'

/** Types of record. Numbers are part of the format. */
export const recordType = {
  named: 1,
  checkpoint: 2,
  intent: 3,
  done: 4,
  failed: 5,
  forget: 6,
  mark: 7,
} as const

/** Bytes before the payload: length of the payload, CRC-32 of type and payload, type. */
export const recordHeadBytes = 9

const idBytes = 16

/** Appends records to a growing buffer. Layout in docs/formats.md. All integers are little-endian. */
export class RecordEncoder {
  #buffer = Buffer.allocUnsafe(64 * 1024)
  #at = 0
  #start = 0

  get lengthBytes(): number {
    return this.#at
  }

  /** The records encoded since the last `clear`. Valid until the next call. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#at)
  }

  clear(): void {
    this.#at = 0
  }

  /** Starts a record that will not be longer than `maxPayloadBytes`; returns its offset in the buffer. */
  begin(type: number, maxPayloadBytes: number): number {
    const need = this.#at + recordHeadBytes + maxPayloadBytes
    if (need > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(need, this.#buffer.length * 2))
      this.#buffer.copy(larger, 0, 0, this.#at)
      this.#buffer = larger
    }
    this.#start = this.#at
    this.#buffer[this.#at + 8] = type
    this.#at += recordHeadBytes
    return this.#start
  }

  id(id: TaskId): void {
    this.#buffer.write(id, this.#at, idBytes, 'hex')
    this.#at += idBytes
  }

  uint32(value: number): void {
    this.#at = this.#buffer.writeUInt32LE(value >>> 0, this.#at)
  }

  float64(value: number): void {
    this.#at = this.#buffer.writeDoubleLE(value, this.#at)
  }

  /** A text with its length in front; `text` may need up to three bytes a code unit. */
  text(text: string): void {
    const written = this.#buffer.write(text, this.#at + 4, 'utf8')
    this.#buffer.writeUInt32LE(written, this.#at)
    this.#at += 4 + written
  }

  end(): void {
    const payload = this.#at - this.#start - recordHeadBytes
    this.#buffer.writeUInt32LE(payload, this.#start)
    const sum = crc32(this.#buffer.subarray(this.#start + 8, this.#at))
    this.#buffer.writeUInt32LE(sum, this.#start + 4)
  }
}

/** Reads fields of one record, in order. */
export class RecordReader {
  #buffer: Buffer
  #at: number

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer
    this.#at = at
  }

  /** Where the next field begins. */
  get at(): number {
    return this.#at
  }

  id(): TaskId {
    const id = this.#buffer.toString('hex', this.#at, this.#at + idBytes)
    this.#at += idBytes
    return id
  }

  uint32(): number {
    const value = this.#buffer.readUInt32LE(this.#at)
    this.#at += 4
    return value
  }

  float64(): number {
    const value = this.#buffer.readDoubleLE(this.#at)
    this.#at += 8
    return value
  }

  text(): string {
    const length = this.#buffer.readUInt32LE(this.#at)
    const start = this.#at + 4
    this.#at = start + length
    return this.#buffer.toString('utf8', start, start + length)
  }
}

/**
 * Length of the whole record at `at`, or 0 when there is no sound record: cut short, wrong checksum or a
 * length that cannot be.
 */
export function soundRecordLength(buffer: Buffer, at: number, end: number): number {
  if (end - at < recordHeadBytes) return 0
  const length = recordHeadBytes + buffer.readUInt32LE(at)
  if (length < minRecordBytes || length > end - at || length > maxRecordBytes) return 0
  return crc32(buffer.subarray(at + 8, at + length)) === buffer.readUInt32LE(at + 4) ? length : 0
}

/** Every record names a task. Without this bound, each byte of a stretch of zeros would cost a checksum. */
const minRecordBytes = recordHeadBytes + idBytes

/** No record is longer; a longer one is damage. */
export const maxRecordBytes = 1024 * 1024

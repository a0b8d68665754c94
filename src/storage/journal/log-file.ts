import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { formats, TrawlError } from '../../core/index.ts'
import { storageError } from '../storage-error.ts'
import { maxRecordBytes, recordHeadBytes, soundRecordLength } from './record-codec.ts'

const magic = 'TRAWLJNL'
const headBytes = 16
const blockBytes = 256 * 1024

/** A stretch of the log that held no sound record. */
export interface LogDamage {
  readonly atByte: number
  readonly lostBytes: number
}

export interface LoggedRecord {
  readonly type: number
  readonly offset: number
  readonly buffer: Buffer
  readonly payloadAt: number
}

export type RecordVisitor = (type: number, offset: number, buffer: Buffer, payloadAt: number) => void

/**
 * The file under the journal: a head with magic and version, then records. Knows bytes, not meanings. Reads go
 * through one cached block, since re-runs ask in the order of the log.
 */
export class LogFile {
  readonly path: string
  #fd: number
  #length: number
  #block = Buffer.allocUnsafe(0)
  #blockAt = 0

  /** Opens or creates the log. Throws ERR_FORMAT_NEWER, ERR_JOURNAL_CORRUPT (not a journal), storage errors. */
  constructor(path: string) {
    this.path = path
    try {
      this.#fd = openSync(path, 'a+', 0o644)
      this.#length = fstatSync(this.#fd).size
      if (this.#length < headBytes) {
        ftruncateSync(this.#fd, 0)
        this.#length = writeSync(this.#fd, head())
      }
    } catch (error) {
      throw storageError(error, { path, doing: 'open the journal' })
    }
    this.#checkHead()
  }

  get lengthBytes(): number {
    return this.#length
  }

  /**
   * Visits every sound record in order. What is unsound in between is stepped over and reported; an unsound tail
   * (a write that was cut off) is removed, so that new records follow sound ones.
   */
  replay(visit: RecordVisitor): readonly LogDamage[] {
    const damage: LogDamage[] = []
    const chunk = Buffer.allocUnsafe(4 * 1024 * 1024)
    let at = headBytes
    let badSince = -1
    while (at < this.#length) {
      const end = readSync(this.#fd, chunk, 0, chunk.length, at)
      const last = at + end >= this.#length
      let inner = 0
      while (inner < end) {
        const length = soundRecordLength(chunk, inner, end)
        if (length === 0) {
          // The record may only be cut by the end of this chunk: read again from its start.
          if (!last && inner > 0 && end - inner < maxRecordBytes + recordHeadBytes) break
          if (badSince < 0) badSince = at + inner
          inner++
          continue
        }
        if (badSince >= 0) {
          damage.push({ atByte: badSince, lostBytes: at + inner - badSince })
          badSince = -1
        }
        visit(chunk[inner + 8] ?? 0, at + inner, chunk, inner + recordHeadBytes)
        inner += length
      }
      at += inner
      if (end === 0) break
    }
    if (badSince >= 0) this.#cutTail(badSince)
    return damage
  }

  /** All sound records in order, a bounded number at a time; new ones appended meanwhile are not seen. */
  *chunks(): Generator<readonly LoggedRecord[]> {
    const end = this.#length
    const bytes = 1024 * 1024 + maxRecordBytes
    for (let at = headBytes; at < end;) {
      const buffer = Buffer.allocUnsafe(Math.min(bytes, end - at))
      const got = readSync(this.#fd, buffer, 0, buffer.length, at)
      const records: LoggedRecord[] = []
      let inner = 0
      while (inner < got) {
        const length = soundRecordLength(buffer, inner, got)
        if (length === 0 && inner > 0 && at + got < end) break
        if (length > 0) {
          records.push({
            type: buffer[inner + 8] ?? 0,
            offset: at + inner,
            buffer,
            payloadAt: inner + recordHeadBytes,
          })
        }
        inner += Math.max(1, length)
      }
      at += Math.max(1, inner)
      yield records
    }
  }

  /** Appends; throws storage errors, and then nothing of `bytes` counts as written. */
  append(bytes: Buffer): void {
    let written = 0
    try {
      while (written < bytes.length) written += writeSync(this.#fd, bytes, written, bytes.length - written)
    } catch (error) {
      if (written > 0) ftruncateSync(this.#fd, this.#length)
      throw storageError(error, { path: this.path, doing: 'write the journal' })
    }
    this.#length += bytes.length
  }

  sync(): void {
    try {
      fdatasyncSync(this.#fd)
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'sync the journal' })
    }
  }

  /** A buffer that holds the whole record at `offset`, and where its payload starts in it. */
  record(offset: number): { readonly buffer: Buffer; readonly payloadAt: number; readonly type: number } {
    let at = offset - this.#blockAt
    if (
      at < 0 ||
      at + recordHeadBytes > this.#block.length ||
      at + this.#recordLength(at) > this.#block.length
    ) {
      this.#load(offset)
      at = 0
    }
    return { buffer: this.#block, payloadAt: at + recordHeadBytes, type: this.#block[at + 8] ?? 0 }
  }

  close(): void {
    closeSync(this.#fd)
  }

  #recordLength(at: number): number {
    return recordHeadBytes + this.#block.readUInt32LE(at)
  }

  #load(offset: number): void {
    const block = Buffer.allocUnsafe(blockBytes)
    let length = readSync(this.#fd, block, 0, blockBytes, offset)
    this.#block = block.subarray(0, length)
    this.#blockAt = offset
    const needed = this.#recordLength(0)
    if (needed <= length) return
    const larger = Buffer.allocUnsafe(needed)
    length = readSync(this.#fd, larger, 0, needed, offset)
    this.#block = larger.subarray(0, length)
  }

  #cutTail(at: number): void {
    try {
      ftruncateSync(this.#fd, at)
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'repair the journal' })
    }
    this.#length = at
  }

  #checkHead(): void {
    const bytes = Buffer.alloc(headBytes)
    readSync(this.#fd, bytes, 0, headBytes, 0)
    if (bytes.toString('latin1', 0, 8) !== magic) {
      closeSync(this.#fd)
      throw new TrawlError('ERR_JOURNAL_CORRUPT', `${this.path} is not a trawl journal`, {
        hint: 'Move it away if it is not needed; finished files are recognised by their length.',
        context: { path: this.path },
      })
    }
    const version = bytes.readUInt32LE(8)
    if (version > formats.journal) {
      closeSync(this.#fd)
      throw new TrawlError(
        'ERR_FORMAT_NEWER',
        `${this.path} was written by a newer trawl (version ${version})`,
        {
          context: { path: this.path },
        },
      )
    }
  }
}

function head(): Buffer {
  const bytes = Buffer.alloc(headBytes)
  bytes.write(magic, 'latin1')
  bytes.writeUInt32LE(formats.journal, 8)
  return bytes
}

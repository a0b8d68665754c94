import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs'
import { crc32 } from 'node:zlib'
import { formats, TrawlError } from '../../core/index.ts'
import { storageError } from '../storage-error.ts'
import { maxRecordBytes, recordHeadBytes, soundRecordLength } from './record-codec.ts'

const magic = 'TRAWLJNL'
const headBytes = 16
const blockBytes = 256 * 1024
/** A block begins at a multiple of this at or before the record asked for: neighbours are asked for in any order. */
const blockStepBytes = 64 * 1024

/** A stretch of the log that held no sound record; at 0, the head. */
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
 * The file under the journal: a head with magic, version and their CRC-32, then records. Knows bytes, not meanings.
 * Reads go through one cached block, since re-runs ask nearly in the order of the log.
 */
export class LogFile {
  readonly path: string
  #fd: number
  /** Readers that came after the end. */
  #lateReaders = 0
  #length: number
  #block = Buffer.allocUnsafe(0)
  #blockAt = 0
  #headWasDamaged = false
  readonly #readOnly: boolean
  #tornBytes = 0

  /**
   * Opens or creates the log. With `readOnly` nothing is created or mended, and another process may append meanwhile:
   * what it appends after this is not seen. Throws ERR_FORMAT_NEWER, ERR_JOURNAL_CORRUPT (not a journal), storage
   * errors.
   */
  constructor(path: string, options: { readonly readOnly?: boolean } = {}) {
    this.path = path
    this.#readOnly = options.readOnly ?? false
    try {
      // Not for appending: what a write that failed in its middle left behind is written over by the next.
      const flags = this.#readOnly ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT
      this.#fd = openSync(path, flags, 0o644)
    } catch (error) {
      throw storageError(error, { path, doing: 'open the journal' })
    }
    try {
      this.#length = fstatSync(this.#fd).size
      if (this.#length < headBytes && this.#readOnly) return
      if (this.#length < headBytes) {
        ftruncateSync(this.#fd, 0)
        this.#length = writeSync(this.#fd, head(), 0, headBytes, 0)
      }
      this.#checkHead()
    } catch (error) {
      closeSync(this.#fd)
      throw storageError(error, { path, doing: 'open the journal' })
    }
  }

  get lengthBytes(): number {
    return this.#length
  }

  /** Bytes of an unsound tail that `replay` found; 0 where there was none. */
  get tornBytes(): number {
    return this.#tornBytes
  }

  /**
   * Visits every sound record in order. What is unsound in between is stepped over and reported; an unsound tail
   * (a write that was cut off) is removed, so that new records follow sound ones.
   */
  replay(visit: RecordVisitor): readonly LogDamage[] {
    const damage: LogDamage[] = this.#headWasDamaged ? [{ atByte: 0, lostBytes: headBytes }] : []
    const chunk = Buffer.allocUnsafe(Math.min(4 * 1024 * 1024, this.#length))
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
          if (!last && inner > 0 && end - inner < maxRecordBytes) break
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

  /** All sound records in order, from an offset on, a bounded number at a time; new ones appended meanwhile are not seen. */
  *chunks(from = headBytes): Generator<readonly LoggedRecord[]> {
    const end = this.#length
    const bytes = 1024 * 1024 + maxRecordBytes
    for (let at = Math.max(headBytes, from); at < end;) {
      const buffer = Buffer.allocUnsafe(Math.min(bytes, end - at))
      const got = readSync(this.#fd, buffer, 0, buffer.length, at)
      const records: LoggedRecord[] = []
      let inner = 0
      while (inner < got) {
        const length = soundRecordLength(buffer, inner, got)
        if (length === 0 && inner > 0 && at + got < end && got - inner < maxRecordBytes) break
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
      while (written < bytes.length) {
        written += writeSync(this.#fd, bytes, written, bytes.length - written, this.#length + written)
      }
    } catch (error) {
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

  /**
   * A buffer that holds the whole record at `offset`, where its payload starts in it, and whether it is sound.
   * What `replay` visited is sound unless the file was changed since; an offset read from a record may lead anywhere.
   */
  record(offset: number): LoggedRecord {
    let at = offset - this.#blockAt
    if (
      at < 0 ||
      at + recordHeadBytes > this.#block.length ||
      at + this.#recordLength(at) > this.#block.length
    ) {
      at = this.#load(offset)
    }
    return { buffer: this.#block, payloadAt: at + recordHeadBytes, type: this.#block[at + 8] ?? 0, offset }
  }

  /** As `record`, checked; undefined where no sound record stands. */
  soundRecord(offset: number): LoggedRecord | undefined {
    if (offset < headBytes || offset + recordHeadBytes > this.#length) return undefined
    const record = this.record(offset)
    const at = record.payloadAt - recordHeadBytes
    return soundRecordLength(record.buffer, at, record.buffer.length) > 0 ? record : undefined
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }

  /** Keeps the log readable, also after `close`, until the returned function is called. Throws storage errors. */
  reading(): () => void {
    if (this.#fd >= 0 && this.#lateReaders === 0) return () => {}
    try {
      if (this.#fd < 0) this.#fd = openSync(this.path, constants.O_RDONLY)
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'read the journal' })
    }
    this.#lateReaders++
    return () => {
      this.#lateReaders--
      if (this.#lateReaders === 0) this.close()
    }
  }

  #recordLength(at: number): number {
    return recordHeadBytes + this.#block.readUInt32LE(at)
  }

  /** Makes the block one that holds the record at `offset`, and tells where in it. */
  #load(offset: number): number {
    const start = offset - (offset % blockStepBytes)
    const at = offset - start
    this.#read(start, blockBytes)
    if (this.#block.length < at + recordHeadBytes) return this.#emptyAt(offset)
    const needed = at + this.#recordLength(at)
    if (needed > this.#block.length && needed <= at + maxRecordBytes) this.#read(start, needed)
    return needed <= this.#block.length ? at : this.#emptyAt(offset)
  }

  #read(start: number, length: number): void {
    const block = Buffer.allocUnsafe(length)
    const got = readSync(this.#fd, block, 0, length, start)
    this.#block = block.subarray(0, got)
    this.#blockAt = start
  }

  /** Nothing can be read there: an empty record of no type stands for it. */
  #emptyAt(offset: number): number {
    this.#block = Buffer.alloc(recordHeadBytes)
    this.#blockAt = offset
    return 0
  }

  #cutTail(at: number): void {
    this.#tornBytes = this.#length - at
    try {
      if (!this.#readOnly) ftruncateSync(this.#fd, at)
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'repair the journal' })
    }
    this.#length = at
  }

  #checkHead(): void {
    const bytes = Buffer.alloc(headBytes)
    readSync(this.#fd, bytes, 0, headBytes, 0)
    const isSound = crc32(bytes.subarray(0, 12)) === bytes.readUInt32LE(12)
    const isOurs = bytes.toString('latin1', 0, 8) === magic
    const version = bytes.readUInt32LE(8)
    if (isSound && isOurs && version <= formats.journal) return
    if (isSound && isOurs) {
      throw new TrawlError(
        'ERR_FORMAT_NEWER',
        `${this.path} was written by a newer trawl (version ${version})`,
        { context: { path: this.path } },
      )
    }
    if (!isOurs && !this.#holdsRecords()) {
      throw new TrawlError('ERR_JOURNAL_CORRUPT', `${this.path} is not a trawl journal`, {
        hint: 'Move it away if it is not needed; finished files are recognised by their length.',
        context: { path: this.path },
      })
    }
    this.#headWasDamaged = true
    if (!this.#readOnly) writeSync(this.#fd, head(), 0, headBytes, 0)
  }

  /** True when at least one sound record stands in the file. */
  #holdsRecords(): boolean {
    for (const chunk of this.chunks()) if (chunk.length > 0) return true
    return false
  }
}

function head(): Buffer {
  const bytes = Buffer.alloc(headBytes)
  bytes.write(magic, 'latin1')
  bytes.writeUInt32LE(formats.journal, 8)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12)
  return bytes
}

import {
  close,
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  unlink,
  writev,
  writevSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import { formats, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import type { RowCode, SampleFacts, SampleRun, SampleStatus } from '../samples/index.ts'

/** A sample as it waits for its place in the shard: everything but the row, which the plan has. */
export interface SpooledSample {
  readonly status: SampleStatus
  readonly errorCode: RowCode | null
  readonly errorMessage: string | null
  readonly facts: SampleFacts
  readonly run: SampleRun
  /** There for every success. */
  readonly image?: Uint8Array
  /** CRC-32 of the image, where it is known. */
  readonly imageCrc32?: number
  /** To be called once nobody looks at the image any more, where its memory is used again. */
  readonly release?: () => void
}

export interface SampleSpoolOptions {
  readonly path: string
  /** Rows of the shard. */
  readonly rows: number
  /** What the samples belong to: the hash of the plan. A spool of anything else is thrown away. */
  readonly owner: string
  /** Memory that samples may have until they are written; shared by all spools. */
  readonly memory: SpoolMemory
}

/** Bytes of samples that are kept in memory besides the file, so that most are never read again. */
export interface SpoolMemory {
  readonly limitBytes: number
  usedBytes: number
}

/** Samples that wait for one write. */
interface Waiting {
  readonly index: number
  readonly sample: SpooledSample
  readonly parts: readonly Uint8Array[]
  readonly sizeBytes: number
  readonly resolve: () => void
  readonly reject: (error: TrawlError) => void
}

const headerBytes = 24
const magic = 0x50_53_57_54

/**
 * Finished samples of one shard, in the order they come, on disk: `DIR/.trawl/spool/NNNNN`. Append-only and without a
 * sync: what was appended survives kill -9; what a loss of power damaged is found by its checksum and fetched again.
 * Opening reads what an earlier run left.
 *
 * The file is a line of JSON (format, version, owner), then records: 24 bytes (magic, row, length of the JSON, length
 * of the image, CRC-32 of the image, CRC-32 of what precedes and of the JSON; little-endian), the JSON, the image.
 */
export class SampleSpool {
  readonly #options: SampleSpoolOptions
  readonly #fd: number
  /** Position of each row's record plus one; 0 where there is none. */
  readonly #places: Float64Array
  readonly #cache = new Map<number, SpooledSample>()
  #waiting: Waiting[] = []
  #writing = false
  #end = 0
  #count = 0
  #closed = false

  /** Throws storage errors, and ERR_FORMAT_NEWER for a spool of a newer trawl. */
  constructor(options: SampleSpoolOptions) {
    this.#options = options
    this.#places = new Float64Array(options.rows)
    try {
      mkdirSync(dirname(options.path), { recursive: true })
      this.#fd = openSync(options.path, 'a+')
      try {
        this.#recover()
      } catch (error) {
        closeSync(this.#fd)
        throw error
      }
    } catch (error) {
      throw storageError(error, { path: options.path, doing: 'open' })
    }
  }

  /** Rows that are there. */
  get count(): number {
    return this.#count
  }

  has(index: number): boolean {
    return this.#places[index] !== 0
  }

  /**
   * Resolves when the sample is in the file; those that come while one write is under way go together with the next.
   * Rejects with storage errors: then the sample does not count.
   */
  append(index: number, sample: SpooledSample): Promise<void> {
    const { image, imageCrc32, release: _, ...rest } = sample
    const json = Buffer.from(JSON.stringify(rest))
    const header = recordHeader(index, json, image && { image, imageCrc32: imageCrc32 ?? crc32(image) })
    const parts = image ? [header, json, image] : [header, json]
    const sizeBytes = headerBytes + json.length + (image?.length ?? 0)
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new TrawlError('ERR_CANCELLED', 'the shard is closed'))
      this.#waiting.push({ index, sample, parts, sizeBytes, resolve, reject })
      if (!this.#writing) this.#write()
    })
  }

  /** The sample of a row, which is not asked for again. Throws storage errors, and ERR_IO for a damaged record. */
  take(index: number): SpooledSample {
    const kept = this.#cache.get(index)
    if (kept) {
      this.#cache.delete(index)
      this.#options.memory.usedBytes -= kept.image?.length ?? 0
      return kept
    }
    const place = this.#places[index] ?? 0
    const record = place === 0 ? undefined : this.#read(place - 1, this.#end)
    if (record?.index === index && record.sample) return record.sample
    throw new TrawlError('ERR_IO', `${this.#options.path}: the sample of row ${index} cannot be read`, {
      context: { path: this.#options.path },
      hint: 'Remove the file and run the same command again.',
    })
  }

  /** Ends the use of the file; with `remove` it goes, as its shard is committed. Safe to call twice. */
  close(options: { readonly remove?: boolean } = {}): void {
    if (this.#closed) return
    this.#closed = true
    for (const { image, release } of this.#cache.values()) {
      this.#options.memory.usedBytes -= image?.length ?? 0
      release?.()
    }
    this.#cache.clear()
    // Giving back the room of a large file takes a while: not in the event loop.
    if (options.remove === true) unlink(this.#options.path, () => {})
    if (!this.#writing) close(this.#fd)
  }

  #write(): void {
    const group = this.#waiting
    this.#waiting = []
    this.#writing = true
    const parts = group.flatMap((each) => each.parts)
    const sizeBytes = group.reduce((sum, each) => sum + each.sizeBytes, 0)
    writev(this.#fd, parts, (error, written) => {
      let failure: unknown = error
      // A full disk takes a part of it; the next call says so.
      if (!error && written < sizeBytes) failure = attempt(() => writeRest(this.#fd, parts, written))
      this.#writing = false
      if (failure) this.#refuse(group, failure)
      else this.#written(group)
      if (this.#closed) {
        this.#refuse(this.#waiting, new TrawlError('ERR_CANCELLED', 'the shard is closed'))
        close(this.#fd)
      } else if (this.#waiting.length > 0) {
        this.#write()
      }
    })
  }

  #written(group: readonly Waiting[]): void {
    for (const { index, sample, sizeBytes, resolve } of group) {
      if (!this.has(index)) this.#count++
      this.#places[index] = this.#end + 1
      this.#end += sizeBytes
      this.#keep(index, sample)
      resolve()
    }
  }

  #refuse(group: readonly Waiting[], error: unknown): void {
    try {
      // Half a record away, so that what comes next can be found.
      ftruncateSync(this.#fd, this.#end)
    } catch {
      // A disk that cannot even do this will refuse the next record too.
    }
    for (const { reject } of group) reject(storageError(error, { path: this.#options.path, doing: 'write' }))
  }

  #keep(index: number, sample: SpooledSample): void {
    const { memory } = this.#options
    const size = sample.image?.length ?? 0
    if (this.#closed || memory.usedBytes + size > memory.limitBytes) {
      sample.release?.()
      return
    }
    memory.usedBytes += size
    this.#cache.set(index, sample)
  }

  #recover(): void {
    const head = `${JSON.stringify({ format: 'trawl-sample-spool', version: formats.sampleSpool, owner: this.#options.owner })}\n`
    const found = this.#bytes(0, 4096)
    const line = found.subarray(0, found.indexOf(10) + 1).toString()
    if (line !== head) {
      refuseNewer(line, this.#options.path)
      ftruncateSync(this.#fd, 0)
      writeRest(this.#fd, [Buffer.from(head)], 0)
      this.#end = head.length
      return
    }
    this.#end = head.length
    const limit = fstatSync(this.#fd).size
    for (let record = this.#read(this.#end, limit); record; record = this.#read(this.#end, limit)) {
      if (record.sample && record.index < this.#places.length) {
        if (!this.has(record.index)) this.#count++
        this.#places[record.index] = this.#end + 1
      }
      this.#end += record.sizeBytes
    }
    ftruncateSync(this.#fd, this.#end)
  }

  /** The record at a position; undefined where none begins. Without `sample` its image is damaged. */
  #read(at: number, limit: number): { index: number; sizeBytes: number; sample?: SpooledSample } | undefined {
    const header = this.#bytes(at, headerBytes)
    if (header.length < headerBytes || header.readUInt32LE(0) !== magic) return undefined
    const index = header.readUInt32LE(4)
    const jsonLength = header.readUInt32LE(8)
    const imageLength = header.readUInt32LE(12)
    if (at + headerBytes + jsonLength + imageLength > limit) return undefined
    const body = this.#bytes(at + headerBytes, jsonLength + imageLength)
    const json = body.subarray(0, jsonLength)
    if (crc32(json, crc32(header.subarray(0, 20))) !== header.readUInt32LE(20)) return undefined
    const sizeBytes = headerBytes + body.length
    const image = body.subarray(jsonLength)
    if (crc32(image) !== header.readUInt32LE(16)) return { index, sizeBytes }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own record; its checksum holds
    const rest = JSON.parse(json.toString()) as SpooledSample
    return { index, sizeBytes, sample: rest.status === 'success' ? { ...rest, image } : rest }
  }

  #bytes(at: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafeSlow(length)
    let filled = 0
    while (filled < length) {
      const count = readSync(this.#fd, bytes, filled, length - filled, at + filled)
      if (count === 0) break
      filled += count
    }
    return bytes.subarray(0, filled)
  }
}

function recordHeader(
  index: number,
  json: Buffer,
  content: { readonly image: Uint8Array; readonly imageCrc32: number } | undefined,
): Buffer {
  const header = Buffer.allocUnsafe(headerBytes)
  header.writeUInt32LE(magic, 0)
  header.writeUInt32LE(index, 4)
  header.writeUInt32LE(json.length, 8)
  header.writeUInt32LE(content?.image.length ?? 0, 12)
  header.writeUInt32LE(content?.imageCrc32 ?? 0, 16)
  header.writeUInt32LE(crc32(json, crc32(header.subarray(0, 20))), 20)
  return header
}

function writeRest(fd: number, parts: readonly Uint8Array[], written: number): void {
  const rest = Buffer.concat(parts).subarray(written)
  for (let done = 0; done < rest.length;) done += writevSync(fd, [rest.subarray(done)])
}

function attempt(body: () => void): unknown {
  try {
    body()
    return undefined
  } catch (error) {
    return error
  }
}

function refuseNewer(line: string, path: string): void {
  const version = /"format":"trawl-sample-spool","version":(\d+)/.exec(line)?.[1]
  if (version === undefined || Number(version) <= formats.sampleSpool) return
  throw new TrawlError('ERR_FORMAT_NEWER', `${path}: written by a newer trawl`, { context: { path } })
}

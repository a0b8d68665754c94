import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readSync,
  unlinkSync,
  writev,
} from 'node:fs'
import { TrawlError, type Extent } from '../../core/index.ts'
import { errnoOf, storageError } from '../storage-error.ts'
import { buffersOf, endOf, giveBackRun, writeFully, writeRest, type ChunkRun } from './chunk-run.ts'
import { ExtentSet } from './extent-set.ts'
import type { OpenPart, OpenParts } from './open-parts.ts'
import { publish } from './publish.ts'
import type { CommitOptions, Sink, SinkProperties } from './sink.ts'
import type { Volume } from './volume.ts'

/** Chunks are put together up to this size before they are written. */
const coalesceBytes = 256 * 1024
const nothing: readonly Extent[] = []
const noFollow = constants.O_NOFOLLOW ?? 0

/**
 * A sink on a file of the file system. Bytes go to a part file and get their final name on `commit`. A file that
 * fits in the coalescing buffer is opened, written and closed in one go when it is checkpointed.
 */
export class FileSink implements Sink, OpenPart {
  readonly properties: SinkProperties = { randomAccess: true, durable: true, readable: true }
  readonly partPath: string
  seat = -1
  readonly #volume: Volume
  readonly #live: OpenParts | undefined
  readonly #written = new ExtentSet()
  #fd = -1
  #generation = 0
  /** The part file is there and ours. */
  #created = false
  #ended = false
  /** The run of chunks that follow each other, while there is only one: small files never have more. */
  #run: ChunkRun | undefined
  /** Where there are several: all of them, by the offset where the next chunk would go on. */
  #runs: Map<number, ChunkRun> | undefined
  /** Of this generation; a reset leaves its writes to the set they are in. */
  #inFlight: Set<Promise<void>> | undefined
  #failure: TrawlError | undefined

  /** `live` are the sinks that are open; this one is among them while it is. */
  constructor(partPath: string, volume: Volume, live?: OpenParts) {
    this.partPath = partPath
    this.#volume = volume
    this.#live = live
  }

  open(kept: readonly Extent[], generation: number, lengthBytes?: number): readonly Extent[] {
    this.#generation = generation
    const size = kept.length === 0 ? 0 : this.#openKept(lengthBytes)
    this.#live?.add(this)
    if (size === 0) return nothing
    for (const { start, end } of kept) this.#written.add(start, Math.min(end, size))
    return this.#written.toArray()
  }

  write(offset: number, chunk: Buffer, generation: number): void | Promise<void> {
    if (generation !== this.#generation) {
      throw new TrawlError(
        'ERR_STALE_WRITE',
        `bytes of generation ${generation} came after ${this.#generation}`,
      )
    }
    if (this.#failure) throw this.#failure
    const before = this.#takeRun(offset)
    const run = before ?? { at: offset, first: chunk, more: undefined, sizeBytes: 0 }
    if (before) (run.more ??= []).push(chunk)
    run.sizeBytes += chunk.length
    if (run.sizeBytes >= coalesceBytes) return this.#write(run)
    const twin = this.#keepRun(run)
    return twin && this.#write(twin)
  }

  /** The run that goes on at an offset, taken out. */
  #takeRun(offset: number): ChunkRun | undefined {
    let run: ChunkRun | undefined
    if (this.#runs) {
      run = this.#runs.get(offset)
      if (run) this.#runs.delete(offset)
    } else if (this.#run && endOf(this.#run) === offset) {
      run = this.#run
      this.#run = undefined
    }
    return run
  }

  /** Two that end in the same place: the bytes of one are among those of the other, or the other way round. */
  #keepRun(run: ChunkRun): ChunkRun | undefined {
    if (!this.#runs) {
      if (!this.#run) {
        this.#run = run
        return undefined
      }
      this.#runs = new Map([[endOf(this.#run), this.#run]])
      this.#run = undefined
    }
    const end = endOf(run)
    const twin = this.#runs.get(end)
    this.#runs.set(end, run)
    return twin
  }

  #forgetRuns(): void {
    this.#run = undefined
    this.#runs = undefined
  }

  get #isPending(): boolean {
    return this.#run !== undefined || (this.#runs !== undefined && this.#runs.size > 0) || this.#isInFlight
  }

  get #isInFlight(): boolean {
    return this.#inFlight !== undefined && this.#inFlight.size > 0
  }

  read(offset: number, lengthBytes: number): Buffer {
    this.#flush()
    const buffer = Buffer.allocUnsafe(lengthBytes)
    try {
      const got = readSync(this.#open(), buffer, 0, lengthBytes, offset)
      return buffer.subarray(0, got)
    } catch (error) {
      throw storageError(error, { path: this.partPath, doing: 'read' })
    }
  }

  checkpoint(): readonly Extent[] | Promise<readonly Extent[]> {
    this.#flush()
    if (this.#isInFlight) return this.#settled().then(() => this.#synced())
    return this.#synced()
  }

  reset(generation: number): void {
    this.#forgetRuns()
    this.#written.clear()
    this.#generation = generation
    this.#failure = undefined
    if (this.#isInFlight) return this.#startAnew()
    if (this.#fd < 0 && !this.#created) return
    try {
      ftruncateSync(this.#open(), 0)
    } catch (error) {
      throw storageError(error, { path: this.partPath, doing: 'empty' })
    }
  }

  commit(finalPath: string, options: CommitOptions): void {
    if (this.#isPending) {
      throw new TrawlError('ERR_INTERNAL', `${finalPath} was to be named before its bytes were checkpointed`)
    }
    // An empty file has had no write that would have created it.
    if (!this.#created && this.#fd < 0) this.#open()
    if (options.modifiedS !== undefined) {
      futimesSync(this.#open(), options.modifiedS, options.modifiedS)
    }
    this.#close()
    publish(this.partPath, finalPath, { replace: options.replace, durability: this.#volume.durability })
    this.#end()
  }

  abort(options: { readonly discard?: boolean } = {}): readonly Extent[] {
    if (this.#ended) return nothing
    this.#end()
    const kept = options.discard ? nothing : this.#rescue()
    this.#forgetRuns()
    this.#closeQuietly()
    if (kept.length > 0 || !this.#created) return kept
    try {
      unlinkSync(this.partPath)
    } catch {
      // Gone already; that is what was wanted.
    }
    return nothing
  }

  #end(): void {
    this.#ended = true
    this.#live?.remove(this)
  }

  /** What is written when everything else has gone wrong: as much as can be. */
  #rescue(): readonly Extent[] {
    try {
      if (!this.#failure) this.#flush()
      if (this.#volume.durability === 'strict' && this.#created) fdatasyncSync(this.#open())
    } catch {
      // What could not be written is not kept.
    }
    return this.#written.toArray()
  }

  #flush(): void {
    const only = this.#run
    const runs = this.#runs
    this.#forgetRuns()
    if (only) void this.#write(only)
    if (runs) for (const run of runs.values()) void this.#write(run)
  }

  /** Hands a run to the system; a promise only where the volume is slow. */
  #write(run: ChunkRun): void | Promise<void> {
    if (this.#volume.prefersAsync && run.sizeBytes >= coalesceBytes) return this.#writeAsync(run)
    const started = performance.now()
    try {
      writeFully(this.#open(), run)
    } catch (error) {
      throw this.#fail(error)
    }
    this.#volume.wrote(performance.now() - started, run.sizeBytes)
    this.#written.add(run.at, run.at + run.sizeBytes)
    giveBackRun(run)
    return undefined
  }

  #writeAsync(run: ChunkRun): Promise<void> {
    const { at, sizeBytes: size } = run
    const buffers = buffersOf(run)
    let fd: number
    try {
      fd = this.#open()
    } catch (error) {
      throw this.#fail(error)
    }
    const inFlight = (this.#inFlight ??= new Set())
    const started = performance.now()
    this.#volume.pending(size)
    const write = new Promise<void>((resolve, reject) => {
      writev(fd, buffers, at, (error, written) => {
        this.#volume.pending(-size)
        this.#volume.wrote(performance.now() - started, size)
        // After a reset it went to a file that nobody will see.
        if (inFlight !== this.#inFlight) return resolve()
        try {
          if (error) throw error
          if (written < size) writeRest(fd, run, written)
          this.#written.add(at, at + size)
          giveBackRun(run)
          resolve()
        } catch (cause) {
          reject(this.#fail(cause))
        }
      })
    })
    inFlight.add(write)
    const settle = (): void => void inFlight.delete(write)
    write.then(settle, settle)
    return write
  }

  async #settled(): Promise<void> {
    if (this.#inFlight) await Promise.all(this.#inFlight)
  }

  #synced(): readonly Extent[] {
    if (this.#failure) throw this.#failure
    const extents = this.#written.toArray()
    if (this.#volume.durability === 'strict' && this.#created) {
      try {
        fdatasyncSync(this.#open())
      } catch (error) {
        throw this.#fail(error)
      }
    }
    // A small file is closed at once: hundreds of them may be waiting for their commit.
    if (extents.length === 1 && (extents[0]?.end ?? 0) < coalesceBytes) this.#close()
    return extents
  }

  /** Size of the part file of an earlier run, opened and cut to the length of the whole; 0 where there is none. */
  #openKept(lengthBytes: number | undefined): number {
    try {
      const fd = openSync(this.partPath, constants.O_RDWR | noFollow)
      this.#fd = fd
      this.#created = true
      const { size } = fstatSync(fd)
      if (lengthBytes === undefined || size <= lengthBytes) return size
      ftruncateSync(fd, lengthBytes)
      return lengthBytes
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 0
      this.#closeQuietly()
      throw storageError(error, { path: this.partPath, doing: 'open' })
    }
  }

  #open(): number {
    if (this.#fd >= 0) return this.#fd
    try {
      this.#fd = this.#created
        ? openSync(this.partPath, constants.O_RDWR | noFollow)
        : createFile(this.partPath)
    } catch (error) {
      throw storageError(error, { path: this.partPath, doing: 'create' })
    }
    this.#created = true
    return this.#fd
  }

  /** Leaves the file to the writes that are still in flight, and goes on with another. */
  #startAnew(): void {
    this.#closeQuietly()
    this.#inFlight = undefined
    this.#created = false
    try {
      unlinkSync(this.partPath)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw storageError(error, { path: this.partPath, doing: 'remove' })
    }
  }

  #close(): void {
    if (this.#fd < 0) return
    const fd = this.#fd
    this.#fd = -1
    try {
      closeSync(fd)
    } catch (error) {
      throw this.#fail(error)
    }
  }

  /** Closes when nothing is in flight: the number of a closed file may be that of another at once. */
  #closeQuietly(): void {
    const fd = this.#fd
    this.#fd = -1
    if (fd < 0) return
    const close = (): void => {
      try {
        closeSync(fd)
      } catch {
        // Its bytes are not counted on any more.
      }
    }
    const inFlight = this.#inFlight
    if (inFlight && inFlight.size > 0) void Promise.allSettled(inFlight).then(close)
    else close()
  }

  #fail(error: unknown): TrawlError {
    const failure = storageError(error, { path: this.partPath, doing: 'write' })
    this.#failure = failure
    return failure
  }
}

/**
 * A new file, never one that is there: what stands under the name of a part may be a second name of a finished file,
 * left by a loss of power between giving the one and taking the other.
 */
function createFile(path: string): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | noFollow
  try {
    return openSync(path, flags, 0o666)
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error
  }
  unlinkSync(path)
  return openSync(path, flags, 0o666)
}

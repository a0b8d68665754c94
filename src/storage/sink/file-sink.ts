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
  writeSync,
  writev,
  writevSync,
} from 'node:fs'
import { TrawlError, type Extent } from '../../core/index.ts'
import { errnoOf, storageError } from '../storage-error.ts'
import { ExtentSet } from './extent-set.ts'
import { publish } from './publish.ts'
import type { CommitOptions, Sink, SinkProperties } from './sink.ts'
import type { Volume } from './volume.ts'

/** Chunks are put together up to this size before they are written. */
const coalesceBytes = 1024 * 1024
const nothing: readonly Extent[] = []
const noFollow = constants.O_NOFOLLOW ?? 0

/**
 * A sink on a file of the file system. Bytes go to a part file and get their final name on `commit`. A file that
 * fits in the coalescing buffer is opened, written and closed in one go when it is checkpointed.
 */
export class FileSink implements Sink {
  readonly properties: SinkProperties = { randomAccess: true, durable: true, readable: true }
  readonly #partPath: string
  readonly #volume: Volume
  readonly #live: Set<string> | undefined
  readonly #written = new ExtentSet()
  #fd = -1
  #generation = 0
  /** The part file is there and ours. */
  #created = false
  #ended = false
  /** Runs of chunks that follow each other, by the offset where the next chunk would go on. */
  readonly #runs = new Map<number, Run>()
  /** Of this generation; a reset leaves its writes to the set they are in. */
  #inFlight = new Set<Promise<void>>()
  #failure: TrawlError | undefined

  /** `live` holds the part paths of sinks that are open; this one keeps its own in it. */
  constructor(partPath: string, volume: Volume, live?: Set<string>) {
    this.#partPath = partPath
    this.#volume = volume
    this.#live = live
  }

  open(kept: readonly Extent[], generation: number, lengthBytes?: number): readonly Extent[] {
    this.#generation = generation
    const size = kept.length === 0 ? 0 : this.#openKept(lengthBytes)
    this.#live?.add(this.#partPath)
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
    const end = offset + chunk.length
    let run = this.#runs.get(offset)
    if (run) this.#runs.delete(offset)
    else run = { at: offset, buffers: [], sizeBytes: 0 }
    run.buffers.push(chunk)
    run.sizeBytes += chunk.length
    if (run.sizeBytes >= coalesceBytes) return this.#write(run)
    const twin = this.#runs.get(end)
    this.#runs.set(end, run)
    // Two that end in the same place: the bytes of one are among those of the other, or the other way round.
    return twin && this.#write(twin)
  }

  read(offset: number, lengthBytes: number): Buffer {
    this.#flush()
    const buffer = Buffer.allocUnsafe(lengthBytes)
    try {
      const got = readSync(this.#open(), buffer, 0, lengthBytes, offset)
      return buffer.subarray(0, got)
    } catch (error) {
      throw storageError(error, { path: this.#partPath, doing: 'read' })
    }
  }

  checkpoint(): readonly Extent[] | Promise<readonly Extent[]> {
    this.#flush()
    if (this.#inFlight.size > 0) return this.#settled().then(() => this.#synced())
    return this.#synced()
  }

  reset(generation: number): void {
    this.#runs.clear()
    this.#written.clear()
    this.#generation = generation
    this.#failure = undefined
    if (this.#inFlight.size > 0) return this.#startAnew()
    if (this.#fd < 0 && !this.#created) return
    try {
      ftruncateSync(this.#open(), 0)
    } catch (error) {
      throw storageError(error, { path: this.#partPath, doing: 'empty' })
    }
  }

  commit(finalPath: string, options: CommitOptions): void {
    if (this.#runs.size > 0 || this.#inFlight.size > 0) {
      throw new TrawlError('ERR_INTERNAL', `${finalPath} was to be named before its bytes were checkpointed`)
    }
    // An empty file has had no write that would have created it.
    if (!this.#created && this.#fd < 0) this.#open()
    if (options.modifiedS !== undefined) {
      futimesSync(this.#open(), options.modifiedS, options.modifiedS)
    }
    this.#close()
    publish(this.#partPath, finalPath, { replace: options.replace, durability: this.#volume.durability })
    this.#end()
  }

  abort(options: { readonly discard?: boolean } = {}): readonly Extent[] {
    if (this.#ended) return nothing
    this.#end()
    const kept = options.discard ? nothing : this.#rescue()
    this.#runs.clear()
    this.#closeQuietly()
    if (kept.length > 0 || !this.#created) return kept
    try {
      unlinkSync(this.#partPath)
    } catch {
      // Gone already; that is what was wanted.
    }
    return nothing
  }

  #end(): void {
    this.#ended = true
    this.#live?.delete(this.#partPath)
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
    if (this.#runs.size === 0) return
    const runs = [...this.#runs.values()]
    this.#runs.clear()
    for (const run of runs) void this.#write(run)
  }

  /** Hands a run to the system; a promise only where the volume is slow. */
  #write(run: Run): void | Promise<void> {
    if (this.#volume.prefersAsync && run.sizeBytes >= coalesceBytes) return this.#writeAsync(run)
    const started = performance.now()
    const fd = this.#open()
    try {
      writeFully(fd, run.buffers, run.at, run.sizeBytes)
    } catch (error) {
      throw this.#fail(error)
    }
    this.#volume.wrote(performance.now() - started, run.sizeBytes)
    this.#written.add(run.at, run.at + run.sizeBytes)
    return undefined
  }

  #writeAsync(run: Run): Promise<void> {
    const { at, buffers, sizeBytes: size } = run
    const fd = this.#open()
    const inFlight = this.#inFlight
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
          if (written < size) writeFully(fd, skipBytes(buffers, written), at + written, size - written)
          this.#written.add(at, at + size)
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
    await Promise.all(this.#inFlight)
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
      const fd = openSync(this.#partPath, constants.O_RDWR | noFollow)
      this.#fd = fd
      this.#created = true
      const { size } = fstatSync(fd)
      if (lengthBytes === undefined || size <= lengthBytes) return size
      ftruncateSync(fd, lengthBytes)
      return lengthBytes
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return 0
      this.#closeQuietly()
      throw storageError(error, { path: this.#partPath, doing: 'open' })
    }
  }

  #open(): number {
    if (this.#fd >= 0) return this.#fd
    try {
      this.#fd = this.#created
        ? openSync(this.#partPath, constants.O_RDWR | noFollow)
        : createFile(this.#partPath)
    } catch (error) {
      throw storageError(error, { path: this.#partPath, doing: 'create' })
    }
    this.#created = true
    return this.#fd
  }

  /** Leaves the file to the writes that are still in flight, and goes on with another. */
  #startAnew(): void {
    this.#closeQuietly()
    this.#inFlight = new Set()
    this.#created = false
    try {
      unlinkSync(this.#partPath)
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw storageError(error, { path: this.#partPath, doing: 'remove' })
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
    if (this.#inFlight.size === 0) close()
    else void Promise.allSettled(this.#inFlight).then(close)
  }

  #fail(error: unknown): TrawlError {
    const failure = storageError(error, { path: this.#partPath, doing: 'write' })
    this.#failure = failure
    return failure
  }
}

interface Run {
  readonly at: number
  readonly buffers: Buffer[]
  sizeBytes: number
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

function writeFully(fd: number, buffers: Buffer[], at: number, size: number): void {
  const [only] = buffers
  // One buffer is the rule for small files, and then the plain call is cheaper.
  let written = only && buffers.length === 1 ? writeSync(fd, only, 0, size, at) : writevSync(fd, buffers, at)
  while (written < size) written += writevSync(fd, skipBytes(buffers, written), at + written)
}

/** The buffers after their first `count` bytes. */
function skipBytes(buffers: readonly Buffer[], count: number): Buffer[] {
  const rest: Buffer[] = []
  let skip = count
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length
    else {
      rest.push(skip > 0 ? buffer.subarray(skip) : buffer)
      skip = 0
    }
  }
  return rest
}

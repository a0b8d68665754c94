import {
  closeSync,
  constants,
  fdatasyncSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readSync,
  unlinkSync,
  writev,
  writevSync,
} from 'node:fs'
import { TrawlError, type Extent } from '../../core/index.ts'
import { storageError } from '../storage-error.ts'
import { ExtentSet } from './extent-set.ts'
import { publish } from './publish.ts'
import type { CommitOptions, Sink, SinkProperties } from './sink.ts'
import type { Volume } from './volume.ts'

/** Chunks are put together up to this size before they are written. */
const coalesceBytes = 1024 * 1024

/**
 * A sink on a file of the file system. Bytes go to a part file and get their final name on `commit`. A file that
 * fits in the coalescing buffer is opened, written and closed in one go when it is checkpointed.
 */
export class FileSink implements Sink {
  readonly properties: SinkProperties = { randomAccess: true, durable: true, readable: true }
  readonly #partPath: string
  readonly #volume: Volume
  readonly #written = new ExtentSet()
  #fd = -1
  #generation = 0
  #created = false
  /** Runs of chunks that follow each other, by the offset where the next chunk would go on. */
  readonly #runs = new Map<number, Run>()
  #inFlight = new Set<Promise<void>>()
  #failure: TrawlError | undefined

  constructor(partPath: string, volume: Volume) {
    this.#partPath = partPath
    this.#volume = volume
  }

  open(kept: readonly Extent[], generation: number): void {
    this.#generation = generation
    this.#created = kept.length > 0
    for (const extent of kept) this.#written.add(extent.start, extent.end)
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
    this.#runs.set(end, run)
    return undefined
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
    if (this.#fd < 0 && !this.#created) return
    try {
      ftruncateSync(this.#open(), 0)
    } catch (error) {
      throw storageError(error, { path: this.#partPath, doing: 'empty' })
    }
  }

  commit(finalPath: string, options: CommitOptions): void {
    // An empty file has had no write that would have created it.
    if (!this.#created && this.#fd < 0) this.#open()
    if (options.modifiedS !== undefined) {
      futimesSync(this.#open(), options.modifiedS, options.modifiedS)
    }
    this.#close()
    publish(this.#partPath, finalPath, { replace: options.replace, durability: this.#volume.durability })
  }

  abort(options: { readonly discard?: boolean } = {}): void {
    if (!options.discard && !this.#failure) this.#flush()
    this.#runs.clear()
    this.#close()
    if (!options.discard || !this.#created) return
    try {
      unlinkSync(this.#partPath)
    } catch {
      // Gone already; that is what was wanted.
    }
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
    try {
      writeFully(this.#open(), run.buffers, run.at, run.sizeBytes)
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
    const started = performance.now()
    this.#volume.pending(size)
    const write = new Promise<void>((resolve, reject) => {
      writev(fd, buffers, at, (error, written) => {
        this.#volume.pending(-size)
        this.#volume.wrote(performance.now() - started, size)
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
    this.#inFlight.add(write)
    const settle = (): void => void this.#inFlight.delete(write)
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

  #open(): number {
    if (this.#fd >= 0) return this.#fd
    const fresh = this.#created ? 0 : constants.O_TRUNC
    const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0) | fresh
    try {
      this.#fd = openSync(this.#partPath, flags, 0o666)
    } catch (error) {
      throw storageError(error, { path: this.#partPath, doing: 'create' })
    }
    this.#created = true
    return this.#fd
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

function writeFully(fd: number, buffers: Buffer[], at: number, size: number): void {
  let written = writevSync(fd, buffers, at)
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

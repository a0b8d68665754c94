import { closeSync, fstatSync, lstatSync, openSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { TrawlError } from '../../core/index.ts'
import { publish, storageError, type Durability } from '../../storage/index.ts'
import { GatherWriter, type FileRange } from './gather-writer.ts'

/** How a container gets its final name. */
export interface PartOptions {
  /** The final name, absolute or relative to the working folder. */
  readonly path: string
  /** May what stands there be replaced? Without it: ERR_EXISTS, at the start and again at the end. */
  readonly replace?: boolean
  /** `batch` is the default: the file is on the medium before it gets its name. */
  readonly durability?: Durability
}

/** The temporary name beside a target: `.<name>.trawl-part`. */
export function partPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.trawl-part`)
}

/** Throws ERR_EXISTS where something stands under the final name and may not be replaced. */
export function refuseExisting(options: PartOptions): void {
  if (options.replace === true) return
  if (lstatSync(options.path, { throwIfNoEntry: false }) === undefined) return
  throw new TrawlError('ERR_EXISTS', `${options.path} exists already`, { context: { path: options.path } })
}

/**
 * A file written under a temporary name beside its target and renamed when it is whole. A temporary file that a
 * killed run left is replaced. Throws ERR_EXISTS and other storage errors; every error names the target.
 */
export class PartFile {
  readonly path: string
  readonly #part: string
  readonly #options: PartOptions
  readonly #fd: number
  readonly #writer: GatherWriter
  #open = true
  #named = false

  constructor(options: PartOptions) {
    this.path = options.path
    this.#options = options
    this.#part = partPath(options.path)
    refuseExisting(options)
    this.#fd = this.#attempt(() => {
      // Never written through a link that somebody else placed there.
      rmSync(this.#part, { force: true })
      return openSync(this.#part, 'wx+')
    })
    this.#writer = new GatherWriter(this.#fd)
  }

  /** Where the next byte goes. */
  get position(): number {
    return this.#writer.position
  }

  /** The temporary name. */
  get partPath(): string {
    return this.#part
  }

  /** The open file, for reading back; complete after `flush`. */
  get fd(): number {
    return this.#fd
  }

  put(bytes: Uint8Array): Promise<void> {
    return this.#guard(this.#writer.put(bytes))
  }

  copy(range: FileRange, seen?: (piece: Buffer) => void): Promise<void> {
    return this.#guard(this.#writer.copy(range, seen))
  }

  /** Writes over bytes that were appended before. */
  patch(position: number, bytes: Uint8Array): Promise<void> {
    return this.#guard(this.#writer.patch(position, bytes))
  }

  /** All bytes are in the file, and on the medium unless durability is `none`. Returns its size. */
  async flush(): Promise<number> {
    await this.#guard(this.#writer.flush({ sync: this.#options.durability !== 'none' }))
    return fstatSync(this.#fd).size
  }

  /** Closes and renames. Call after `flush` and reading back. */
  async commit(): Promise<void> {
    await this.#close()
    this.#attempt(() =>
      publish(this.#part, this.path, {
        replace: this.#options.replace === true,
        durability: this.#options.durability === 'none' ? 'none' : 'strict',
      }),
    )
    this.#named = true
  }

  /** Closes and removes the temporary file. Safe after anything, also twice. */
  async abort(): Promise<void> {
    await this.#close()
    if (!this.#named) rmSync(this.#part, { force: true })
  }

  async #close(): Promise<void> {
    if (!this.#open) return
    this.#open = false
    await this.#writer.settle()
    closeSync(this.#fd)
  }

  async #guard<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'write' })
    }
  }

  #attempt<T>(body: () => T): T {
    try {
      return body()
    } catch (error) {
      throw storageError(error, { path: this.path, doing: 'write' })
    }
  }
}

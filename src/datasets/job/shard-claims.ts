import { existsSync, mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isTrawlError } from '../../core/index.ts'
import { FolderLock, storageError, type LockOwner } from '../../storage/index.ts'

/** The right of this process to work on a shard. */
export interface ShardClaim {
  release(): void
}

/**
 * Says which process works on which shard, so that several share one output folder: a file that names the process in
 * `DIR/.trawl/claims`. The claim of a process that is gone counts no more. Throws storage errors.
 */
export class ShardClaims {
  readonly folder: string

  constructor(out: string) {
    this.folder = join(out, '.trawl', 'claims')
    this.#makeFolder()
  }

  /** Undefined while another process has the shard. Throws storage errors. */
  claim(name: string): ShardClaim | undefined {
    try {
      return this.#acquire(name)
    } catch (error) {
      if (isTrawlError(error) && error.code === 'ERR_LOCKED') return undefined
      throw error
    }
  }

  /** Who has a shard from another machine, where nobody here can see whether it is still at work. */
  holderElsewhere(name: string): LockOwner | undefined {
    const owner = FolderLock.holder(join(this.folder, name))
    return owner?.host === hostname() ? undefined : owner
  }

  #acquire(name: string): ShardClaim {
    const path = join(this.folder, name)
    try {
      return FolderLock.acquire(path)
    } catch (error) {
      if (existsSync(this.folder)) throw error
      // The process that finished the dataset has taken the folder away.
      this.#makeFolder()
      return FolderLock.acquire(path)
    }
  }

  #makeFolder(): void {
    try {
      mkdirSync(this.folder, { recursive: true })
    } catch (error) {
      throw storageError(error, { path: this.folder, doing: 'create the folder' })
    }
  }
}

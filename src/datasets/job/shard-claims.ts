import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { isTrawlError } from '../../core/index.ts'
import { FolderLock, storageError } from '../../storage/index.ts'

/** The right of this process to work on a shard. */
export interface ShardClaim {
  release(): void
}

/**
 * Says which process works on which shard, so that several share one output folder: a file that names the process in
 * `DIR/.trawl/claims`. The claim of a process that is gone counts no more. Throws storage errors.
 */
export class ShardClaims {
  readonly #folder: string

  constructor(out: string) {
    this.#folder = join(out, '.trawl', 'claims')
    try {
      mkdirSync(this.#folder, { recursive: true })
    } catch (error) {
      throw storageError(error, { path: this.#folder, doing: 'create the folder' })
    }
  }

  /** Undefined while another process has the shard. Throws storage errors. */
  claim(name: string): ShardClaim | undefined {
    try {
      return FolderLock.acquire(join(this.#folder, name))
    } catch (error) {
      if (isTrawlError(error) && error.code === 'ERR_LOCKED') return undefined
      throw error
    }
  }
}

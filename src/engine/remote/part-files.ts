import type { DownloadTask } from '../../core/index.ts'
import type { Durability } from '../../storage/index.ts'

/**
 * The part files of a destination, for executors whose workers write them. A claim keeps other jobs of the same folder
 * away from a part while a worker of this one writes it.
 */
export interface PartFiles {
  /** Parts are called by the ids of their tasks. */
  readonly folder: string
  readonly durability: Durability
  /** Throws ERR_LOCKED, scope `task`, where the part is in use. */
  claim(task: DownloadTask): void
  release(task: DownloadTask): void
  /** Removes the part, if there is one. */
  remove(task: DownloadTask): void
  /**
   * True where the headers of the answer may show that no byte is wanted, such as of a file that is there already: then
   * it is worth to ask before they are taken, also for a small file.
   */
  mayRefuse(task: DownloadTask): boolean
}

import { setTimeout as sleep } from 'node:timers/promises'
import {
  systemClock,
  toTrawlError,
  TrawlError,
  type DownloadEventBody,
  type JobContext,
} from '../core/index.ts'
import { OutputFolder, type Durability } from '../storage/index.ts'

const lookEveryMs = 1000

/** Output folders that jobs of this process have open: jobs of one folder share its journal and names. */
export class OpenFolders {
  readonly #open = new Map<string, { readonly folder: OutputFolder; users: number }>()

  /** Throws what opening an `OutputFolder` throws. */
  open(path: string, durability: Durability, emit: (event: DownloadEventBody) => void): OutputFolder {
    const known = this.#open.get(path)
    if (known) {
      known.users++
      return known.folder
    }
    const folder = new OutputFolder({
      path,
      durability,
      onDamage: (damage) => {
        const lost = damage.reduce((sum, each) => sum + each.lostBytes, 0)
        emit({
          type: 'job.notice',
          message: `the journal of ${path} was damaged in ${damage.length} places (${lost} bytes); the rest is used`,
        })
      },
    })
    this.#open.set(path, { folder, users: 1 })
    return folder
  }

  /**
   * The same, and where its volume is full waits for room, as transfers do: `spaceWaitMs` at most, or until the signal
   * of the job fires.
   */
  async openWhenRoom(
    path: string,
    options: { readonly durability: Durability; readonly spaceWaitMs: number },
    job: Pick<JobContext, 'emit' | 'signal'>,
  ): Promise<OutputFolder> {
    const untilMs = systemClock.now() + options.spaceWaitMs
    for (let isWaiting = false; ; isWaiting = true) {
      try {
        const folder = this.open(path, options.durability, (event) => job.emit(event))
        if (isWaiting) job.emit({ type: 'volume.resumed', path })
        return folder
      } catch (thrown) {
        const error = toTrawlError(thrown)
        const leftMs = untilMs - systemClock.now()
        if (error.code !== 'ERR_NO_SPACE' || leftMs <= 0) throw error
        if (job.signal.aborted) throw new TrawlError('ERR_CANCELLED', 'cancelled while waiting for room')
        if (!isWaiting) job.emit({ type: 'volume.paused', path, error: error.toJSON() })
        await sleep(Math.min(leftMs, lookEveryMs), undefined, { signal: job.signal }).catch(() => {})
      }
    }
  }

  close(folder: OutputFolder): void {
    const known = this.#open.get(folder.path)
    if (!known) return
    known.users--
    if (known.users > 0) return
    this.#open.delete(folder.path)
    folder.close()
  }
}

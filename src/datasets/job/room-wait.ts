import {
  isTrawlError,
  systemClock,
  type TrawlError,
  type Clock,
  type DownloadEventBody,
} from '../../core/index.ts'
import { freeBytes } from '../../storage/index.ts'

export interface RoomWaitOptions {
  /** The output folder. */
  readonly path: string
  /** Longest wait; 0 is none. */
  readonly waitMs: number
  readonly emit: (event: DownloadEventBody) => void
  /** True where the job is to end without waiting. */
  readonly isEnding: () => boolean
  readonly freeBytes?: () => number | undefined
  readonly clock?: Clock
}

const lookEveryMs = 1000
/** Less room than this is not worth trying again for. */
const wantedBytes = 16 * 1024 * 1024
/** Tried again after so long whatever the volume says: a quota is not told. */
const tryEveryMs = 30_000

/** Waits for room on the volume of a dataset, and tries again what it refused. */
export class RoomWait {
  readonly #options: RoomWaitOptions
  readonly #clock: Clock
  #waiting = 0

  constructor(options: RoomWaitOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /**
   * What `body` gives; it is run again where the volume was full and has room now. Rejects with what `body` rejects
   * with: ERR_NO_SPACE after the longest wait, or where the job ends meanwhile.
   */
  async retry<T>(body: () => Promise<T>): Promise<T> {
    let deadlineMs: number | undefined
    for (;;) {
      try {
        return await body()
      } catch (error) {
        if (!isTrawlError(error) || error.code !== 'ERR_NO_SPACE') throw error
        deadlineMs ??= this.#clock.now() + this.#options.waitMs
        if (!(await this.#room(error, deadlineMs))) throw error
      }
    }
  }

  /** True once there is room, false where there is none in time. */
  async #room(error: TrawlError, deadlineMs: number): Promise<boolean> {
    const { path, emit, isEnding } = this.#options
    const startMs = this.#clock.now()
    const freeWhenFull = this.#free() ?? 0
    if (startMs >= deadlineMs || isEnding()) return false
    if (this.#waiting++ === 0) emit({ type: 'volume.paused', path, error: error.toJSON() })
    try {
      for (;;) {
        await this.#pause()
        const nowMs = this.#clock.now()
        if (isEnding() || nowMs >= deadlineMs) return false
        const free = this.#free()
        if (free === undefined || free >= freeWhenFull + wantedBytes) return true
        if (nowMs >= startMs + tryEveryMs) return true
      }
    } finally {
      if (--this.#waiting === 0) emit({ type: 'volume.resumed', path })
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#clock.after(lookEveryMs, resolve))
  }

  #free(): number | undefined {
    return (this.#options.freeBytes ?? (() => freeBytes(this.#options.path)))()
  }
}

import type { Clock, TrawlError } from '../../core/index.ts'

export interface VolumeGuardOptions {
  readonly clock: Clock
  readonly waitMs: number
  readonly freeBytes: () => number | undefined
  readonly onPause: (path: string, error: TrawlError) => void
  readonly onResume: (path: string) => void
  readonly onGiveUp: (error: TrawlError) => void
}

const lookEveryMs = 1000
/** Less room than this is not worth starting again for. */
const wantedBytes = 16 * 1024 * 1024

/**
 * Holds a run while its volume is full. Looks every second whether there is room again; after `waitMs` it gives up,
 * and what is on disk stays for the next run.
 */
export class VolumeGuard {
  readonly #options: VolumeGuardOptions
  #error: TrawlError | undefined
  #deadlineMs = 0
  #freeWhenFull = 0
  #cancel: (() => void) | undefined

  constructor(options: VolumeGuardOptions) {
    this.#options = options
  }

  get paused(): boolean {
    return this.#error !== undefined
  }

  /** The volume refused a write. Further calls while paused change nothing. */
  pause(error: TrawlError): void {
    if (this.#error) return
    const now = this.#options.clock.now()
    // Full again at once after a pause: the same wait goes on.
    if (now > this.#deadlineMs || this.#deadlineMs === 0) this.#deadlineMs = now + this.#options.waitMs
    this.#error = error
    this.#freeWhenFull = this.#options.freeBytes() ?? 0
    this.#options.onPause(error.context.path ?? '', error)
    this.#lookLater()
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #lookLater(): void {
    const { clock } = this.#options
    const leftMs = this.#deadlineMs - clock.now()
    this.#cancel = clock.after(Math.max(0, Math.min(lookEveryMs, leftMs)), () => this.#look())
  }

  #look(): void {
    const error = this.#error
    if (!error) return
    const free = this.#options.freeBytes()
    if (free === undefined || free >= this.#freeWhenFull + wantedBytes) {
      this.#error = undefined
      this.#options.onResume(error.context.path ?? '')
    } else if (this.#options.clock.now() >= this.#deadlineMs) {
      this.#options.onGiveUp(error)
    } else {
      this.#lookLater()
    }
  }
}

import { systemClock, type Clock, type DownloadEventBody, type PauseRequest } from '../core/index.ts'
import { Schedule, type ScheduleRule, type ScheduleState } from './schedule.ts'

export interface JobHoldsOptions {
  readonly rule?: ScheduleRule | undefined
  readonly clock?: Clock | undefined
  readonly emit: (event: DownloadEventBody) => void
  readonly pause: (request: PauseRequest) => void
  readonly resume: () => void
}

/** When the hours end, what is active may end by itself for so long; then it is stopped and keeps its bytes. */
const graceMs = 60_000

/** What holds a job back: its user, its schedule. Tells of each change, and holds the work. */
export class JobHolds {
  readonly #options: JobHoldsOptions
  readonly #clock: Clock
  #schedule: Schedule | undefined
  #byUser = false
  /** The hours are over and the user did not say that it goes on all the same. */
  #byClock = false
  #stopGrace: (() => void) | undefined
  readonly #waiting: (() => void)[] = []

  constructor(options: JobHoldsOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  get held(): boolean {
    return this.#byUser || this.#byClock
  }

  /** Begins to watch the clock; resolves when the job may start, or when it ends. */
  async start(): Promise<void> {
    const { rule } = this.#options
    if (!rule) return
    const schedule = new Schedule({ rule, clock: this.#clock, onChange: (state) => this.#clockSays(state) })
    this.#schedule = schedule
    if (schedule.state.open) return
    this.#byClock = true
    this.#tellPause(reasonOf(schedule.state))
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** The user holds the job. */
  pause(request: PauseRequest): void {
    const wasHeld = this.held
    this.#byUser = true
    this.#options.pause(request)
    if (!wasHeld) this.#tellPause('asked to')
  }

  /** The user lets it go on, whatever the hour. */
  resume(): void {
    const wasHeld = this.held
    this.#byUser = false
    this.#byClock = false
    this.#goOn(wasHeld)
  }

  /** The job is over: nobody waits any more, no timer is left. */
  close(): void {
    this.#schedule?.close()
    this.#stopGrace?.()
    this.#wake()
  }

  #clockSays(state: ScheduleState): void {
    if (!state.open) {
      const wasHeld = this.held
      this.#byClock = true
      this.#options.pause({ drain: true })
      this.#stopGrace = this.#clock.after(graceMs, () => this.#options.pause({}))
      if (!wasHeld) this.#tellPause(reasonOf(state))
      return
    }
    const wasHeld = this.held
    this.#byClock = false
    if (!this.#byUser) this.#goOn(wasHeld)
  }

  #goOn(wasHeld: boolean): void {
    this.#stopGrace?.()
    if (wasHeld) this.#options.emit({ type: 'job.resumed' })
    this.#options.resume()
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #tellPause(reason: string): void {
    this.#options.emit({ type: 'job.paused', reason })
  }
}

function reasonOf({ untilWallMs }: ScheduleState): string {
  const at = new Date(untilWallMs ?? 0)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `goes on at ${day} ${two(at.getHours())}:${two(at.getMinutes())}`
}

import type { HourSpan } from '../config/index.ts'
import type { Clock } from '../core/index.ts'

/** When a job may work. */
export interface ScheduleRule {
  /** Not before; milliseconds since 1970. */
  readonly startAtWallMs?: number
  /** Only between these hours of the local clock. */
  readonly hours?: HourSpan
}

/** Whether a job may work at a moment, and when that may change. */
export interface ScheduleState {
  readonly open: boolean
  /** Milliseconds since 1970; undefined where it stays so. */
  readonly untilWallMs: number | undefined
}

/** What a rule says of a moment, by the local clock of this machine, with its summer time. */
export function scheduleAt(rule: ScheduleRule, nowWallMs: number): ScheduleState {
  const { startAtWallMs, hours } = rule
  if (startAtWallMs !== undefined && nowWallMs < startAtWallMs) {
    return { open: false, untilWallMs: startAtWallMs }
  }
  if (!hours) return { open: true, untilWallMs: undefined }
  const { fromMinute, toMinute } = hours
  const now = new Date(nowWallMs)
  const minute = now.getHours() * 60 + now.getMinutes()
  const open =
    fromMinute < toMinute
      ? minute >= fromMinute && minute < toMinute
      : minute >= fromMinute || minute < toMinute
  return { open, untilWallMs: nextTime(nowWallMs, open ? toMinute : fromMinute) }
}

function nextTime(nowWallMs: number, minuteOfDay: number): number {
  const at = new Date(nowWallMs)
  at.setHours(Math.floor(minuteOfDay / 60), minuteOfDay % 60, 0, 0)
  while (at.getTime() <= nowWallMs) at.setDate(at.getDate() + 1)
  return at.getTime()
}

/** Clocks are set and machines sleep: so often it is looked anew. */
const lookEveryMs = 60_000

export interface ScheduleOptions {
  readonly rule: ScheduleRule
  readonly clock: Clock
  /** Called when the job may go on, and when it may not any more. */
  readonly onChange: (state: ScheduleState) => void
}

/** Watches the clock for a rule. */
export class Schedule {
  readonly #options: ScheduleOptions
  #state: ScheduleState
  #cancel: (() => void) | undefined

  constructor(options: ScheduleOptions) {
    this.#options = options
    this.#state = scheduleAt(options.rule, options.clock.wallMs())
    this.#lookLater()
  }

  get state(): ScheduleState {
    return this.#state
  }

  close(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  #look(): void {
    const { rule, clock, onChange } = this.#options
    const before = this.#state
    this.#state = scheduleAt(rule, clock.wallMs())
    this.#lookLater()
    if (this.#state.open !== before.open) onChange(this.#state)
  }

  #lookLater(): void {
    const { clock } = this.#options
    const { untilWallMs } = this.#state
    if (untilWallMs === undefined) return
    const waitMs = Math.max(1, Math.min(lookEveryMs, untilWallMs - clock.wallMs()))
    this.#cancel = clock.after(waitMs, () => this.#look())
  }
}

import type { Clock } from '../../core/index.ts'
import type { RunningTask } from './task-queue.ts'

/** Tasks that wait for the time of their next attempt. */
export class RetryTimers {
  readonly #clock: Clock
  readonly #onDue: (item: RunningTask) => void
  readonly #cancels = new Map<RunningTask, () => void>()

  constructor(clock: Clock, onDue: (item: RunningTask) => void) {
    this.#clock = clock
    this.#onDue = onDue
  }

  get size(): number {
    return this.#cancels.size
  }

  values(): Iterable<RunningTask> {
    return this.#cancels.keys()
  }

  add(item: RunningTask, delayMs: number): void {
    const cancel = this.#clock.after(delayMs, () => {
      this.#cancels.delete(item)
      this.#onDue(item)
    })
    this.#cancels.set(item, cancel)
  }

  /** Takes out the tasks of which `match` is true. */
  remove(match: (item: RunningTask) => boolean): RunningTask[] {
    const removed: RunningTask[] = []
    for (const [item, cancel] of this.#cancels) {
      if (!match(item)) continue
      cancel()
      this.#cancels.delete(item)
      removed.push(item)
    }
    return removed
  }
}

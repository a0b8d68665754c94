import type { Clock } from '../../core/index.ts'

/** Limits may change during a wait; so often it is looked at anew. */
const lookEveryMs = 250

/** Waits for as long as a rate limit asks; `leftMs` tells what is left of the wait by the limits of that moment. */
export function waitForRate(clock: Clock, delayMs: number, leftMs: () => number): Promise<void> {
  return new Promise((resolve) => {
    const sleep = (ms: number): void => {
      if (ms <= 0) resolve()
      else if (ms <= lookEveryMs) clock.after(ms, resolve)
      else clock.after(lookEveryMs, () => sleep(leftMs()))
    }
    sleep(delayMs)
  })
}

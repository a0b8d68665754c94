import type { Clock } from '../../core/index.ts'

/** Calls `run` every `periodMs` until the returned function is called. A late call is not made up for. */
export function startTicker(clock: Clock, periodMs: number, run: () => void): () => void {
  let cancel: (() => void) | undefined
  let running = true
  const arm = (): void => {
    cancel = clock.after(periodMs, () => {
      run()
      if (running) arm()
    })
  }
  arm()
  return () => {
    running = false
    cancel?.()
  }
}

/** Time as the engine sees it: monotonic, and replaceable in tests. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number
  /** Wall-clock milliseconds since 1970; only for dates that servers and files speak of. */
  wallMs(): number
  /** Calls `run` once after `delayMs`; the returned function cancels it. The timer keeps the process alive. */
  after(delayMs: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, run) {
    // Longer delays overflow the 32-bit timer and would fire at once.
    const timer = setTimeout(run, Math.min(delayMs, 0x7fffffff))
    return () => clearTimeout(timer)
  },
}

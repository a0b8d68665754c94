import { systemClock, TrawlError, type Clock } from '../../core/index.ts'
import type { Interceptor } from '../../http/index.ts'

/** Waits a random time before each request. */
export function randomDelay(
  range: { readonly minMs: number; readonly maxMs: number },
  clock: Clock = systemClock,
): Interceptor {
  return (next) => async (request, sendOptions) => {
    await pause(range.minMs + Math.random() * (range.maxMs - range.minMs), clock, sendOptions?.signal)
    return next(request, sendOptions)
  }
}

function pause(delayMs: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel()
      reject(new TrawlError('ERR_CANCELLED', 'cancelled', { cause: signal?.reason }))
    }
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}

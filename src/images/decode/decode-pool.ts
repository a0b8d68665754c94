import { availableParallelism } from 'node:os'
import { TrawlError } from '../../core/index.ts'

export interface DecodePoolOptions {
  /** Sum of the pixels of all images that are decoded at once; default 128 million. */
  readonly maxPixelsInFlight?: number
  /** Images at once; default one a processor. More than UV_THREADPOOL_SIZE do not help. */
  readonly maxJobs?: number
}

/**
 * Bounds how much is decoded at once, in pixels and in images. The decoding itself runs on the threads of libuv,
 * not on the event loop. First come, first served: a large image waits until there is room, and what came after it
 * waits too, so it is never passed for ever. An image larger than the bound runs alone.
 */
export interface DecodePool {
  /** Runs `work` when there is room. Throws ERR_CANCELLED when `signal` aborts while it waits. */
  run<T>(pixels: number, work: () => Promise<T>, signal?: AbortSignal): Promise<T>
  readonly pixelsInFlight: number
  readonly jobs: number
  readonly waiting: number
}

interface Waiter {
  readonly pixels: number
  readonly signal: AbortSignal | undefined
  readonly start: () => void
  readonly reject: (error: Error) => void
}

export function createDecodePool(options: DecodePoolOptions = {}): DecodePool {
  const maxPixels = options.maxPixelsInFlight ?? 128_000_000
  const maxJobs = Math.max(1, options.maxJobs ?? availableParallelism())
  const queue: Waiter[] = []
  let pixelsInFlight = 0
  let jobs = 0

  const startWaiting = (): void => {
    while (queue[0] && jobs < maxJobs && (jobs === 0 || pixelsInFlight + queue[0].pixels <= maxPixels)) {
      const waiter = queue.shift()
      if (!waiter) return
      jobs++
      pixelsInFlight += waiter.pixels
      waiter.start()
    }
  }

  // One listener for each signal: adding one to a signal costs as much as it has, and hundreds of images wait.
  const watched = new WeakSet<AbortSignal>()
  const watch = (signal: AbortSignal): void => {
    if (watched.has(signal)) return
    watched.add(signal)
    signal.addEventListener(
      'abort',
      () => {
        const gone = queue.filter((waiter) => waiter.signal === signal)
        for (const waiter of gone) queue.splice(queue.indexOf(waiter), 1)
        for (const { reject } of gone) reject(cancelled(signal))
        startWaiting()
      },
      { once: true },
    )
  }

  const enter = (pixels: number, signal: AbortSignal | undefined): Promise<void> => {
    if (signal?.aborted) return Promise.reject(cancelled(signal))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal) watch(signal)
    queue.push({ pixels, signal, start: resolve, reject })
    startWaiting()
    return promise
  }

  return {
    async run(pixels, work, signal) {
      await enter(pixels, signal)
      try {
        return await work()
      } finally {
        jobs--
        pixelsInFlight -= pixels
        startWaiting()
      }
    },
    get pixelsInFlight() {
      return pixelsInFlight
    },
    get jobs() {
      return jobs
    },
    get waiting() {
      return queue.length
    },
  }
}

let shared: DecodePool | undefined

/** The pool of everything that was given no pool of its own. */
export function sharedDecodePool(): DecodePool {
  shared ??= createDecodePool()
  return shared
}

function cancelled(signal: AbortSignal | undefined): TrawlError {
  return new TrawlError('ERR_CANCELLED', 'cancelled while an image waited to be decoded', {
    cause: signal?.reason,
  })
}

import { systemClock, type JobLimits } from '../core/index.ts'
import type { EngineOptions } from './engine-options.ts'
import { createDocumentFetcher, type FetchDocument } from './fetch-document.ts'
import { createRateLimiter } from './rate-limit/index.ts'
import { hostEvent } from './run/run-view.ts'
import { Run } from './run/run.ts'
import type { RunOptions } from './run/run-options.ts'
import type { TaskInput } from './run/task-input.ts'
import { createExecutor } from './transfer/create-executor.ts'

/**
 * The only way to download. `run` reads tasks lazily and gives one outcome for each: it names, transfers, retries,
 * verifies and commits. Runs of one engine share its connections and limits.
 */
export interface Engine {
  /** Throws ERR_MODE_UNSUPPORTED where the mode cannot do what the run asks for. */
  run(tasks: TaskInput, options: RunOptions): Run
  /** Fetches a small document into memory, with lease and retries. */
  readonly fetchDocument: FetchDocument
  /** Changes limits of all runs, while they run. */
  update(limits: JobLimits): void
  close(): Promise<void>
}

export function createEngine(options: EngineOptions): Engine {
  const clock = options.clock ?? systemClock
  const { transport, governor } = options
  const rateLimiter = options.rateLimiter ?? createRateLimiter()
  let limited = options.limited ?? false
  const closing = new Set<Promise<void>>()
  return {
    fetchDocument: createDocumentFetcher({ transport, governor, clock }),
    run(tasks, runOptions) {
      const executor = createExecutor({ ...options, clock, isLimited: () => limited }, runOptions)
      const { onEvent } = runOptions
      const stopEvents = onEvent ? governor.onEvent((event) => onEvent(hostEvent(event))) : () => {}
      const onEnd = (): void => {
        stopEvents()
        const closed = executor.close().finally(() => closing.delete(closed))
        closing.add(closed)
      }
      const { retryOf } = options
      const parts = {
        executor,
        governor,
        clock,
        rateLimiter,
        isLimited: () => limited,
        closeIdle: () => transport.closeIdle(),
        onEnd,
        ...(retryOf ? { retryOf } : {}),
      }
      const run = new Run(parts, runOptions)
      run.start(tasks)
      return run
    },
    update({ concurrency, maxPerHost, requestSpacingMs, ...rest }) {
      const rates = givenRates(rest)
      if (rates.length > 0) {
        limited = true
        rateLimiter.update(Object.fromEntries(rates))
      }
      governor.update({
        ...(concurrency === undefined ? {} : { total: concurrency }),
        ...(maxPerHost === undefined ? {} : { perHost: maxPerHost }),
        ...(requestSpacingMs === undefined ? {} : { requestSpacingMs }),
      })
    },
    async close() {
      await Promise.all(closing)
      // Requests of attempts that were stopped may still wait for an answer that nobody wants.
      await transport.destroy()
    },
  }
}

/** The rates that are told, by the names of the limiter; 0 takes a limit away. */
function givenRates(limits: JobLimits): [string, number | undefined][] {
  const { limitRateBps, limitRatePerHostBps, limitRatePerItemBps } = limits
  const rates = { totalBps: limitRateBps, perHostBps: limitRatePerHostBps, perItemBps: limitRatePerItemBps }
  return Object.entries(rates).flatMap(([name, bps]) => (bps === undefined ? [] : [[name, bps || undefined]]))
}

import { systemClock, type Clock, type JobLimits } from '../core/index.ts'
import type { Transport } from '../http/index.ts'
import { createDocumentFetcher, type FetchDocument } from './fetch-document.ts'
import type { Governor } from './governor/index.ts'
import { createRateLimiter, type RateLimiter } from './rate-limit/index.ts'
import { hostEvent } from './run/run-view.ts'
import { Run } from './run/run.ts'
import type { RunOptions } from './run/run-options.ts'
import type { TaskInput } from './run/task-input.ts'
import type { MinSpeed } from './segments/speed-floor.ts'
import { createLocalExecutor } from './transfer/local-executor.ts'
import type { Executor } from './transfer/transfer.ts'

export interface EngineOptions {
  readonly transport: Transport
  readonly governor: Governor
  readonly clock?: Clock
  readonly mode?: 'async' | 'loop'
  /** The least speed of transfers from a host; a slower one is opened anew. */
  readonly minSpeedOf?: (host: string) => MinSpeed | undefined
  readonly rateLimiter?: RateLimiter
  /** Charge chunks from the start; else from the first `update` that sets a rate, or for items with one. */
  readonly limited?: boolean
}

/**
 * The only way to download. `run` reads tasks lazily and gives one outcome for each: it names, transfers, retries,
 * verifies and commits. Runs of one engine share its connections and limits.
 */
export interface Engine {
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
  return {
    fetchDocument: createDocumentFetcher({ transport, governor, clock }),
    run(tasks, runOptions) {
      const executor: Executor = createLocalExecutor({
        transport,
        clock,
        mode: options.mode ?? 'async',
        ...(options.minSpeedOf ? { minSpeedOf: options.minSpeedOf } : {}),
        signal: runOptions.signal,
      })
      const { onEvent } = runOptions
      const onEnd = onEvent ? governor.onEvent((event) => onEvent(hostEvent(event))) : () => {}
      const parts = { executor, governor, clock, rateLimiter, isLimited: () => limited, onEnd }
      const run = new Run(parts, runOptions)
      run.start(tasks)
      return run
    },
    update({ concurrency, maxPerHost, requestSpacingMs, ...rest }) {
      const { limitRateBps, limitRatePerHostBps, limitRatePerItemBps } = rest
      const rates = {
        totalBps: limitRateBps,
        perHostBps: limitRatePerHostBps,
        perItemBps: limitRatePerItemBps,
      }
      if (Object.values(rates).some((bps) => bps !== undefined)) {
        limited = true
        rateLimiter.update(
          Object.fromEntries(
            Object.entries(rates).flatMap(([key, bps]) =>
              bps === undefined ? [] : [[key, bps || undefined]],
            ),
          ),
        )
      }
      governor.update({
        ...(concurrency === undefined ? {} : { total: concurrency }),
        ...(maxPerHost === undefined ? {} : { perHost: maxPerHost }),
        ...(requestSpacingMs === undefined ? {} : { requestSpacingMs }),
      })
    },
    async close() {
      // Requests of attempts that were stopped may still wait for an answer that nobody wants.
      await transport.destroy()
    },
  }
}

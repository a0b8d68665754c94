import { systemClock, type Clock } from '../core/index.ts'
import type { Transport } from '../http/index.ts'
import type { Governor } from './governor/index.ts'
import { Run, type RunOptions, type TaskInput } from './run/run.ts'
import { createLocalExecutor } from './transfer/local-executor.ts'
import type { Executor } from './transfer/transfer.ts'

export interface EngineOptions {
  readonly transport: Transport
  readonly governor: Governor
  readonly clock?: Clock
  readonly mode?: 'async' | 'loop'
}

/**
 * The only way to download. `run` reads tasks lazily and gives one outcome for each: it names, transfers, retries,
 * verifies and commits. Runs of one engine share its connections and limits.
 */
export interface Engine {
  run(tasks: TaskInput, options: RunOptions): Run
  close(): Promise<void>
}

export function createEngine(options: EngineOptions): Engine {
  const clock = options.clock ?? systemClock
  const { transport, governor } = options
  return {
    run(tasks, runOptions) {
      const executor: Executor = createLocalExecutor({
        transport,
        clock,
        mode: options.mode ?? 'async',
        signal: runOptions.signal,
      })
      const run = new Run({ executor, governor, clock }, runOptions)
      run.start(tasks)
      return run
    },
    async close() {
      governor.close()
      await transport.close()
    },
  }
}

import { TrawlError, type Clock } from '../../core/index.ts'
import type { Transport } from '../../http/index.ts'
import { createRemoteExecutor } from '../remote/remote-executor.ts'
import type { RunOptions } from '../run/run-options.ts'
import type { EngineOptions } from '../engine-options.ts'
import { createLocalExecutor } from './local-executor.ts'
import type { Executor } from './transfer.ts'

export interface ExecutorParts extends Pick<EngineOptions, 'mode' | 'workers' | 'minSpeedOf'> {
  readonly transport: Transport
  readonly clock: Clock
  readonly isLimited: () => boolean
}

/** The executor of a mode for one run. Throws ERR_MODE_UNSUPPORTED for what cannot leave this thread. */
export function createExecutor(parts: ExecutorParts, run: RunOptions): Executor {
  const { mode = 'async', transport, clock, workers, isLimited, minSpeedOf } = parts
  const { signal, destination, onEvent } = run
  const speeds = minSpeedOf ? { minSpeedOf } : {}
  if (mode === 'async' || mode === 'loop') {
    return createLocalExecutor({ transport, clock, mode, signal, ...speeds })
  }
  if (!workers) {
    throw unsupported(mode, 'requests that this program makes in a way of its own')
  }
  if (!destination.parts) {
    throw unsupported(mode, 'bytes that are handed on as they come (`output`, --out -) and not to a file')
  }
  return createRemoteExecutor({
    kind: mode,
    workers: workers.count,
    transport: workers.transport,
    parts: destination.parts,
    clock,
    isLimited,
    signal,
    ...speeds,
    ...(onEvent
      ? {
          onNotice: (error) => onEvent({ type: 'job.notice', message: error.message, error: error.toJSON() }),
        }
      : {}),
  })
}

function unsupported(mode: string, what: string): TrawlError {
  return new TrawlError('ERR_MODE_UNSUPPORTED', `--mode ${mode} does not work with ${what}`)
}

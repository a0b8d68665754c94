import { HostQuirks } from '../segments/host-quirks.ts'
import { UnsavedBytes } from '../segments/unsaved-bytes.ts'
import type { Lease } from '../governor/index.ts'
import { Attempt, type AttemptOptions } from './attempt.ts'
import type {
  Executor,
  ExecutorProperties,
  PatientCallbacks,
  TransferOrder,
  TransferResult,
} from './transfer.ts'

export interface LocalExecutorOptions extends Omit<AttemptOptions, 'quirks' | 'unsaved'> {
  /** `loop` is one transfer at a time, for comparison. */
  readonly mode?: 'async' | 'loop'
}

/** An executor that also works for those that must ask somebody else before they answer. */
export interface LocalExecutor extends Omit<Executor, 'execute'> {
  execute(order: TransferOrder, lease: Lease, callbacks: PatientCallbacks): Promise<TransferResult>
}

/** Carries out transfers in this process, on its event loop. */
export function createLocalExecutor(options: LocalExecutorOptions): LocalExecutor {
  const mode = options.mode ?? 'async'
  const properties: ExecutorProperties = {
    mode,
    functions: true,
    ...(mode === 'loop' ? { maxTransfers: 1 } : {}),
  }
  const shared: AttemptOptions = {
    ...options,
    quirks: new HostQuirks(),
    unsaved: new UnsavedBytes(options.clock),
  }
  return {
    properties,
    execute: (order, lease, callbacks) =>
      new Promise((resolve) => new Attempt(shared, order, lease, callbacks, resolve).start()),
    close: () => Promise.resolve(),
  }
}

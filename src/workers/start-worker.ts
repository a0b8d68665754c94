import { startProcess } from './process-channel.ts'
import { startThread } from './thread-channel.ts'
import type { WorkerChannel, WorkerChannelOptions, WorkerKind } from './worker-channel.ts'

/** Starts a worker. Never throws: what fails is told by `onExit`. */
export function startWorker(kind: WorkerKind, options: WorkerChannelOptions): WorkerChannel {
  return kind === 'threads' ? startThread(options) : startProcess(options)
}

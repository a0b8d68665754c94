import { parentPort } from 'node:worker_threads'
import { closingMessage } from './closing-message.ts'

/** The other end of a `WorkerChannel`: what the worker sees of the one that started it. */
export interface WorkerPort {
  post(message: unknown): void
  /** Lets the worker end once what was posted has been sent. */
  close(): void
}

export interface WorkerPortOptions {
  readonly onMessage: (message: unknown) => void
  /** Nothing comes any more: what is open is to be closed, then `close` called. */
  readonly onClose: () => void
}

/**
 * Opens the way to the one that started this worker, thread or process. A process does not heed the Ctrl-C that the
 * terminal sends to all of its group: it goes on until it is told to end, and ends at once when its starter is gone.
 * Throws an `Error` where this is no worker.
 */
export function openWorkerPort(options: WorkerPortOptions): WorkerPort {
  const take = (message: unknown): void => {
    if (message === closingMessage) options.onClose()
    else options.onMessage(message)
  }
  return parentPort ? threadPort(parentPort, take) : processPort(take)
}

function threadPort(port: NonNullable<typeof parentPort>, take: (message: unknown) => void): WorkerPort {
  port.on('message', take)
  return { post: (message) => port.postMessage(message), close: () => port.close() }
}

function processPort(take: (message: unknown) => void): WorkerPort {
  if (process.send === undefined) throw new Error('this module runs only as a worker of trawl')
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  // The starter may have died while this module was loaded.
  if (!process.connected) process.exit(0)
  process.on('disconnect', () => process.exit(0))
  process.on('message', take)
  let unsent = 0
  let closing = false
  const close = (): void => {
    closing = true
    if (unsent === 0) process.disconnect()
  }
  return {
    post(message) {
      unsent++
      process.send?.(message, undefined, undefined, () => {
        unsent--
        if (closing && unsent === 0) process.disconnect()
      })
    },
    close,
  }
}

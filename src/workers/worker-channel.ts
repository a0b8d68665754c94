/** What workers are: threads of this process, or processes of their own. */
export type WorkerKind = 'threads' | 'processes'

/** How a worker ended. */
export interface WorkerEnd {
  /** It was asked to. */
  readonly expected: boolean
  /** In words, such as `signal SIGKILL` or the last thing it said. */
  readonly reason: string
}

export interface WorkerChannelOptions {
  /** Module that the worker runs; it takes its messages with `openWorkerPort`. */
  readonly entry: URL
  /** Messages in the order in which they were posted. */
  readonly onMessage: (message: unknown) => void
  /** Called once; no message comes after it. */
  readonly onExit: (end: WorkerEnd) => void
}

/**
 * One worker as the one that started it sees it; the same for threads and processes.
 *
 * - Messages are plain data that `structuredClone` takes, without functions; they arrive whole and in order.
 * - `post` never throws. What is posted to a worker that has ended is lost: its end is told by `onExit`.
 * - A worker that ends by itself, is killed or throws is told by `onExit` with `expected: false`.
 * - A worker ends by itself when this process is gone.
 */
export interface WorkerChannel {
  /** The process id; undefined for a thread. */
  readonly pid: number | undefined
  post(message: unknown): void
  /** Tells the worker that nothing comes any more and waits for its end; after `graceMs` it is killed. */
  close(graceMs: number): Promise<void>
  kill(): void
}

import { toTrawlError, type TrawlError } from '../../core/index.ts'
import type { InputTask, TaskInput } from './task-input.ts'

export interface InputReaderOptions {
  readonly admit: (task: InputTask) => void
  /** Tasks that were admitted and have not started. */
  readonly waiting: () => number
  /** True when nothing runs and every host that has tasks is held back. */
  readonly isBlocked: () => boolean
  /** Outcomes that nobody has read. */
  readonly backlog: () => number
  readonly isStopping: () => boolean
  /** Tasks that may wait; default about a thousand. */
  readonly window?: number
  /** Called when so many wait. */
  readonly onFull?: () => void
  /** Called when nothing is left to be read; `whole` is false where an input was not read to its end. */
  readonly onEnd: (whole: boolean) => void
}

/** So many tasks wait in memory; beyond them the input is not read. More only where all hosts are held back. */
const windowSize = 1024
const blockedWindowSize = 16 * 1024
/** Outcomes that nobody has read; beyond them nothing is started. */
export const maxBacklog = 4096

/** Reads the input of a run, only as fast as its tasks are started. */
export class InputReader {
  readonly #options: InputReaderOptions
  #wanted: (() => void)[] = []
  #reading = 0
  #whole = true
  #error: TrawlError | undefined

  constructor(options: InputReaderOptions) {
    this.#options = options
  }

  /** True when nothing is read any more. */
  get ended(): boolean {
    return this.#reading === 0
  }

  /** What the input ended with, where it could not be read. */
  get error(): TrawlError | undefined {
    return this.#error
  }

  /** Reads an input to its end; several may be read at once. */
  async read(input: TaskInput): Promise<void> {
    this.#reading++
    const { admit, waiting, backlog, isStopping, window = windowSize, onFull } = this.#options
    try {
      for await (const each of input) {
        const tasks: readonly InputTask[] = 'id' in each ? [each] : each
        for (const task of tasks) {
          if (isStopping()) return this.#end(false)
          admit(task)
          if (waiting() >= window) {
            onFull?.()
            await this.#room()
          }
        }
        // A long stretch of finished files must not keep timers and sockets waiting.
        if (backlog() > maxBacklog) await this.#room()
      }
      this.#end(true)
    } catch (error) {
      this.#error ??= toTrawlError(error)
      this.#end(false)
    }
    return undefined
  }

  /** Goes on reading where it waits and there is room now. */
  wake(): void {
    if (this.#wanted.length === 0 || !this.#hasRoom()) return
    for (const wanted of this.#wanted.splice(0)) wanted()
  }

  #room(): Promise<void> {
    if (this.#hasRoom()) return Promise.resolve()
    return new Promise((resolve) => this.#wanted.push(resolve))
  }

  #hasRoom(): boolean {
    const { waiting, backlog, isBlocked, isStopping, window = windowSize } = this.#options
    if (isStopping()) return true
    if (backlog() > maxBacklog) return false
    if (isBlocked()) return waiting() < blockedWindowSize
    // Half a window at a time: waking the reader for each single place would cost more than the reading.
    return waiting() < window / 2
  }

  #end(whole: boolean): void {
    this.#reading--
    if (!whole) this.#whole = false
    if (this.#reading === 0) this.#options.onEnd(this.#whole)
  }
}

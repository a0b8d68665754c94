import type { Place, TrawlError } from '../../core/index.ts'
import { HostRecord, leftOut } from '../mirrors/index.ts'
import type { TransferResult } from '../transfer/transfer.ts'
import { hostOf } from './host-of.ts'
import type { RunOptions } from './run-options.ts'
import { placesOf } from './running-task.ts'
import type { RunningTask } from './task-queue.ts'

/** Longer files may come from several hosts at once, so that their time says nothing of one. */
const oneHostBytes = 1024 * 1024

/** Which of its mirrors a file asks first, by how they did for the files before. */
export class MirrorChoice {
  readonly #record = new HostRecord()
  readonly #onEvent: RunOptions['onEvent']

  constructor(options: RunOptions) {
    this.#onEvent = options.onEvent
  }

  /** Puts the mirrors of a file that was not tried yet into their order; true where another host is first now. */
  reorder(item: RunningTask): boolean {
    if (item.attempt > 0 || item.kept !== undefined || !item.mirrored) return false
    item.places = this.#record.order(item.places)
    return hostOf(item.places[0]?.url ?? '') !== item.host
  }

  /** Notes how an attempt ended. */
  ended(item: RunningTask, result: TransferResult, nowMs: number): void {
    if (result.result === 'staged') {
      const bytes = result.lengthBytes < oneHostBytes ? result.fetchedBytes : 0
      this.#record.succeeded(item.host, bytes, nowMs - item.attemptStartedMs)
    } else if (result.result === 'failed') {
      if (result.error.scope !== 'volume' && result.error.code !== 'ERR_CANCELLED')
        this.#record.failed(item.host)
      if (result.leftOut) leave(item, result.leftOut)
    }
  }

  /**
   * Leaves out the address that an attempt asked, where there are others: it has no such file, or another one. People
   * are told.
   */
  leaveOut(item: RunningTask, error: TrawlError): boolean {
    const [used] = placesOf(item)
    if (!used || item.places.length < 2) return false
    leave(item, [used.url])
    const told = leftOut(used, error)
    this.#onEvent?.({ type: 'job.notice', message: told.message, error: told.toJSON() })
    return true
  }

  /**
   * What comes after a file of several mirrors had wrong bytes. Where they came from one, that one is left out; else
   * the mirrors are asked alone from now on, which shows whose they are. False where there is no other to ask.
   */
  doubt(item: RunningTask, error: TrawlError, givers: readonly string[] = []): boolean {
    if (item.places.length < 2) return false
    if (givers.length > 1) {
      item.mirrored = false
      return true
    }
    return this.leaveOut(item, error)
  }
}

function leave(item: RunningTask, urls: readonly string[]): void {
  const rest = item.places.filter((place: Place) => !urls.includes(place.url))
  if (rest.length > 0) item.places = rest
}

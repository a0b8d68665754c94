import { toTrawlError, type Outcome, type TrawlError } from '../../core/index.ts'
import type { StagedTransfer, TransferResult } from '../transfer/transfer.ts'
import { fillCommitted, outcomeBase, type MutableOutcome } from './outcomes.ts'
import { decideRetry } from './retry-policy.ts'
import type { RunState } from './run-state.ts'
import { retryEvent, startAnewEvent } from './run-view.ts'
import { placesOf, sizeOf } from './running-task.ts'
import type { RunningTask } from './task-queue.ts'

/** Settles what attempts ended with: commits, tries again later, or gives the outcome of the task. */
export class AttemptEnd {
  readonly #state: RunState

  constructor(state: RunState) {
    this.#state = state
  }

  /** An attempt is over; its lease is free, so others start before this one is settled. */
  ended(item: RunningTask, result: TransferResult): void {
    const { queue, pump, maybeEnd } = this.#state
    item.connections = 0
    item.fetchedBytes += result.fetchedBytes
    queue.unblock(item.host)
    if (result.result === 'staged') {
      pump()
      this.#commit(item, result)
      return
    }
    if (result.result === 'failed') {
      item.kept = result.kept
      const size = sizeOf(result.kept)
      // Progress starts the count of tries anew.
      if (size > item.keptBytes) item.attempt = Math.min(item.attempt, 1)
      item.keptBytes = size
      item.httpStatus = result.httpStatus ?? item.httpStatus
      this.#failed(item, result.error)
    } else {
      this.#leave(item)
      const path = result.path ?? item.path
      this.finish({
        ...this.#outcomeBase(item),
        status: 'skipped',
        skipReason: result.reason,
        sizeBytes: item.sizeBytes ?? 0,
        ...(path === undefined ? {} : { path }),
      })
    }
    pump()
    maybeEnd()
  }

  /** The task ends here, with what there is of it kept. */
  unfinished(item: RunningTask): void {
    this.finish({
      ...this.#outcomeBase(item),
      status: 'unfinished',
      ...(item.path === undefined ? {} : { path: item.path }),
    })
  }

  /** Hands an outcome to the reader of the run and tells of it. */
  finish(outcome: Outcome): void {
    const { counters, channel, options } = this.#state
    counters.finished(outcome)
    channel.push(outcome)
    if (outcome.status === 'failed' || options.itemEvents?.()) {
      options.onEvent?.({ type: 'task.finished', outcome })
    }
  }

  #commit(item: RunningTask, staged: StagedTransfer): void {
    const { options, pump, maybeEnd } = this.#state
    const base = this.#outcomeBase(item)
    const accepted = options.acceptor?.(staged, item.task)
    const committed =
      accepted === undefined
        ? options.destination.commit(item, staged, base)
        : accepted.then((value) => {
            base.value = value
            return options.destination.commit(item, staged, base)
          })
    committed.then(
      (path) => this.#committed(item, staged, base, path),
      (error: unknown) => {
        staged.sink.abort({ discard: true })
        item.kept = undefined
        this.#failed(item, toTrawlError(error))
        pump()
        maybeEnd()
      },
    )
  }

  #committed(item: RunningTask, staged: StagedTransfer, outcome: MutableOutcome, path: string): void {
    this.#leave(item)
    fillCommitted(outcome, staged, path)
    this.finish(outcome)
    this.#state.maybeEnd()
  }

  #failed(item: RunningTask, error: TrawlError): void {
    const { options, queue, stopping } = this.#state
    this.#leave(item)
    if (error.code === 'ERR_CANCELLED') return this.unfinished(item)
    if (error.code === 'ERR_NO_SPACE') return this.#noSpace(item, error)
    if (isOfThePlace(error) && item.places.length > 1 && !stopping) return this.#leavePlace(item)
    if (startsAnew.has(error.code) && item.restarts < 2 && !stopping) return this.#startAnew(item, error)
    const tries = { attempts: item.attempt, throttles: item.throttles }
    const decision = decideRetry(error, tries, options.retry)
    if (!decision.retry || stopping) {
      return decision.retry ? this.unfinished(item) : this.#giveUp(item, error)
    }
    if (!decision.spends) {
      item.throttles++
      item.attempt--
    }
    this.#tellRetry(item, error, decision.pauseHostMs ?? decision.delayMs)
    if (decision.pauseHostMs !== undefined) {
      this.#state.parts.governor.pauseHost(item.host, decision.pauseHostMs, error.message)
    }
    if (decision.delayMs === 0) queue.add(item)
    else this.#state.delays.add(item, decision.delayMs)
  }

  #tellRetry(item: RunningTask, error: TrawlError, delayMs: number): void {
    const { counters, options } = this.#state
    counters.retries++
    if (options.itemEvents?.()) options.onEvent?.(retryEvent(item, error, delayMs))
  }

  #noSpace(item: RunningTask, error: TrawlError): void {
    const { queue, volume, stopping } = this.#state
    if (stopping) return this.unfinished(item)
    item.attempt--
    queue.add(item)
    volume.pause(error)
  }

  /** This address does not have the file; the others may. */
  #leavePlace(item: RunningTask): void {
    const used = placesOf(item)[(item.attempt - 1) % item.places.length]
    item.places = item.places.filter((place) => place !== used)
    item.attempt--
    this.#state.queue.add(item)
  }

  /** What is there of the file is of no use; it comes anew, at once, and people are told. */
  #startAnew(item: RunningTask, error: TrawlError): void {
    item.restarts++
    item.attempt--
    item.kept = undefined
    this.#state.options.onEvent?.(startAnewEvent(item, error))
    this.#state.queue.add(item)
  }

  #giveUp(item: RunningTask, error: TrawlError): void {
    const facts = {
      attempts: item.attempt,
      ...(item.httpStatus === undefined ? {} : { httpStatus: item.httpStatus }),
    }
    this.#state.options.destination.failed(item, error, facts)
    this.finish({
      ...this.#outcomeBase(item),
      status: 'failed',
      error: error.toJSON(),
      ...(item.path === undefined ? {} : { path: item.path }),
      ...(item.httpStatus === undefined ? {} : { httpStatus: item.httpStatus }),
    })
  }

  #outcomeBase(item: RunningTask): MutableOutcome {
    return outcomeBase(item, this.#state.parts.clock.now())
  }

  #leave(item: RunningTask): void {
    const { active, parts, counters } = this.#state
    active.remove(item)
    if (parts.isLimited() || item.task.limitRateBps !== undefined) {
      parts.rateLimiter.release({ host: item.host, itemId: item.task.id })
    }
    counters.activeBytes -= item.doneBytes
    item.doneBytes = 0
  }
}

/** True where another mirror may well have what this one refused for good. */
function isOfThePlace(error: TrawlError): boolean {
  return error.retry === 'never' && (error.code.startsWith('ERR_HTTP_') || error.code.startsWith('ERR_NET_'))
}

/** The server's version of the file is another, or it does not do ranges: no fault that waiting would mend. */
const startsAnew: ReadonlySet<string> = new Set(['ERR_ENTITY_CHANGED', 'ERR_RANGE_IGNORED'])

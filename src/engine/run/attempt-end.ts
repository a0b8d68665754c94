import { toTrawlError, TrawlError, type Outcome } from '../../core/index.ts'
import type { Settled } from '../destination/found-file.ts'
import { isFilteredOut } from '../destination/limited-sink.ts'
import type { KeptBytes, StagedTransfer, TransferResult } from '../transfer/transfer.ts'
import { fillCommitted, outcomeBase, requestOf, type MutableOutcome } from './outcomes.ts'
import { decideRetry } from './retry-policy.ts'
import type { RunState } from './run-state.ts'
import { retryEvent, startAnewEvent } from './run-view.ts'
import { sizeOf } from './running-task.ts'
import type { RunningTask } from './task-queue.ts'

/** Settles what attempts ended with: commits, tries again later, or gives the outcome of the task. */
export class AttemptEnd {
  readonly #state: RunState

  constructor(state: RunState) {
    this.#state = state
  }

  /** An attempt is over; its lease is free, so others start before this one is settled. */
  ended(item: RunningTask, result: TransferResult): void {
    const { queue, mirrors, parts, pump, maybeEnd } = this.#state
    item.connections = 0
    item.order = undefined
    item.fetchedBytes += result.fetchedBytes
    queue.unblock(item.host)
    if (item.places.length > 1) mirrors.ended(item, result, parts.clock.now())
    if (result.result === 'staged') {
      pump()
      this.#commit(item, result)
      return
    }
    if (result.result === 'failed') {
      item.kept = result.kept
      const size = sizeOf(result.kept)
      // Progress starts the count of tries anew.
      if (size > item.keptBytes) {
        item.attempt = Math.min(item.attempt, 1)
        item.refreshed = 0
      }
      item.keptBytes = size
      item.httpStatus = result.httpStatus ?? item.httpStatus
      this.#failed(item, result.error, result.givers)
    } else if (item.found && (result.reason === 'reused' || result.reason === 'not-modified')) {
      this.settle(item)
      return
    } else {
      this.#leave(item)
      const path = result.path ?? item.path
      this.finish({
        ...this.#outcomeBase(item),
        status: 'skipped',
        skipReason: result.reason,
        sizeBytes: result.reason === 'filtered' ? 0 : (item.sizeBytes ?? 0),
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
      ...requestOf(item),
      ...(item.path === undefined ? {} : { path: item.path }),
    })
  }

  /** A file that was found is taken in place of a transfer, or it is fetched after all. */
  settle(item: RunningTask): void {
    const { options, active, pump, maybeEnd } = this.#state
    const base = this.#outcomeBase(item)
    const { found } = item
    const settled = found && options.destination.settle?.({ ...item, found }, base)
    if (!settled) throw new TrawlError('ERR_INTERNAL', 'a file was found where none is looked for')
    if (item.slot < 0) active.add(item)
    pump()
    const goOn = (): void => {
      pump()
      maybeEnd()
    }
    settled.then(
      (end) => {
        this.#settled(item, base, end)
        goOn()
      },
      (error: unknown) => {
        this.#forgetFound(item)
        this.#failed(item, toTrawlError(error))
        goOn()
      },
    )
  }

  #settled(item: RunningTask, base: MutableOutcome, end: Settled): void {
    const { counters, queue, stopping } = this.#state
    this.#leave(item)
    if (end.settled === 'skip') {
      const { reason, path, sizeBytes, savedBytes, digest } = end
      if (reason === 'reused') counters.reused(savedBytes ?? 0)
      this.finish({
        ...base,
        status: 'skipped',
        skipReason: reason,
        path,
        sizeBytes,
        ...(digest ? { digest } : {}),
      })
      return
    }
    this.#forgetFound(item)
    item.found = end.found
    item.kept = end.kept
    item.keptBytes = sizeOf(end.kept)
    if (end.path !== undefined) item.path = end.path
    item.attempt = Math.max(0, item.attempt - 1)
    if (stopping) this.unfinished(item)
    else queue.add(item)
  }

  #forgetFound(item: RunningTask): void {
    item.found = undefined
    item.places = item.allPlaces
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
    if (item.found?.proof === 'sample')
      this.#state.counters.reused(Math.max(0, staged.lengthBytes - item.fetchedBytes))
    this.finish(outcome)
    this.#state.maybeEnd()
  }

  #failed(item: RunningTask, error: TrawlError, givers?: readonly string[]): void {
    const { options, queue } = this.#state
    const stopping = this.#state.stopping || item.stop === 'cancel'
    const isTheSameAgain = isSameMismatch(item.error, error)
    item.error = error
    this.#leave(item)
    if (error.code === 'ERR_WORKERS_FAILED') this.#state.endAll(error)
    if (error.code === 'ERR_CANCELLED' || error === this.#state.fatal) return this.#brokenOff(item)
    if (error.code === 'ERR_NO_SPACE') return this.#noSpace(item, error)
    if (error.code === 'ERR_TOO_MANY_FILES' && !stopping && this.#waitsForFiles(item, error)) return undefined
    if (!stopping && this.#asksAgain(item, error, givers)) return undefined
    if (startsAnew.has(error.code) && item.restarts < 2 && !stopping) {
      // Bytes of several mirrors that do not fit together: from one alone they do.
      if ((givers?.length ?? 0) > 1) item.mirrored = false
      return this.#startAnew(item, error)
    }
    const tries = { attempts: item.attempt, throttles: item.throttles }
    const decision = decideRetry(error, tries, this.#state.parts.retryOf?.(item.host) ?? options.retry)
    const ends = !decision.retry || isTheSameAgain
    if (ends) return this.#giveUp(item, (!decision.retry && decision.error) || error)
    if (stopping) return this.unfinished(item)
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

  /** Stopped from outside: what there is of it is noted, for going on when it may, or in the next run. */
  #brokenOff(item: RunningTask): void {
    if (item.kept) this.#record(item, item.kept)
    if (this.#state.stopping || item.stop !== 'pause') return this.unfinished(item)
    item.stop = undefined
    item.attempt--
    this.#state.queue.add(item)
  }

  #record(item: RunningTask, kept: KeptBytes): void {
    try {
      this.#state.options.destination.checkpoint(item, kept)
    } catch {
      // The volume is full: the journal holds the record back and writes it with the next ones.
    }
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

  /** No fault of the file: fewer are fetched at once for a while, and this one comes again. */
  #waitsForFiles(item: RunningTask, error: TrawlError): boolean {
    const { parts, delays, options } = this.#state
    if (item.throttles >= mostFileShortages) return false
    parts.governor.shrinkTotal(error.message)
    parts.closeIdle()
    item.throttles++
    item.attempt--
    this.#tellRetry(item, error, options.retry.baseDelayMs)
    delays.add(item, options.retry.baseDelayMs)
    return true
  }

  /** Another place, or a new address, may have what this one refused or gave wrong. True where it is asked. */
  #asksAgain(item: RunningTask, error: TrawlError, givers?: readonly string[]): boolean {
    const { mirrors, queue } = this.#state
    const isElsewhere =
      (isOfThePlace(error) && mirrors.leaveOut(item, error)) ||
      (isWrongBytes(error) && mirrors.doubt(item, error, givers))
    if (isElsewhere) {
      item.attempt--
      this.#tellRetry(item, error, 0)
      queue.add(item)
    }
    return isElsewhere || (this.#isExpired(error) && this.#refresh(item, error))
  }

  /** What a server answers to an address that held for a time only; a log-in page, where there is somebody to ask. */
  #isExpired({ code, context: { status } }: TrawlError): boolean {
    if (code === 'ERR_CONTENT_UNEXPECTED') return this.#state.resolving.isGiven
    return status === 401 || status === 403 || status === 410
  }

  /** The address has expired: asks for it again. What is there of the file is gone on from. */
  #refresh(item: RunningTask, error: TrawlError): boolean {
    const { resolving, delays, queue, options } = this.#state
    // A plain address that never answered well has not expired; it is refused.
    const wasGood = item.path !== undefined || item.kept !== undefined
    if (item.refreshed >= maxRefreshes || !(wasGood || resolving.isGiven)) return false
    // At once the first time; then it may be that the server needs a moment.
    const delayMs = item.refreshed === 0 ? 0 : options.retry.baseDelayMs * 2 ** item.refreshed
    item.refreshed++
    item.attempt--
    this.#tellRetry(item, error, delayMs)
    if (resolving.isGiven) resolving.add(item, 'expired')
    else if (delayMs === 0) queue.add(item)
    else delays.add(item, delayMs)
    return true
  }

  /** A task whose addresses could not be had. */
  unresolved(item: RunningTask, error: TrawlError): void {
    const { stopping, options, delays, pump, maybeEnd } = this.#state
    item.unresolved++
    const decision = decideRetry(error, { attempts: item.unresolved, throttles: 0 }, options.retry)
    if (!decision.retry) this.#giveUp(item, decision.error ?? error)
    else if (stopping) this.unfinished(item)
    else {
      this.#tellRetry(item, error, decision.delayMs)
      delays.add(item, decision.pauseHostMs ?? decision.delayMs)
    }
    pump()
    maybeEnd()
  }

  /** What is there of the file is of no use; it comes anew, at once, and people are told. */
  #startAnew(item: RunningTask, error: TrawlError): void {
    item.restarts++
    item.attempt--
    item.kept = undefined
    item.found = undefined
    // Mirrors that did not fit what was there may well fit what comes now.
    item.places = item.allPlaces
    this.#state.options.onEvent?.(startAnewEvent(item, error))
    this.#state.queue.add(item)
  }

  #giveUp(item: RunningTask, error: TrawlError): void {
    const facts = {
      attempts: item.attempt,
      ...(item.httpStatus === undefined ? {} : { httpStatus: item.httpStatus }),
    }
    this.#state.options.destination.failed(item, error, facts)
    if (isFilteredOut(error)) {
      this.finish({ ...this.#outcomeBase(item), status: 'skipped', skipReason: 'filtered' })
      return
    }
    this.finish({
      ...this.#outcomeBase(item),
      status: 'failed',
      error: error.toJSON(),
      ...requestOf(item),
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
    if (parts.isLimited() || item.limitRateBps !== undefined) {
      parts.rateLimiter.release({ host: item.host, itemId: item.task.id })
    }
    counters.activeBytes -= item.doneBytes
    item.doneBytes = 0
  }
}

/** So often in a row, without a byte between them, is an address asked for again. */
const maxRefreshes = 3
/** Then it is not the crowd: this process has no files left for even one. */
const mostFileShortages = 20

/** True where another mirror may well have what this one refused for good. */
function isOfThePlace({ code, retry }: TrawlError): boolean {
  return retry === 'never' && (/^ERR_(?:HTTP|NET)_/.test(code) || anotherFile.has(code))
}

const anotherFile: ReadonlySet<string> = new Set([
  'ERR_LENGTH_MISMATCH',
  'ERR_DIGEST_MISMATCH',
  'ERR_CONTENT_UNEXPECTED',
])

function isWrongBytes({ code, retry }: TrawlError): boolean {
  return code === 'ERR_DIGEST_MISMATCH' && retry !== 'never'
}

/** The same wrong bytes twice: the server has them so, and will give them so again. */
function isSameMismatch(before: TrawlError | undefined, now: TrawlError): boolean {
  if (!before || !isWrongBytes(before) || !isWrongBytes(now)) return false
  return before.message === now.message
}

/** The server's version of the file is another, or it does not do ranges: no fault that waiting would mend. */
const startsAnew: ReadonlySet<string> = new Set(['ERR_ENTITY_CHANGED', 'ERR_RANGE_IGNORED'])

import { TrawlError, type ItemSelector, type JobPatch, type PauseRequest } from '../../core/index.ts'
import type { AttemptEnd } from './attempt-end.ts'
import { isOfHost } from './host-of.ts'
import type { RunState } from './run-state.ts'
import type { RunningTask } from './task-queue.ts'

/**
 * Does what users ask of a run: holds it, goes on, ends or changes items; all of it, those of a host, or one. What is
 * transferred now is stopped and keeps its bytes.
 */
export class RunControl {
  readonly #state: RunState
  readonly #end: AttemptEnd
  /** Items whose turn came while they were held. */
  readonly #aside = new Set<RunningTask>()

  constructor(state: RunState, end: AttemptEnd) {
    this.#state = state
    this.#end = end
  }

  /** Items that are held one by one. */
  get aside(): number {
    return this.#aside.size
  }

  /** Starts nothing new of what is meant. With `drain` what is active goes on, else it stops until `resume`. */
  pause({ drain, ...which }: PauseRequest): void {
    this.#state.holds.hold(which)
    if (drain) return
    for (const item of this.#activeOnes(which)) stop(item, 'pause')
  }

  resume(which: ItemSelector): void {
    const { holds, queue } = this.#state
    holds.release(which)
    for (const item of this.#aside) {
      if (holds.holdsItem(item)) continue
      this.#aside.delete(item)
      queue.add(item)
    }
    queue.unblock()
    this.#state.pump()
  }

  /** Ends what is meant as unfinished, its bytes kept; with `drain`, what is active ends first. */
  cancel({ drain, ...which }: PauseRequest): void {
    const { queue, delays, resolving, holds } = this.#state
    const isMeant = meantBy(which)
    const active = this.#activeOnes(which)
    const waiting = [
      ...queue.remove(isMeant),
      ...delays.remove(isMeant),
      ...resolving.remove(isMeant),
      ...this.#takeAside(isMeant),
    ]
    if (which.id === undefined || active.length + waiting.length === 0) holds.refuse(which)
    for (const item of waiting) this.#end.unfinished(item)
    for (const item of active) {
      if (drain) item.stop = 'cancel'
      else stop(item, 'cancel')
    }
    this.#state.pump()
    this.#state.maybeEnd()
  }

  /** Changes items: those that are meant, or all, also the ones that are still to come where that makes sense. */
  update(patch: JobPatch, which: ItemSelector | undefined): void {
    const isMeant = meantBy(which ?? {})
    const { priority, split, limitRatePerItemBps } = patch
    if (priority !== undefined) this.#setPriority(priority, isMeant)
    if (split !== undefined) {
      if (which === undefined) this.#state.split = split
      this.#change(isMeant, (item) => {
        item.split = split === 'auto' ? undefined : split
        if (item.order) item.order.split = item.split
      })
    }
    // Without items named it is the limit of each, which the engine sets.
    if (limitRatePerItemBps !== undefined && which !== undefined) {
      this.#change(isMeant, (item) => this.#limit(item, limitRatePerItemBps || undefined))
    }
  }

  /** An item's turn has come: true when it must not start now, and is taken care of. */
  setAside(item: RunningTask): boolean {
    const { holds } = this.#state
    if (item.stop === 'cancel' || holds.unwanted(item)) {
      this.#end.unfinished(item)
      return true
    }
    if (!holds.holdsItem(item)) return false
    this.#aside.add(item)
    return true
  }

  /** Everything that waits anywhere, taken out: the run is over. */
  takeWaiting(): readonly RunningTask[] {
    const { delays, queue, resolving } = this.#state
    const all = (): boolean => true
    return [...delays.remove(all), ...queue.drain(), ...resolving.remove(all), ...this.#takeAside(all)]
  }

  #activeOnes(which: ItemSelector): RunningTask[] {
    return this.#state.active.values().filter(meantBy(which))
  }

  #takeAside(isMeant: (item: RunningTask) => boolean): RunningTask[] {
    const taken = [...this.#aside].filter(isMeant)
    for (const item of taken) this.#aside.delete(item)
    return taken
  }

  #setPriority(priority: number, isMeant: (item: RunningTask) => boolean): void {
    this.#state.queue.reprioritise(priority, isMeant)
    this.#change(isMeant, (item) => {
      item.priority = priority
    })
    this.#state.pump()
  }

  /** Every known item that is meant, wherever it is. */
  #change(isMeant: (item: RunningTask) => boolean, change: (item: RunningTask) => void): void {
    const { active, queue, delays, resolving } = this.#state
    for (const items of [active.values(), queue.values(), delays.values(), resolving.values(), this.#aside]) {
      for (const item of items) if (isMeant(item)) change(item)
    }
  }

  #limit(item: RunningTask, bps: number | undefined): void {
    item.limitRateBps = bps
    if (item.slot < 0) return
    this.#state.parts.rateLimiter.limitItem({ host: item.host, itemId: item.task.id }, bps)
  }
}

function stop(item: RunningTask, why: 'pause' | 'cancel'): void {
  if (item.stop !== 'cancel') item.stop = why
  const message = why === 'pause' ? 'paused' : 'the item was cancelled'
  item.order?.transfer?.stop(new TrawlError('ERR_CANCELLED', message))
}

function meantBy({ host, id }: ItemSelector): (item: RunningTask) => boolean {
  const named = host?.toLowerCase()
  return (item) =>
    (named === undefined || isOfHost(item.host, named)) && (id === undefined || item.task.id === id)
}

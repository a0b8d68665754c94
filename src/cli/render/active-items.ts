import type { ActiveItem, TaskId } from '../../core/index.ts'

/** An item worth a line, with what was measured between polls. */
export interface WatchedItem extends ActiveItem {
  /** Undefined at first. */
  readonly speedBps?: number
}

interface Seen {
  readonly doneBytes: number
  readonly atMs: number
  readonly speedBps: number | undefined
}

/** Weight of the newest measurement in the mean. */
const weight = 0.3

/**
 * Watches the items that are being transferred and measures their speed. An item is shown from its second poll on, so
 * that thousands of small files a second do not flicker by.
 */
export class ActiveItems {
  #seen = new Map<TaskId, Seen>()

  /** The items to show now. */
  poll(items: readonly ActiveItem[], nowMs: number): readonly WatchedItem[] {
    const before = this.#seen
    const shown: WatchedItem[] = []
    this.#seen = new Map()
    for (const item of items) {
      const last = before.get(item.id)
      const speedBps = last === undefined ? undefined : speedSince(last, item, nowMs)
      this.#seen.set(item.id, { doneBytes: item.doneBytes, atMs: nowMs, speedBps })
      if (last !== undefined) shown.push(speedBps === undefined ? item : { ...item, speedBps })
    }
    return shown
  }
}

function speedSince(last: Seen, item: ActiveItem, nowMs: number): number | undefined {
  const elapsedMs = nowMs - last.atMs
  if (elapsedMs <= 0) return last.speedBps
  // A file that began anew has fewer bytes than before.
  const speed = (Math.max(0, item.doneBytes - last.doneBytes) * 1000) / elapsedMs
  return last.speedBps === undefined ? speed : last.speedBps + weight * (speed - last.speedBps)
}

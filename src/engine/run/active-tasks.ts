import type { RunningTask } from './task-queue.ts'

/**
 * The tasks that are being transferred. An array whose gaps are closed from the end, and not a Map: under thousands
 * of additions a second, the old tables of a Map keep dead tasks and their buffers alive until a full collection.
 */
export class ActiveTasks {
  readonly #items: RunningTask[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: RunningTask): void {
    if (item.slot >= 0) return
    item.slot = this.#items.length
    this.#items.push(item)
  }

  remove(item: RunningTask): void {
    const { slot } = item
    if (slot < 0) return
    item.slot = -1
    const last = this.#items.pop()
    if (!last || last === item) return
    this.#items[slot] = last
    last.slot = slot
  }

  values(): readonly RunningTask[] {
    return this.#items
  }
}

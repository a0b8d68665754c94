import type { Clock } from '../../../src/core/index.ts'

interface Entry {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** A clock whose time passes only when told: a heap of things to do, run in order of time, then of asking. */
export class VirtualTime implements Clock {
  #nowMs = 0
  #order = 0
  readonly #heap: Entry[] = []
  /** Timers that are set and have not fired. */
  pending = 0

  now(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs
  }

  after(delayMs: number, run: () => void): () => void {
    const entry: Entry = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, run }
    this.pending++
    this.#push(entry)
    return () => {
      if (entry.run) this.pending--
      entry.run = undefined
    }
  }

  /** Runs what is due up to the time given, or until nothing is left. */
  runUntil(endMs: number): void {
    for (;;) {
      const next = this.#heap[0]
      if (!next || next.atMs > endMs) break
      this.#pop()
      if (!next.run) continue
      this.#nowMs = next.atMs
      const run = next.run
      next.run = undefined
      this.pending--
      run()
    }
    if (endMs !== Infinity) this.#nowMs = Math.max(this.#nowMs, endMs)
  }

  advance(byMs: number): void {
    this.runUntil(this.#nowMs + byMs)
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.push(entry) - 1
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!before(entry, heap[up]!)) break
      heap[at] = heap[up]!
      at = up
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()!
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

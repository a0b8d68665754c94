import type { Extent } from '../../core/index.ts'

/** A set of byte ranges, kept sorted and merged. Costs nothing while it is empty: there is one for each small file. */
export class ExtentSet {
  #extents: readonly { start: number; end: number }[] = nothing

  constructor(extents: Iterable<Extent> = []) {
    for (const extent of extents) this.add(extent.start, extent.end)
  }

  /** Bytes in the set. */
  get sizeBytes(): number {
    let size = 0
    for (const extent of this.#extents) size += extent.end - extent.start
    return size
  }

  add(start: number, end: number): void {
    if (end <= start) return
    if (this.#extents === nothing) {
      this.#extents = [{ start, end }]
      return
    }
    const list = this.#extents as { start: number; end: number }[]
    const last = list.at(-1)
    if (last && start >= last.start && start <= last.end) {
      if (end > last.end) last.end = end
      return
    }
    let first = 0
    while (first < list.length && (list[first]?.end ?? 0) < start) first++
    let merged = { start, end }
    let count = 0
    for (let at = first; at < list.length; at++) {
      const extent = list[at]
      if (!extent || extent.start > merged.end) break
      merged = { start: Math.min(merged.start, extent.start), end: Math.max(merged.end, extent.end) }
      count++
    }
    list.splice(first, count, merged)
  }

  /** The ranges of 0 to `lengthBytes` that are not in the set. */
  gaps(lengthBytes: number): Extent[] {
    const gaps: Extent[] = []
    let at = 0
    for (const extent of this.#extents) {
      if (extent.start >= lengthBytes) break
      if (extent.start > at) gaps.push({ start: at, end: extent.start })
      at = Math.max(at, extent.end)
    }
    if (at < lengthBytes) gaps.push({ start: at, end: lengthBytes })
    return gaps
  }

  covers(start: number, end: number): boolean {
    return end <= start || this.#extents.some((extent) => extent.start <= start && extent.end >= end)
  }

  toArray(): Extent[] {
    return this.#extents.map((extent) => ({ ...extent }))
  }

  clear(): void {
    this.#extents = nothing
  }
}

const nothing: readonly { start: number; end: number }[] = []

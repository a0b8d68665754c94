/** How sure finished files are after a loss of power: not at all, after the next sync, or each before it counts. */
export type Durability = 'none' | 'batch' | 'strict'

/**
 * What is learned about the disk under the output folder. Writing in the event loop is fastest on a disk that
 * answers at once and stops everything on one that does not: when writes were slow lately, sinks go over to
 * asynchronous writes, and back when it answers again.
 */
export class Volume {
  readonly durability: Durability
  #slowShare = 0
  #asyncPending = 0

  constructor(options: { readonly durability: Durability }) {
    this.durability = options.durability
  }

  get prefersAsync(): boolean {
    return this.#slowShare > 0.05
  }

  /** Bytes handed to the system that it has not taken yet. */
  get pendingBytes(): number {
    return this.#asyncPending
  }

  pending(changeBytes: number): void {
    this.#asyncPending += changeBytes
  }

  /** Notes how long one write took. */
  wrote(durationMs: number, sizeBytes: number): void {
    // 2 ms for a small write; large ones are allowed 1 ms a MiB more before the disk counts as slow.
    const slow = durationMs > 2 + sizeBytes / (1024 * 1024) ? 1 : 0
    this.#slowShare += (slow - this.#slowShare) * 0.05
  }
}

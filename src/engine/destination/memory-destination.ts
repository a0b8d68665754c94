import { systemClock, TrawlError, type Clock, type DownloadTask, type Outcome } from '../../core/index.ts'
import type { EntityFacts, EntityVerdict, StagedTransfer } from '../transfer/transfer.ts'
import { BodySink } from './body-sink.ts'
import type { ByteBudget } from './byte-budget.ts'
import type { Admission, CommitFacts, Destination, NamedTask } from './destination.ts'

export interface MemoryDestinationOptions {
  /** Memory for all bodies together. */
  readonly budget: ByteBudget
  /** Longer bodies are refused with ERR_TOO_LARGE. */
  readonly maxBodyBytes: number
  /** Longest time from the headers to the last byte, then ERR_NET_TIMEOUT. Default none. */
  readonly totalTimeoutMs?: number
  readonly clock?: Clock
  /** Sees the headers of each good answer; refuses the body by throwing TrawlError. */
  readonly judge?: (task: DownloadTask, facts: EntityFacts) => void
  /**
   * Takes what the acceptor made of the bytes, and gives the name it is known by. What it throws decides as for a
   * file: ERR_NO_SPACE waits for room.
   */
  readonly take: (task: DownloadTask, staged: StagedTransfer, outcome: CommitFacts) => Promise<string>
  readonly freeBytes?: () => number | undefined
}

/**
 * Bodies in memory, for those that make something else of them, such as samples of a dataset. Nothing is journaled:
 * the caller keeps what it makes. The bytes are freed once they are taken or refused.
 */
export class MemoryDestination implements Destination {
  readonly #options: MemoryDestinationOptions

  constructor(options: MemoryDestinationOptions) {
    this.#options = options
  }

  admit(): Admission {
    return { admit: 'fetch' }
  }

  entity(named: NamedTask, facts: EntityFacts): EntityVerdict & { readonly path: string } {
    const { budget, maxBodyBytes, totalTimeoutMs, clock, judge } = this.#options
    judge?.(named.task, facts)
    const sink = new BodySink({
      budget,
      maxBodyBytes,
      totalTimeoutMs: totalTimeoutMs ?? Infinity,
      clock: clock ?? systemClock,
    })
    return { verdict: 'go', sink, path: named.task.target.path ?? '' }
  }

  commit(named: NamedTask, staged: StagedTransfer, outcome: CommitFacts): Promise<string> {
    return this.#options.take(named.task, staged, outcome).then((path) => {
      if (staged.sink instanceof BodySink) staged.sink.commit()
      return path
    })
  }

  checkpoint(): void {}

  failed(): void {}

  flush(): void {}

  freeBytes(): number | undefined {
    return this.#options.freeBytes?.()
  }

  async *outcomes(): AsyncIterable<Outcome> {}
}

/** The body of a transfer to a MemoryDestination; valid until it is committed. Throws ERR_INTERNAL for another one. */
export function stagedBytes(staged: StagedTransfer): Buffer {
  if (staged.sink instanceof BodySink) return staged.sink.bytes
  throw new TrawlError('ERR_INTERNAL', 'the body is not in memory')
}

/**
 * Keeps the body of a transfer beyond its commit, for what is made of it is the body itself. The returned function, to
 * be called once, frees it.
 */
export function holdBody(staged: StagedTransfer): () => void {
  if (staged.sink instanceof BodySink) return staged.sink.hold()
  throw new TrawlError('ERR_INTERNAL', 'the body is not in memory')
}

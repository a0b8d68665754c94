import { toTrawlError } from '../../core/index.ts'
import type { ShardPlan, ShardRow } from '../plan/index.ts'
import { failedSample, goodSample, type Sample } from '../samples/index.ts'
import type { FinishedSample } from '../shards/index.ts'
import type { ImagesAtWork } from './images-at-work.ts'
import type { RoomWait } from './room-wait.ts'
import type { SampleSpool, SpooledSample } from './sample-spool.ts'

export interface OpenShardOptions {
  readonly shard: number
  readonly plan: ShardPlan
  readonly spool: SampleSpool
  readonly images: ImagesAtWork
  readonly room: RoomWait
  /** The rows to be done, ascending; default all. */
  readonly indexes?: readonly number[]
  /** Puts the shard together from all its samples, in plan order, and commits it; again where there was no room. */
  readonly assemble: (samples: AsyncIterableIterator<FinishedSample>) => Promise<unknown>
}

/** Rows that are read from the plan at a time. */
const rowsAtOnce = 1000
/** After so many samples that were there already, others get their turn on the event loop. */
const samplesAtOnce = 32

/**
 * A shard at work. Samples come in any order and are spooled; they leave in plan order as soon as those before them
 * are there, so that most of the shard is written by the time its last row arrives.
 */
export class OpenShard {
  readonly shard: number
  /** Settles when the shard is committed; rejects with what stopped it. */
  readonly done: Promise<void>
  readonly #options: OpenShardOptions
  #awaited:
    | { readonly index: number; readonly resolve: () => void; readonly reject: (error: Error) => void }
    | undefined
  #stopped: Error | undefined

  constructor(options: OpenShardOptions) {
    this.#options = options
    this.shard = options.shard
    this.done = this.#assemble()
    // Awaited later by the one who opened it; until then nobody may take it for unhandled.
    this.done.catch(() => {})
  }

  /** Rows to be done. */
  get rowCount(): number {
    return this.#options.indexes?.length ?? this.#options.plan.rowCount(this.shard)
  }

  /** Rows that an earlier run or this one has done. */
  get doneCount(): number {
    return this.#options.spool.count
  }

  has(index: number): boolean {
    return this.#options.spool.has(index)
  }

  /** True where a process died while it worked on the image of this row. */
  isSuspect(index: number): boolean {
    return this.#options.images.suspects.has(index)
  }

  /** The image library begins with the image of this row; the returned function tells its end. */
  atWork(index: number): () => void {
    return this.#options.images.begin(index)
  }

  /** The rows to be done, a batch at a time. Throws ERR_INPUT_UNREADABLE and storage errors. */
  async *rows(): AsyncGenerator<readonly ShardRow[], void, undefined> {
    const { plan, indexes } = this.#options
    const count = plan.rowCount(this.shard)
    let at = 0
    for (let start = 0; start < count; start += rowsAtOnce) {
      const end = Math.min(count, start + rowsAtOnce)
      if (!indexes) {
        yield await plan.rows(this.shard, { start, end })
        continue
      }
      const wanted = new Set<number>()
      for (let index = indexes[at]; index !== undefined && index < end; index = indexes[++at])
        wanted.add(index)
      if (wanted.size === 0) continue
      yield (await plan.rows(this.shard, { start, end })).filter((row) => wanted.has(row.index))
    }
  }

  /** Resolves when the sample is safe from kill -9. Rejects with storage errors: then it does not count. */
  async add(index: number, sample: SpooledSample): Promise<void> {
    await this.#options.spool.append(index, sample)
    if (this.#awaited?.index !== index) return
    const { resolve } = this.#awaited
    this.#awaited = undefined
    resolve()
  }

  /** Gives up what is not committed; the spool stays for the next run. */
  stop(reason: Error): void {
    this.#stopped ??= reason
    this.#awaited?.reject(reason)
    this.#awaited = undefined
  }

  async #assemble(): Promise<void> {
    const { spool, images, room, assemble } = this.#options
    let committed = false
    try {
      await room.retry(() => assemble(this.#samples()))
      committed = true
    } finally {
      spool.close({ remove: committed })
      images.close({ remove: committed })
    }
  }

  async *#samples(): AsyncGenerator<FinishedSample, void, undefined> {
    const { spool } = this.#options
    let ready = 0
    for await (const rows of this.rows()) {
      for (const row of rows) {
        if (this.#stopped) throw this.#stopped
        if (!spool.has(row.index)) {
          await this.#arrival(row.index)
          ready = 0
        } else if (++ready % samplesAtOnce === 0) {
          await new Promise(setImmediate)
        }
        const spooled = spool.take(row.index)
        try {
          yield { sample: sampleOf(row, spooled), run: spooled.run }
        } finally {
          spooled.release?.()
        }
      }
    }
  }

  #arrival(index: number): Promise<void> {
    return new Promise((resolve, reject) => (this.#awaited = { index, resolve, reject }))
  }
}

function sampleOf(row: ShardRow, { image, status, errorCode, errorMessage, facts }: SpooledSample): Sample {
  if (image) return goodSample(row, image, image.length, facts)
  return { row, status, errorCode, errorMessage, imageBytes: null, facts }
}

/** A failure as it waits for its place. Throws the error again where it is not the row's. */
export function spooledFailure(
  row: ShardRow,
  error: unknown,
  rest: Pick<SpooledSample, 'facts' | 'run'>,
): SpooledSample {
  const { status, errorCode, errorMessage, facts } = failedSample(row, error, rest.facts)
  return { status, errorCode, errorMessage, facts, run: { ...rest.run, error: toTrawlError(error).message } }
}

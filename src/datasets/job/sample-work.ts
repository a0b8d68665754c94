import {
  fromErrorData,
  taskId,
  toTrawlError,
  TrawlError,
  type DownloadTask,
  type Locator,
  type Outcome,
} from '../../core/index.ts'
import {
  holdBody,
  MemoryDestination,
  stagedBytes,
  type Acceptor,
  type ByteBudget,
  type CommitFacts,
  type EntityFacts,
  type InputTask,
  type StagedTransfer,
} from '../../engine/index.ts'
import { freeBytes } from '../../storage/index.ts'
import { optOut, optOutError } from '../manners/index.ts'
import type { ShardRow } from '../plan/index.ts'
import type { SampleFacts, SampleRun } from '../samples/index.ts'
import type { DatasetSettings } from './dataset-settings.ts'
import {
  createSampleMaker,
  sampleWishOf,
  type MadeSample,
  type SampleResizers,
  type SampleWish,
} from './make-sample.ts'
import { spooledFailure, type OpenShard } from './open-shard.ts'
import type { RoomWait } from './room-wait.ts'

export interface SampleWorkOptions {
  readonly out: string
  readonly settings: DatasetSettings
  readonly budget: ByteBudget
  readonly maxBodyBytes: number
  readonly totalTimeoutMs: number
  readonly resizers: SampleResizers
  /** Failures wait in it for room, as bodies do in the engine. */
  readonly room: RoomWait
  readonly signal: AbortSignal
  /** Told of a shard with a row that was cancelled: it waits for another run. */
  readonly onIncomplete: (shard: OpenShard) => void
}

/** Bodies larger than this are refused unless --max-size says otherwise. */
export const defaultMaxBodyBytes = 64 * 1024 * 1024

/** A row on its way: where it belongs, and what is known of it so far. */
interface PendingRow {
  readonly shard: OpenShard
  readonly row: ShardRow
  readonly wish: SampleWish
  facts: SampleFacts
  made?: MadeSample
}

/**
 * Turns rows into tasks and what comes of them into samples of their shards. Every row that was read gets into its
 * shard exactly once, whatever happened to it.
 */
export class SampleWork {
  readonly destination: MemoryDestination
  readonly acceptor: Acceptor
  /** Rows that an earlier run had done. */
  resumed = 0
  readonly #options: SampleWorkOptions
  readonly #pending = new Map<string, PendingRow>()
  #ordinal = 0

  constructor(options: SampleWorkOptions) {
    this.#options = options
    const { budget, maxBodyBytes, totalTimeoutMs, out, signal, settings, resizers } = options
    this.destination = new MemoryDestination({
      budget,
      maxBodyBytes,
      totalTimeoutMs,
      judge: (task, facts) => this.#judge(task, facts),
      take: (task, staged, outcome) => this.#take(task, staged, outcome),
      freeBytes: () => freeBytes(out),
    })
    const make = createSampleMaker(settings, resizers)
    this.acceptor = async (staged, task) => {
      const pending = this.#row(task.id)
      const note = (facts: SampleFacts): void => void (pending.facts = facts)
      const { shard, row, wish } = pending
      pending.made = await make(staged, wish, {
        note,
        suspect: shard.isSuspect(row.index),
        atWork: () => shard.atWork(row.index),
        signal,
      })
      return undefined
    }
  }

  /** The tasks of a shard, but for rows that are done. Rows that cannot be fetched are done at once. */
  async *tasks(shard: OpenShard): AsyncGenerator<readonly InputTask[], void, undefined> {
    for await (const rows of shard.rows()) {
      const tasks: InputTask[] = []
      const refusals: Promise<void>[] = []
      for (const row of rows) {
        if (shard.has(row.index)) this.resumed++
        else tasks.push(this.#task(shard, row, refusals))
      }
      await Promise.all(refusals)
      if (tasks.length > 0) yield tasks
    }
  }

  /** Takes the end of a row that has none yet: its failure. Rejects with storage errors and what ends the whole job. */
  async settle(outcome: Outcome): Promise<void> {
    const pending = this.#pending.get(outcome.id)
    if (!pending) return
    this.#pending.delete(outcome.id)
    const { shard, row, facts } = pending
    if (outcome.status !== 'failed' || !outcome.error) {
      this.#options.onIncomplete(shard)
      return
    }
    const { httpStatus } = outcome
    const failure = spooledFailure(row, fromErrorData(outcome.error), {
      facts: httpStatus === undefined ? facts : { httpStatus, ...facts },
      run: runOf(outcome),
    })
    await this.#options.room.retry(() => shard.add(row.index, failure))
  }

  #task(shard: OpenShard, row: ShardRow, refusals: Promise<void>[]): InputTask {
    const ordinal = this.#ordinal++
    const locator: Locator = { kind: 'mirrors', places: [{ url: row.url }] }
    const target = { path: row.key }
    const id = taskId('sample', locator, target, 0)
    try {
      if (row.inputError !== undefined) throw new TrawlError('ERR_TABLE_ROW', row.inputError)
      checkUrl(row.url)
      const wish = sampleWishOf(row, this.#options.settings)
      this.#pending.set(id, { shard, row, wish, facts: {} })
      return { id, kind: 'sample', locator, ordinal, target }
    } catch (thrown) {
      const refused = toTrawlError(thrown)
      const run = { attempts: 0, startedAtMs: Date.now(), durationMs: 0, fetchedBytes: 0 }
      const failure = spooledFailure(row, refused, { facts: {}, run })
      refusals.push(this.#options.room.retry(() => shard.add(row.index, failure)))
      return { id, ordinal, input: row.url === '' ? row.key : row.url, refused }
    }
  }

  #judge(task: DownloadTask, answer: EntityFacts): void {
    const { settings } = this.#options
    const pending = this.#row(task.id)
    const { httpStatus, url, contentType } = answer
    pending.facts = {
      httpStatus,
      finalUrl: url,
      ...(contentType === undefined ? {} : { contentType }),
    }
    const found = optOut(answer.headers ?? {}, {
      disallowed: settings.disallowedDirectives,
      tdm: settings.disallowedDirectives.length > 0,
      ...(settings.userAgentToken === undefined ? {} : { token: settings.userAgentToken }),
    })
    if (found) throw optOutError(found)
  }

  async #take(task: DownloadTask, staged: StagedTransfer, outcome: CommitFacts): Promise<string> {
    const { shard, row, made } = this.#row(task.id)
    if (!made) throw new TrawlError('ERR_INTERNAL', `sample ${row.key} was not made`)
    const { facts } = made
    const isBody = made.image.buffer === stagedBytes(staged).buffer
    // An image that is the body itself keeps its memory until it is written; row groups of Parquet wait for long.
    const release = isBody && this.#options.settings.outputFormat !== 'parquet' ? holdBody(staged) : undefined
    const image = isBody && !release ? Buffer.from(made.image) : made.image
    try {
      await shard.add(row.index, {
        status: 'success',
        errorCode: null,
        errorMessage: null,
        facts,
        run: runOf(outcome),
        image,
        ...(isBody ? { imageCrc32: staged.crc32 } : {}),
        ...(release ? { release } : {}),
      })
    } catch (error) {
      release?.()
      throw error
    }
    this.#pending.delete(task.id)
    return row.key
  }

  #row(id: string): PendingRow {
    const pending = this.#pending.get(id)
    if (pending) return pending
    throw new TrawlError('ERR_INTERNAL', 'a sample that nobody asked for')
  }
}

function runOf({ attempts, durationMs, fetchedBytes }: CommitFacts): SampleRun {
  return { attempts, durationMs, fetchedBytes, startedAtMs: Date.now() - durationMs }
}

function checkUrl(text: string): void {
  const url = URL.parse(text)
  if (!url) throw new TrawlError('ERR_URL_INVALID', `not a URL: ${text}`, { context: { url: text } })
  if (url.protocol === 'http:' || url.protocol === 'https:') return
  throw new TrawlError('ERR_URL_SCHEME', `${url.protocol} is not supported: ${text}`, {
    context: { url: text },
  })
}

import { readFileSync } from 'node:fs'
import { formats, TrawlError } from '../../core/index.ts'
import { storageError } from '../../storage/index.ts'
import type { Sample, SampleRun } from '../samples/index.ts'

/**
 * `NNNNN_stats.json`: its presence says that the shard is done. The first fields are those of img2dataset (seconds);
 * `trawl` has ours.
 */
export interface ShardStats {
  readonly count: number
  readonly successes: number
  readonly failed_to_download: number
  readonly failed_to_resize: number
  readonly duration: number
  readonly start_time: number
  readonly end_time: number
  /** Rows of each row code; `success` for the others. */
  readonly status_dict: Readonly<Record<string, number>>
  readonly trawl: {
    readonly version: number
    /** Hash of the part of the plan that the shard belongs to. */
    readonly plan: string
    readonly attempts: number
    readonly fetchedBytes: number
    readonly imageBytes: number
    readonly files: readonly { readonly name: string; readonly sizeBytes: number }[]
  }
}

/** Adds up a shard while its samples pass. */
export class ShardTally {
  #count = 0
  #successes = 0
  #failedToDownload = 0
  #failedToResize = 0
  #startMs = Infinity
  #endMs = -Infinity
  #attempts = 0
  #fetchedBytes = 0
  #imageBytes = 0
  readonly #codes = new Map<string, number>()

  get count(): number {
    return this.#count
  }

  add(sample: Sample, run: SampleRun): void {
    this.#count++
    if (sample.status === 'success') this.#successes++
    else if (sample.status === 'failed_to_download') this.#failedToDownload++
    else this.#failedToResize++
    const code = sample.errorCode ?? 'success'
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1)
    this.#startMs = Math.min(this.#startMs, run.startedAtMs)
    this.#endMs = Math.max(this.#endMs, run.startedAtMs + run.durationMs)
    this.#attempts += run.attempts
    this.#fetchedBytes += run.fetchedBytes
    this.#imageBytes += sample.imageBytes ?? 0
  }

  stats(plan: string, files: ShardStats['trawl']['files']): ShardStats {
    const start = Number.isFinite(this.#startMs) ? this.#startMs : 0
    const end = Number.isFinite(this.#endMs) ? this.#endMs : 0
    return {
      count: this.#count,
      successes: this.#successes,
      failed_to_download: this.#failedToDownload,
      failed_to_resize: this.#failedToResize,
      duration: (end - start) / 1000,
      start_time: start / 1000,
      end_time: end / 1000,
      status_dict: Object.fromEntries([...this.#codes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))),
      trawl: {
        version: formats.shardStats,
        plan,
        attempts: this.#attempts,
        fetchedBytes: this.#fetchedBytes,
        imageBytes: this.#imageBytes,
        files,
      },
    }
  }
}

/**
 * The stats of a shard, of trawl or of img2dataset (which have no `trawl`). Throws ERR_INPUT_INVALID for a file that
 * is none, ERR_FORMAT_NEWER, and storage errors.
 */
export function readShardStats(path: string): Omit<ShardStats, 'trawl'> & Partial<Pick<ShardStats, 'trawl'>> {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw storageError(error, { path, doing: 'read' })
  }
  return parseShardStats(text, path)
}

/** As `readShardStats`, from a text; `path` is for messages. */
export function parseShardStats(text: string, path: string): ReturnType<typeof readShardStats> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = undefined
  }
  if (!isStats(value)) {
    throw new TrawlError('ERR_INPUT_INVALID', `${path}: not the stats of a shard`, {
      context: { path },
      hint: 'Remove the file: then the shard is made again.',
    })
  }
  if ((value.trawl?.version ?? 0) > formats.shardStats) {
    throw new TrawlError('ERR_FORMAT_NEWER', `${path}: written by a newer trawl`, { context: { path } })
  }
  return value
}

function isStats(value: unknown): value is ReturnType<typeof readShardStats> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'count' in value &&
    typeof value.count === 'number' &&
    'successes' in value &&
    typeof value.successes === 'number' &&
    'status_dict' in value
  )
}

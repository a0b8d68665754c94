import type { PlanManifest } from '../plan/index.ts'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import { localFolder, readShardState, type ShardState } from '../shards/index.ts'
import { parseShardStats } from '../shards/shard-stats.ts'
import { errorCodeOf } from './dataset-items.ts'

const pollMs = 1000

/** What other processes have added to an output folder since a job began: rows of shards that it did not make. */
export class OtherWorkers {
  /** Rows with an image. */
  ok = 0
  failed = 0
  fetchedBytes = 0
  readonly failures: Record<string, number> = {}
  /** The shards that were added. */
  readonly shards: number[] = []
  readonly #out: string
  readonly #manifest: PlanManifest
  readonly #isOurs: (shard: number) => boolean
  /** Shards that were there before, or have been counted. */
  readonly #known: Set<number>
  #timer: NodeJS.Timeout | undefined
  #polling: Promise<void> | undefined

  constructor(options: {
    readonly out: string
    readonly manifest: PlanManifest
    readonly before: ShardState
    readonly isOurs: (shard: number) => boolean
  }) {
    this.#out = options.out
    this.#manifest = options.manifest
    this.#isOurs = options.isOurs
    this.#known = new Set(options.before.committed())
  }

  /** Looks once a second until it is stopped. */
  start(): void {
    this.#timer = setInterval(() => void this.look(), pollMs)
  }

  /** Looks now. What cannot be read is looked at again the next time. */
  look(): Promise<void> {
    this.#polling ??= this.#look()
      .catch(() => undefined)
      .finally(() => (this.#polling = undefined))
    return this.#polling
  }

  /** Looks a last time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#polling
    await this.look()
  }

  async #look(): Promise<void> {
    const folder = localFolder(this.#out)
    for (const shard of (await readShardState(folder, this.#manifest)).committed()) {
      if (this.#known.has(shard) || this.#isOurs(shard)) continue
      const { stats: name } = shardFiles(shardName(shard, this.#manifest))
      const stats = parseShardStats(await folder.readText(name), name)
      this.#known.add(shard)
      this.shards.push(shard)
      for (const [word, count] of Object.entries(stats.status_dict)) {
        if (word === 'success') continue
        const code = errorCodeOf(word)
        this.failures[code] = (this.failures[code] ?? 0) + count
      }
      this.ok += stats.successes
      this.failed += stats.count - stats.successes
      this.fetchedBytes += stats.trawl?.fetchedBytes ?? 0
    }
  }
}

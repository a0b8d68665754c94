import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import type { ShardPlan } from '../plan/index.ts'
import {
  createShardWriter,
  localFolder,
  partOf,
  readShardState,
  rewriteShard,
  selectRetryRows,
} from '../shards/index.ts'
import { layoutOf } from './dataset-settings.ts'
import type { DatasetSpec } from './dataset-spec.ts'
import { ImagesAtWork } from './images-at-work.ts'
import { OpenShard, type OpenShardOptions } from './open-shard.ts'
import type { RoomWait } from './room-wait.ts'
import { SampleSpool, type SpoolMemory } from './sample-spool.ts'
import { ShardClaims } from './shard-claims.ts'

export interface ShardQueueOptions {
  readonly out: string
  readonly plan: ShardPlan
  readonly spec: DatasetSpec
  readonly room: RoomWait
  /** Shards at work at once: the tail of one does not hold up the next. */
  readonly maxOpen: number
}

/** Where samples wait until their shard is committed, below the output folder. */
export const spoolFolder = join('.trawl', 'spool')

const spoolMemoryBytes = 64 * 1024 * 1024
const pollMs = 500

/**
 * Opens the shards that are to be done, one after the other, as many at once as may be open. Shards that another
 * process has are passed over; `run` waits for them at its end, since they are its own workers' or those of a run
 * that may die.
 */
export class ShardQueue {
  readonly #options: ShardQueueOptions
  readonly #claims: ShardClaims
  readonly #memory: SpoolMemory = { limitBytes: spoolMemoryBytes, usedBytes: 0 }
  readonly #open = new Set<OpenShard>()
  readonly #ours = new Set<number>()
  readonly #aside = new Set<OpenShard>()
  #stopped = false
  /** What stopped a shard, other than being told to. */
  failure: unknown
  /** Told of it at once. */
  onFailure: ((error: unknown) => void) | undefined
  /** Told once of shards that are waited for although nobody here can see whether they are worked on. */
  onWaiting: ((message: string) => void) | undefined
  #stopping = false
  #wake: (() => void) | undefined

  constructor(options: ShardQueueOptions) {
    this.#options = options
    this.#claims = new ShardClaims(options.out)
  }

  /** True for shards that this process has made, or has at work. */
  isOurs(shard: number): boolean {
    return this.#ours.has(shard)
  }

  /** Shards at work now. */
  get open(): ReadonlySet<OpenShard> {
    return this.#open
  }

  /** Each shard as it may be started. Throws what committing an earlier one threw, and storage errors. */
  async *shards(): AsyncGenerator<OpenShard, void, undefined> {
    let wanted: AsyncIterable<ShardWish> | readonly ShardWish[] = this.#wanted()
    while (!this.#stopped) {
      const later: ShardWish[] = []
      for await (const wish of wanted) {
        await this.#place()
        if (this.#stopped) return
        const shard = await this.#start(wish)
        if (shard === 'taken') later.push(wish)
        else if (shard) yield shard
      }
      if (later.length === 0 || this.#options.spec.command === 'worker') return
      this.#tellWaiting(later)
      await this.#pause(pollMs)
      wanted = later
    }
  }

  /** The shard will not be whole in this run: it is not waited for, and takes no place from others. */
  setAside(shard: OpenShard): void {
    this.#aside.add(shard)
    this.#wake?.()
  }

  /** Waits until all open shards are committed that can be. Rejects with what stopped one of them. */
  async settle(): Promise<void> {
    await Promise.all([...this.#open].filter((shard) => !this.#aside.has(shard)).map((shard) => shard.done))
    if (this.failure !== undefined) throw this.failure
  }

  /** Opens no more. */
  drain(): void {
    this.#stopped = true
    this.#wake?.()
  }

  /** Gives up all that is open and waits until its files are closed. */
  async stop(reason: Error): Promise<void> {
    this.drain()
    this.#stopping = true
    for (const shard of this.#open) shard.stop(reason)
    await Promise.allSettled([...this.#open].map((shard) => shard.done))
  }

  #tellWaiting(wishes: readonly ShardWish[]): void {
    for (const { shard } of this.onWaiting === undefined ? [] : wishes) {
      const name = shardName(shard, this.#options.plan.manifest)
      const owner = this.#claims.holderElsewhere(name)
      if (owner === undefined) continue
      this.onWaiting?.(
        `waiting for shard ${name}, which process ${owner.pid} on ${owner.host} has; ` +
          `if that machine is gone, remove ${join(this.#claims.folder, name)}`,
      )
      this.onWaiting = undefined
      return
    }
  }

  async *#wanted(): AsyncGenerator<ShardWish, void, undefined> {
    const { out, plan, spec } = this.#options
    const folder = localFolder(out)
    if (spec.command === 'retry') {
      yield* selectRetryRows(folder, plan.manifest, spec.statuses ?? ['failed'])
      return
    }
    for (const shard of (await readShardState(folder, plan.manifest)).missing()) yield { shard }
  }

  /** Undefined for a shard that has been finished meanwhile. */
  async #start(wish: ShardWish): Promise<OpenShard | 'taken' | undefined> {
    const { out, plan } = this.#options
    const name = shardName(wish.shard, plan.manifest)
    const claim = this.#claims.claim(name)
    if (!claim) return 'taken'
    try {
      if (!wish.indexes && existsSync(join(out, shardFiles(name).stats))) {
        claim.release()
        return undefined
      }
      const current = wish.indexes ? await this.#selectAgain(wish.shard) : wish
      if (current === undefined || this.#stopped) {
        claim.release()
        return undefined
      }
      const shard = new OpenShard(this.#shardOptions(current, name))
      this.#open.add(shard)
      this.#ours.add(shard.shard)
      void this.#watch(shard, () => claim.release())
      return shard
    } catch (error) {
      claim.release()
      throw error
    }
  }

  /** The rows as they are now that nobody else has the shard: others may have fetched them meanwhile. */
  async #selectAgain(shard: number): Promise<ShardWish | undefined> {
    const { out, plan, spec } = this.#options
    const statuses = spec.statuses ?? ['failed']
    for await (const rows of selectRetryRows(localFolder(out), plan.manifest, statuses, [shard])) return rows
    return undefined
  }

  async #watch(shard: OpenShard, release: () => void): Promise<void> {
    try {
      await shard.done
    } catch (error) {
      if (!this.#stopping && this.failure === undefined) {
        this.failure = error
        this.onFailure?.(error)
      }
    } finally {
      release()
      this.#open.delete(shard)
      this.#aside.delete(shard)
      this.#wake?.()
    }
  }

  #shardOptions({ shard, indexes }: ShardWish, name: string): OpenShardOptions {
    const { out, plan, spec, room } = this.#options
    const { manifest } = plan
    const { durability } = spec.options
    const planHash = partOf(manifest, shard)?.hash ?? ''
    const layout = layoutOf(manifest, plan.columns(shard))
    const rows = plan.rowCount(shard)
    const path = join(out, spoolFolder, indexes ? `${name}.retry` : name)
    const spool = new SampleSpool({
      path,
      rows,
      owner: indexes ? `${planHash} ${(spec.statuses ?? []).join(',')}` : planHash,
      memory: this.#memory,
    })
    const parts = { shard, plan, spool, room, images: new ImagesAtWork(`${path}.at-work`) }
    if (indexes) {
      return {
        ...parts,
        indexes,
        assemble: (replacements) => rewriteShard({ out, shard, plan, layout, replacements, durability }),
      }
    }
    return {
      ...parts,
      assemble: async (samples) => {
        const writer = await createShardWriter({
          folder: out,
          shard,
          naming: manifest,
          layout,
          rows,
          planHash,
          durability,
        })
        try {
          for await (const { sample, run } of samples) await writer.add(sample, run)
          await writer.finish()
        } catch (error) {
          await writer.abort()
          throw error
        }
      },
    }
  }

  /** Waits until one more may be open. */
  async #place(): Promise<void> {
    while (this.#open.size - this.#aside.size >= this.#options.maxOpen && !this.#stopped) await this.#pause()
    if (this.failure !== undefined) throw this.failure
  }

  #pause(longestMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = longestMs === undefined ? undefined : setTimeout(() => this.#wake?.(), longestMs)
      this.#wake = () => {
        this.#wake = undefined
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

interface ShardWish {
  readonly shard: number
  readonly indexes?: readonly number[]
}

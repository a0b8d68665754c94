import { statSync } from 'node:fs'
import { join } from 'node:path'
import { toTrawlError, TrawlError } from '../../core/index.ts'
import { checkImage } from '../../images/index.ts'
import { shardFiles, shardName } from '../layout/shard-names.ts'
import { openShardPlan, readManifest, type PlanManifest, type ShardPlan } from '../plan/index.ts'
import type { Sample, SampleLayout } from '../samples/index.ts'
import { localFolder, readShard, readShardState, readShardStats } from '../shards/index.ts'
import { layoutOf } from './dataset-settings.ts'

/** Faults of one shard that are named; the others are counted. */
const mostFaults = 20

/** A finished shard that was checked. */
export interface VerifiedShard {
  /** Path of its stats. */
  readonly path: string
  readonly rows: number
  /** Images that are there and were decoded. */
  readonly images: number
  readonly faults: readonly TrawlError[]
}

/**
 * Reads the finished shards of a dataset back: its files have the lengths on record, each row of the plan has its row
 * in the metadata, and each image that is told of is there, has its length and size in pixels and can be decoded.
 * Images have no digest on record, so that a changed byte which still decodes is not seen. Gives nothing where no dataset
 * was planned. Throws ERR_FORMAT_NEWER, ERR_INPUT_INVALID where the plan is damaged, ERR_CANCELLED and storage errors.
 */
export async function* verifyDataset(
  out: string,
  options: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<VerifiedShard, void, undefined> {
  const manifest = readManifest(out)
  if (manifest === undefined) return
  const plan = openShardPlan(out, manifest)
  try {
    const state = await readShardState(localFolder(out), manifest)
    for (const shard of state.committed()) {
      yield await new ShardCheck({ out, manifest, plan, shard, ...options }).run()
    }
  } finally {
    await plan.close()
  }
}

interface ShardCheckOptions {
  readonly out: string
  readonly manifest: PlanManifest
  readonly plan: ShardPlan
  readonly shard: number
  readonly signal?: AbortSignal
}

class ShardCheck {
  readonly #options: ShardCheckOptions
  readonly #name: string
  readonly #faults: TrawlError[] = []
  #further = 0
  #rows = 0
  #images = 0

  constructor(options: ShardCheckOptions) {
    this.#options = options
    this.#name = shardName(options.shard, options.manifest)
  }

  async run(): Promise<VerifiedShard> {
    const { out, shard, plan, manifest } = this.#options
    const path = join(out, shardFiles(this.#name).stats)
    try {
      // What is not there cannot be read.
      if (!this.#checkFiles(path)) return this.#result(path)
      const layout = layoutOf(manifest, plan.columns(shard))
      for await (const { sample } of readShard({ out, shard, plan, layout })) {
        this.#rows++
        await this.#checkSample(sample, layout)
      }
    } catch (thrown) {
      const error = toTrawlError(thrown)
      if (error.code === 'ERR_CANCELLED') throw error
      this.#fault(error.message)
    }
    return this.#result(path)
  }

  #result(path: string): VerifiedShard {
    if (this.#further > 0) this.#faults.push(fault(`shard ${this.#name}: ${this.#further} more`))
    return { path, rows: this.#rows, images: this.#images, faults: this.#faults }
  }

  /** False where a file is missing. */
  #checkFiles(path: string): boolean {
    let isThere = true
    for (const { name, sizeBytes } of readShardStats(path).trawl?.files ?? []) {
      const found = statSync(join(this.#options.out, name), { throwIfNoEntry: false })
      if (found === undefined) {
        this.#fault(`${name} is not there`)
        isThere = false
      } else if (found.isFile() && found.size !== sizeBytes) {
        this.#fault(`${name} has ${found.size} bytes, and had ${sizeBytes} when it was made`)
      }
    }
    return isThere
  }

  async #checkSample({ status, row, image, imageBytes, facts }: Sample, layout: SampleLayout): Promise<void> {
    const { signal } = this.#options
    if (status !== 'success') return
    if (image === undefined) return this.#fault(`${row.key}: the image is not there`)
    const { widthPx, heightPx } = facts
    try {
      await checkImage(image instanceof Uint8Array ? image : image.path, {
        expected: {
          ...(widthPx === undefined ? {} : { widthPx }),
          ...(heightPx === undefined ? {} : { heightPx }),
          ...(imageBytes === null ? {} : { sizeBytes: imageBytes }),
        },
        ...(signal ? { signal } : {}),
      })
      this.#images++
    } catch (thrown) {
      const error = toTrawlError(thrown)
      if (error.code === 'ERR_CANCELLED') throw error
      this.#fault(`${row.key}.${layout.encodeFormat}: ${error.message}`)
    }
  }

  #fault(reason: string): void {
    if (this.#faults.length < mostFaults) this.#faults.push(fault(`shard ${this.#name}: ${reason}`))
    else this.#further++
  }
}

function fault(message: string): TrawlError {
  return new TrawlError('ERR_VERIFY_FAILED', message, {
    hint: 'Remove the stats file of the shard, and run the same command again: it is made anew.',
  })
}

import { mkdirSync } from 'node:fs'
import { TrawlError } from '../../core/index.ts'
import { storageError, type Durability } from '../../storage/index.ts'
import { shardFiles, shardName, type ShardNaming } from '../layout/shard-names.ts'
import {
  createLogTable,
  createMetadataTable,
  createSampleWriter,
  type Sample,
  type SampleLayout,
  type SampleRun,
  type SampleTable,
  type SampleWriter,
  type WrittenFile,
} from '../samples/index.ts'
import { ShardTally, type ShardStats } from './shard-stats.ts'
import { localTarget, type ShardTarget } from './shard-target.ts'

export interface ShardWriterOptions {
  /** The output folder, or the folder where a shard is put together before it goes to a store. */
  readonly folder: string
  readonly shard: number
  readonly naming: ShardNaming
  readonly layout: SampleLayout
  /** Rows that the plan has for this shard. */
  readonly rows: number
  /** Hash of the part of the plan. */
  readonly planHash: string
  readonly durability?: Durability
  /** Default: `folder` itself. */
  readonly target?: ShardTarget
}

/**
 * Puts a shard together: container, metadata, log and stats. Takes every row of the shard once, in plan order; files
 * have temporary names until `finish` commits them, the stats last. Memory does not grow with the shard.
 */
export interface ShardWriter {
  /** Throws ERR_INTERNAL for a row out of order, and storage errors. */
  add(sample: Sample, run: SampleRun): Promise<void>
  /** Throws ERR_SHARD_INCOMPLETE where rows are missing, and storage errors. Nothing is committed then. */
  finish(): Promise<ShardStats>
  /** Removes the temporary files. Safe after anything, also twice. */
  abort(): Promise<void>
}

/** Throws ERR_CONFIG_INVALID for a layout that does not fit together, and storage errors. */
export async function createShardWriter(options: ShardWriterOptions): Promise<ShardWriter> {
  const { folder, layout } = options
  const name = shardName(options.shard, options.naming)
  try {
    mkdirSync(folder, { recursive: true })
  } catch (error) {
    throw storageError(error, { path: folder, doing: 'create the folder' })
  }
  const samples = await createSampleWriter(folder, name, layout)
  const tables: SampleTable[] = []
  try {
    if (!samples.properties.holdsMetadata) tables.push(await createMetadataTable(folder, name, layout))
    tables.push(await createLogTable(folder, name))
  } catch (error) {
    for (const part of [samples, ...tables]) await part.abort()
    throw error
  }
  return new AssembledShard(options, samples, tables)
}

class AssembledShard implements ShardWriter {
  readonly #options: ShardWriterOptions
  readonly #samples: SampleWriter
  readonly #tables: readonly SampleTable[]
  readonly #tally = new ShardTally()

  constructor(options: ShardWriterOptions, samples: SampleWriter, tables: readonly SampleTable[]) {
    this.#options = options
    this.#samples = samples
    this.#tables = tables
  }

  async add(sample: Sample, run: SampleRun): Promise<void> {
    if (sample.row.index !== this.#tally.count) {
      throw new TrawlError(
        'ERR_INTERNAL',
        `shard ${this.#options.shard}: row ${sample.row.index} came where ${this.#tally.count} was due`,
      )
    }
    await this.#samples.add(sample)
    for (const table of this.#tables) table.add(sample, run)
    this.#tally.add(sample, run)
  }

  async finish(): Promise<ShardStats> {
    const { shard, rows, durability = 'batch', planHash, folder } = this.#options
    if (this.#tally.count !== rows) {
      throw new TrawlError(
        'ERR_SHARD_INCOMPLETE',
        `shard ${shard} has ${this.#tally.count} of ${rows} rows`,
        {
          context: { shard },
        },
      )
    }
    const sync = durability !== 'none'
    const files: WrittenFile[] = [...(await this.#samples.finish({ sync }))]
    for (const table of this.#tables) files.push(table.finish({ sync }))
    const stats = this.#tally.stats(
      planHash,
      files.map(({ name, sizeBytes }) => ({ name, sizeBytes })),
    )
    const name = shardFiles(shardName(shard, this.#options.naming)).stats
    const target = this.#options.target ?? localTarget(folder, durability)
    await target.commit(files, { name, text: `${JSON.stringify(stats, null, 4)}\n` })
    return stats
  }

  async abort(): Promise<void> {
    await this.#samples.abort()
    for (const table of this.#tables) table.abort()
  }
}
